import { ExpositionError, histogramsOf, parseExposition } from './exposition.js';
import { commonBounds } from './histogram-sum.js';
import type { Bucket } from './metric.js';
import { readable } from './metrics-page.js';

const FAMILY = 'coderd_scaletest_dashboard';
const ACTION = 'action';

/** What the metrics page of the CLI's dashboard suite says, all actions of all users together. */
export interface BrowserPage {
  readonly actions: number;
  readonly failed: number;
  /** A failed action counts as infinitely slow, so the last bucket holds those that succeeded. */
  readonly buckets: readonly Bucket[];
  /** Of all actions, with the time that the failed ones took. */
  readonly sum: number;
}

/** What a page tells, for the log of a run; undefined when it is none of this suite. */
export function describeBrowserPage(text: string): string | undefined {
  const page = readable(() => readBrowserPage(text));
  return 'unusable' in page ? undefined : `${page.actions} actions, ${page.failed} of them failed`;
}

/**
 * Reads a page. One without content is a page too: there are no families before the first action.
 * @throws ExpositionError for one that cannot be read, or that is another program's.
 */
export function readBrowserPage(text: string): BrowserPage {
  const page = parseExposition(text);
  const foreign = page.samples.find(({ name }) => !name.startsWith(`${FAMILY}_`));
  if (foreign !== undefined)
    throw new ExpositionError(`it is another program's: it tells of ${foreign.name}`);
  const series = histogramsOf(page, `${FAMILY}_duration_seconds`);
  const failures = new Map(
    page.samples
      .filter(({ name }) => name === `${FAMILY}_errors_total`)
      .map(({ labels, value }) => [labels[ACTION] ?? '', value] as const),
  );
  const bounds = commonBounds(series);
  if (bounds === undefined) throw new ExpositionError('its actions have different buckets');
  const succeeded = series.map(({ labels, count }) => count - (failures.get(labels[ACTION] ?? '') ?? 0));
  if (succeeded.some((count) => !(count >= 0)))
    throw new ExpositionError('it has more failures than actions');
  return {
    actions: series.reduce((all, { count }) => all + count, 0),
    failed: [...failures.values()].reduce((all, value) => all + value, 0),
    // The slowest of a kind are taken for the failed ones: an action fails by waiting to its end.
    buckets: bounds.map((upTo, index) => ({
      upTo,
      count: series.reduce(
        (all, { buckets }, kind) => all + Math.min(buckets[index]?.count ?? 0, succeeded[kind] ?? 0),
        0,
      ),
    })),
    sum: series.reduce((all, one) => all + one.sum, 0),
  };
}
