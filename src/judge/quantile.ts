import { nearestRank } from '../nearest-rank.js';
import { binomialAtMost } from './binomial.js';

/** 1e-12 keeps a bound that has exactly 95 % (P95 of one sample, from below) from being lost to rounding. */
const CONFIDENCE = 0.95 - 1e-12;

/** Samples in ascending order, of which the failed ones come last and are infinitely slow. */
export interface OrderedSamples {
  readonly samples: readonly number[];
  readonly failed: number;
}

/** 1-based places of a quantile and its one-sided 95 % bounds among n ascending values; a bound that n is too small for is absent. */
export interface QuantileRanks {
  readonly rank: number;
  readonly lower?: number;
  readonly upper?: number;
}

/** A quantile with its one-sided 95 % bounds; together they are the two-sided 90 % interval. */
export interface QuantileEstimate {
  readonly n: number;
  /** 1-based rank of the estimate. */
  readonly rank: number;
  readonly value: number;
  /** Undefined below the first n that has one. */
  readonly lower?: number;
  readonly upper?: number;
}

/**
 * The nearest-rank quantile, rank ceil(q n), with distribution-free bounds from order statistics: the upper one is the
 * smallest x(u) with P(Bin(n, q) <= u - 1) >= 95 %, the lower one the largest x(l) with P(Bin(n, q) >= l) >= 95 %.
 * Source: Hahn and Meeker, Statistical Intervals, section 5.2.
 * @returns undefined without samples.
 */
export function estimateQuantile(ordered: OrderedSamples, q: number): QuantileEstimate | undefined {
  const n = ordered.samples.length + ordered.failed;
  if (n === 0) return undefined;
  const { rank, lower, upper } = quantileRanks(n, q);
  const at = (position: number): number => ordered.samples[position - 1] ?? Infinity;
  return {
    n,
    rank,
    value: at(rank),
    ...(lower !== undefined && { lower: at(lower) }),
    ...(upper !== undefined && { upper: at(upper) }),
  };
}

/** The places of a quantile and its bounds among n >= 1 values. */
export function quantileRanks(n: number, q: number): QuantileRanks {
  const rank = nearestRank(n, q);
  const upperRank = firstRank(n, (u) => binomialAtMost(u - 1, n, q) >= CONFIDENCE);
  const firstBad = firstRank(n, (l) => 1 - binomialAtMost(l - 1, n, q) < CONFIDENCE) ?? n + 1;
  const lowerRank = firstBad - 1;
  return {
    rank,
    ...(lowerRank >= 1 && { lower: lowerRank }),
    ...(upperRank !== undefined && { upper: upperRank }),
  };
}

/** The first of 1 to n for which a condition holds that stays true once it is. */
function firstRank(n: number, holds: (rank: number) => boolean): number | undefined {
  let low = 1;
  let high = n + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low <= n ? low : undefined;
}
