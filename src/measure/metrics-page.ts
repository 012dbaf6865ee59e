import { messageOf } from '../errors.js';
import { ExpositionError } from './exposition.js';

/** What could not be used, with the reason. */
export interface Unusable {
  readonly unusable: string;
}

/** A suite's own metrics page, as it was last read and kept. */
export interface MetricsPage {
  readonly text: string;
  /** Whether it was read when nothing was sent any more. */
  readonly isFinal: boolean;
  readonly evidence: string;
}

/** What a page says; or why it says nothing, when it is no page that can be read. */
export function readable<Content extends object>(read: () => Content): Content | Unusable {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof ExpositionError)) throw thrown;
    return { unusable: `the metrics page cannot be read: ${messageOf(thrown)}` };
  }
}
