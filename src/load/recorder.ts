import { nearestRank } from '../nearest-rank.js';

/**
 * Distributions of durations in bounded memory. While there are few values they are kept as they are, so that every
 * quantile is exact (also where a decision hangs on one order statistic); beyond that they go into buckets whose bounds
 * grow by a constant factor, as HdrHistogram's and DDSketch's do, with a known relative error.
 * Source: Masson, Rim, Lee, DDSketch (VLDB 2019), section 2.
 */

/** About 80 kB; more than the pool of the guide's 50 users has in five minutes. */
export const RAW_LIMIT = 10_000;
/** The value of a bucket differs from every value in it by at most this share. */
export const RELATIVE_ERROR = 0.005;
/** In milliseconds; anything shorter counts as this long: below a microsecond there is only the clock's noise. */
export const SMALLEST_MS = 0.001;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

const bucketOf = (value: number): number => Math.ceil(Math.log(Math.max(value, SMALLEST_MS)) / LOG_GAMMA);
const valueOf = (bucket: number): number => (2 * GAMMA ** bucket) / (1 + GAMMA);

/** A distribution as it stands in evidence. Durations in milliseconds. */
export type DistributionData =
  | { readonly kind: 'samples'; readonly values: readonly number[]; readonly failed: number }
  | {
      readonly kind: 'buckets';
      readonly relativeError: number;
      /** Number and count: bucket i holds the values in (g^(i-1), g^i], g = (1 + e) / (1 - e). */
      readonly buckets: readonly (readonly [number, number])[];
      readonly min: number;
      readonly max: number;
      readonly sum: number;
      readonly failed: number;
    };

export class Distribution {
  #raw: number[] | undefined = [];
  #sorted: readonly number[] | undefined;
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #failed = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  constructor(private readonly rawLimit: number = RAW_LIMIT) {}

  /** @param value in milliseconds, at least 0. */
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    this.#sorted = undefined;
    if (this.#raw === undefined) {
      this.#put(bucketOf(value), 1);
      return;
    }
    this.#raw.push(value);
    if (this.#raw.length > this.rawLimit) this.#toBuckets();
  }

  /** One that never ended well: infinitely slow. */
  fail(): void {
    this.#failed += 1;
  }

  /** All of them, failed ones too. */
  get count(): number {
    return this.#count + this.#failed;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Of those that ended well; NaN without any. */
  get mean(): number {
    return this.#sum / this.#count;
  }

  /** Infinity once one failed; NaN without any. */
  get max(): number {
    if (this.count === 0) return Number.NaN;
    return this.#failed > 0 ? Infinity : this.#max;
  }

  /** The nearest-rank quantile, rank ceil(q n); failed ones come last. NaN without any. */
  quantile(q: number): number {
    const { count } = this;
    if (count === 0) return Number.NaN;
    const rank = nearestRank(count, q);
    if (rank > this.#count) return Infinity;
    if (this.#raw !== undefined) {
      this.#sorted ??= ascending(this.#raw);
      return this.#sorted[rank - 1] ?? Number.NaN;
    }
    if (rank === 1) return this.#min;
    if (rank === this.#count) return this.#max;
    let seen = 0;
    for (const [bucket, count] of this.#inOrder()) {
      seen += count;
      if (seen >= rank) return this.#within(valueOf(bucket));
    }
    return this.#max;
  }

  merge(other: Distribution): void {
    this.mergeData(other.#exact());
  }

  mergeData(data: DistributionData): void {
    this.#failed += data.failed;
    if (data.kind === 'samples') {
      for (const value of data.values) this.add(value);
      return;
    }
    if (data.buckets.length === 0) return;
    this.#toBuckets();
    for (const [bucket, count] of data.buckets) this.#put(bucket, count);
    this.#count += data.buckets.reduce((sum, [, count]) => sum + count, 0);
    this.#sum += data.sum;
    this.#min = Math.min(this.#min, data.min);
    this.#max = Math.max(this.#max, data.max);
  }

  data(): DistributionData {
    const exact = this.#exact();
    if (exact.kind === 'samples') return { ...exact, values: exact.values.map(rounded) };
    return { ...exact, min: rounded(exact.min), max: rounded(exact.max), sum: rounded(exact.sum) };
  }

  static from(data: DistributionData): Distribution {
    return Distribution.merged([data]);
  }

  static merged(parts: readonly DistributionData[]): Distribution {
    const whole = new Distribution();
    for (const part of parts) whole.mergeData(part);
    return whole;
  }

  #exact(): DistributionData {
    if (this.#raw !== undefined) {
      return { kind: 'samples', values: ascending(this.#raw), failed: this.#failed };
    }
    return {
      kind: 'buckets',
      relativeError: RELATIVE_ERROR,
      buckets: this.#inOrder(),
      min: this.#min,
      max: this.#max,
      sum: this.#sum,
      failed: this.#failed,
    };
  }

  #toBuckets(): void {
    for (const value of this.#raw ?? []) this.#put(bucketOf(value), 1);
    this.#raw = undefined;
    this.#sorted = undefined;
  }

  #put(bucket: number, count: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
  }

  #inOrder(): [number, number][] {
    return [...this.#buckets].sort(([left], [right]) => left - right);
  }

  #within(value: number): number {
    return Math.min(this.#max, Math.max(this.#min, value));
  }
}

/** Its values one by one, ascending, as quantiles with bounds need them; those of a bucket by the bucket's value. */
export function orderedValues(data: DistributionData): readonly number[] {
  if (data.kind === 'samples') return data.values;
  const values = data.buckets.flatMap(([bucket, count]) =>
    new Array<number>(count).fill(Math.min(data.max, Math.max(data.min, valueOf(bucket)))),
  );
  return values.length < 2 ? values : [data.min, ...values.slice(1, -1), data.max];
}

const ascending = (values: readonly number[]): number[] => Array.from(Float64Array.from(values).sort());

/** To a tenth of a microsecond: what is measured is never finer. */
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;
