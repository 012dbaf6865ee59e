import { ExpositionError, type HistogramSeries } from './exposition.js';
import type { Bucket } from './metric.js';

/** Measurements of which only the buckets are known, with their sum. */
export interface Histogram {
  /** Ascending finite bounds, each with the number of measurements up to and at it. */
  readonly buckets: readonly Bucket[];
  readonly total: number;
  readonly sum: number;
}

const boundsOf = ({ buckets }: Pick<Histogram, 'buckets'>): readonly number[] =>
  buckets.map(({ upTo }) => upTo);

/** Whether two histograms can be added, or subtracted. */
export const haveSameBounds = (one: Pick<Histogram, 'buckets'>, other: Pick<Histogram, 'buckets'>): boolean =>
  boundsOf(one).join() === boundsOf(other).join();

/** The bounds of all; none without any histogram, undefined when they differ. */
export function commonBounds(all: readonly Pick<Histogram, 'buckets'>[]): readonly number[] | undefined {
  const [first] = all;
  if (first === undefined) return [];
  return all.every((one) => haveSameBounds(one, first)) ? boundsOf(first) : undefined;
}

/** Several histograms as one; undefined when their bounds differ. */
export function sumHistograms(all: readonly Histogram[]): Histogram | undefined {
  const bounds = commonBounds(all);
  if (bounds === undefined) return undefined;
  return {
    buckets: bounds.map((upTo, index) => ({
      upTo,
      count: all.reduce((sum, { buckets }) => sum + (buckets[index]?.count ?? 0), 0),
    })),
    total: all.reduce((sum, { total }) => sum + total, 0),
    sum: all.reduce((sum, one) => sum + one.sum, 0),
  };
}

/**
 * All series of a family as one histogram.
 * @throws ExpositionError when their buckets differ.
 */
export function sumSeries(series: readonly HistogramSeries[], family: string): Histogram {
  const sum = sumHistograms(series.map(({ count, ...one }) => ({ ...one, total: count })));
  if (sum === undefined) throw new ExpositionError(`the series of ${family} have different buckets`);
  return sum;
}
