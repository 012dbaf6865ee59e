import type { Expectation } from '../config/expectation.js';
import { nearestRank } from '../nearest-rank.js';
import type { Criterion } from '../plan/plan-types.js';
import { countedSamples } from '../plan/samples.js';
import { holds, isUpperLimit } from './compare.js';
import { formatQuantity } from './format.js';
import { estimateProportion } from './proportion.js';
import type { Observed } from './verdict.js';

/** What of a metric is certain while its load goes on. */
export interface Certain {
  readonly metric: string;
  readonly shape: 'samples' | 'ratio';
  /** How many samples there will be at most. */
  readonly most: number;
  /** Of them, those that have failed already: infinitely slow, and no success. */
  readonly failed: number;
  /** How many take longer than an upper limit, whatever comes; failed ones too. */
  readonly beyond: (expectation: Expectation) => number;
}

/** Why a criterion ended the load; part of the file run.json. */
export interface Breach {
  readonly id: string;
  readonly metric: string;
  /** The text of what was expected. */
  readonly expect: string;
  readonly observed: Observed;
  readonly sentence: string;
}

/** That the load ended before its plan, and what of it is whole all the same: part of the file run.json. */
export interface EarlyEnd {
  /** After the run began. */
  readonly seconds: number;
  readonly breaches: readonly Breach[];
  /** How the names of metrics begin whose steps had ended before. */
  readonly complete: readonly string[];
}

/** Why a criterion cannot pass any more, whatever the rest of the load yields; undefined while it can. */
export function lostFor(criterion: Criterion, certain: Certain): Breach | undefined {
  const { expect } = criterion;
  return certain.shape === 'ratio' ? lostRatio(criterion, certain) : lostSamples(criterion, expect, certain);
}

function lostRatio(criterion: Criterion, { most, failed }: Certain): Breach | undefined {
  const { expect, metric } = criterion;
  if (expect.aggregate.kind !== 'value' || isUpperLimit(expect.operator) || most === 0) return undefined;
  const best = (most - failed) / most;
  const proportion = estimateProportion(most - failed, most);
  if (proportion === undefined || holds(best, expect.operator, expect.threshold)) return undefined;
  return breachOf(
    criterion,
    { kind: 'ratio', ...proportion, good: most - failed, n: most },
    `${failed} of ${countedSamples(metric, most)} failed, so at most ${formatQuantity(best, 'ratio')} can succeed, expected ${expect.text}`,
  );
}

function lostSamples(criterion: Criterion, expect: Expectation, certain: Certain): Breach | undefined {
  if (!isUpperLimit(expect.operator) || expect.operator === '==') return undefined;
  const { most, beyond } = certain;
  const allowed = allowedBeyond(expect, most);
  const found = beyond(expect);
  if (allowed === undefined || found <= allowed) return undefined;
  const limit = formatQuantity(expect.threshold, expect.unit);
  return breachOf(
    criterion,
    { kind: 'bucket', above: expect.threshold, n: most },
    `${found} of ${countedSamples(criterion.metric, most)} failed or took longer than ${limit}; ${expect.text} allows ${allowed === 0 ? 'none' : allowed}`,
  );
}

/** How many samples may lie beyond the limit; with more than n samples it would be no fewer. */
function allowedBeyond({ aggregate }: Expectation, n: number): number | undefined {
  if (aggregate.kind === 'max') return 0;
  return aggregate.kind === 'quantile' ? n - nearestRank(n, aggregate.q) : undefined;
}

/** That what was measured so far breaches a criterion which ends the load then. */
export const breachOf = (
  { id, metric, expect }: Criterion,
  observed: Observed,
  sentence: string,
): Breach => ({ id, metric, expect: expect.text, observed, sentence });

/** The breach by which a criterion ended the load, as long as it asks for the same. */
export const breachBy = (
  { id, metric, expect, disabled }: Criterion,
  { breaches }: EarlyEnd,
): Breach | undefined =>
  disabled === undefined
    ? breaches.find((breach) => breach.id === id && breach.metric === metric && breach.expect === expect.text)
    : undefined;

/** Whether a metric shows only the part of the load until it was ended. */
export const isCutOff = (metric: string, { complete }: EarlyEnd): boolean =>
  !metric.startsWith('cleanup.') && !complete.some((start) => metric.startsWith(start));

/** `the load was ended early, after 12 s`. */
export const earlyEndSentence = ({ seconds }: Pick<EarlyEnd, 'seconds'>): string =>
  `the load was ended early, after ${formatQuantity(seconds, 'seconds')}`;
