import type { Expectation } from '../config/expectation.js';
import type { BucketMetric } from '../measure/metric.js';
import { samplesNeededFor } from '../plan/samples.js';
import { holds, isUpperLimit } from './compare.js';
import { quantileRanks } from './quantile.js';
import type { Observed } from './verdict.js';

/** Where a value lies that only its bucket is known of: above `above`, at most `upTo`. */
export interface Interval {
  readonly above: number;
  readonly upTo: number;
}

/** What is known of a metric's value: that it meets an expectation, that it breaches it, or neither. */
export interface BucketOutcome {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly observed: Extract<Observed, { kind: 'bucket' | 'number' }>;
}

/** The bucket of the value at a 1-based place among all values in ascending order. */
export function bucketAt({ buckets }: Pick<BucketMetric, 'buckets'>, rank: number): Interval {
  const index = buckets.findIndex(({ count }) => count >= rank);
  const last = buckets.at(-1)?.upTo ?? 0;
  if (index < 0) return { above: last, upTo: Infinity };
  return { above: buckets[index - 1]?.upTo ?? 0, upTo: buckets[index]?.upTo ?? Infinity };
}

/**
 * Judges an expectation by buckets, without interpolation. A threshold on a bound is answered exactly, since a bucket
 * counts all values up to and at its bound; one inside the value's bucket cannot be answered.
 */
export function judgeBuckets(expectation: Expectation, metric: BucketMetric): BucketOutcome | undefined {
  const { aggregate } = expectation;
  const n = metric.total;
  switch (aggregate.kind) {
    case 'quantile':
      return judgeQuantile(expectation, aggregate.q, metric);
    case 'max':
      return outcomeOf(relation(expectation, bucketAt(metric, n)), bucketAt(metric, n), n);
    case 'min':
      return outcomeOf(relation(expectation, bucketAt(metric, 1)), bucketAt(metric, 1), n);
    case 'mean':
      return exactly(expectation, metric.sum / n, n);
    case 'count':
      return exactly(expectation, n, n);
    case 'value':
      return undefined;
  }
}

/** As for samples: the estimate and its bound decide; below the first n that has a bound, a breach needs its own. */
function judgeQuantile(expectation: Expectation, q: number, metric: BucketMetric): BucketOutcome {
  const n = metric.total;
  const ranks = quantileRanks(n, q);
  const upperLimit = isUpperLimit(expectation.operator);
  const at = (rank: number | undefined) =>
    rank === undefined ? 'open' : relation(expectation, bucketAt(metric, rank));
  const estimate = at(ranks.rank);
  const bound = at(upperLimit ? ranks.upper : ranks.lower);
  const opposite = at(upperLimit ? ranks.lower : ranks.upper);
  const needed = samplesNeededFor(expectation) ?? 1;
  const passes = estimate === 'meets' && bound === 'meets';
  const fails = estimate === 'breaches' && (n >= needed || opposite === 'breaches');
  return outcomeOf(passes ? 'meets' : fails ? 'breaches' : 'open', bucketAt(metric, ranks.rank), n);
}

type Relation = 'meets' | 'breaches' | 'open';

/** How a value in a bucket stands to a threshold. At a bound, `<` and `<=` are the same: nothing finer is known. */
function relation({ operator, threshold }: Expectation, { above, upTo }: Interval): Relation {
  const isBelow = upTo <= threshold;
  const isAbove = above >= threshold;
  switch (operator) {
    case '<':
    case '<=':
      return isBelow ? 'meets' : isAbove ? 'breaches' : 'open';
    case '>':
    case '>=':
      return isAbove ? 'meets' : isBelow ? 'breaches' : 'open';
    case '==':
      return threshold > above && threshold <= upTo ? 'open' : 'breaches';
  }
}

function outcomeOf(relation: Relation, { above, upTo }: Interval, n: number): BucketOutcome {
  const verdict = ({ meets: 'pass', breaches: 'fail', open: 'inconclusive' } as const)[relation];
  return {
    verdict,
    observed: { kind: 'bucket', above, ...(Number.isFinite(upTo) && { upTo }), n },
  };
}

function exactly(expectation: Expectation, value: number, n: number): BucketOutcome {
  return {
    verdict: holds(value, expectation.operator, expectation.threshold) ? 'pass' : 'fail',
    observed: { kind: 'number', value, n },
  };
}
