import type { QuantityKind } from '../config/expectation.js';

export type MetricSource = 'cli-result' | 'cli-prometheus' | 'server-metrics' | 'coder-api' | 'load';

interface MetricOrigin {
  readonly name: string;
  readonly phase: string;
  readonly source: MetricSource;
  /** The files below the results directory that it was computed from. */
  readonly evidence: readonly string[];
  /** Why the numbers may tell more of how they were measured than of the deployment. Nothing is decided by them. */
  readonly doubt?: string;
  /** By how much the values may be too large because of how they were measured; in their unit. */
  readonly ownDelay?: number;
}

/** Many measurements of one kind. Failed ones are infinitely slow: leaving them out would flatter. */
export interface SampleMetric extends MetricOrigin {
  readonly shape: 'samples';
  readonly unit: Extract<QuantityKind, 'seconds' | 'count'>;
  /** Ascending. */
  readonly samples: readonly number[];
  readonly failed: number;
}

export interface RatioMetric extends MetricOrigin {
  readonly shape: 'ratio';
  readonly good: number;
  readonly total: number;
}

export interface CountMetric extends MetricOrigin {
  readonly shape: 'count';
  readonly value: number;
}

/** One number that is no count: a rate, or a share of something that is no number of trials. */
export interface ValueMetric extends MetricOrigin {
  readonly shape: 'value';
  readonly unit: Extract<QuantityKind, 'ratio' | 'bytes_per_second'>;
  readonly value: number;
}

/** Measurements of which only the bucket is known. Nothing is interpolated: the answer is a bucket's interval. */
export interface BucketMetric extends MetricOrigin {
  readonly shape: 'buckets';
  readonly unit: Extract<QuantityKind, 'seconds'>;
  /** Ascending finite bounds, each with the number of measurements up to and at it. */
  readonly buckets: readonly Bucket[];
  /** Of all measurements, also those above the last bound. */
  readonly total: number;
  readonly sum: number;
}

export interface Bucket {
  readonly upTo: number;
  readonly count: number;
}

/** A metric that the run should have, but that could not be measured, with the reason. Never green. */
export interface MissingMetric {
  readonly name: string;
  readonly shape: 'missing';
  readonly reason: string;
  /** Nothing on this deployment shows it: what is judged only where it can be seen is left out, with the reason. */
  readonly skipped?: true;
}

export type Metric = SampleMetric | BucketMetric | RatioMetric | CountMetric | ValueMetric | MissingMetric;

/** How many samples were really measured: failed ones count in quantiles, but they measured nothing. */
export function measuredCount(metric: Metric): number | undefined {
  return metric.shape === 'samples' ? metric.samples.length : sampleCount(metric);
}

/** A metric as it stands in metrics.json, with its unit and n. */
export function describeMetric(metric: Metric): Readonly<Record<string, unknown>> {
  const unit = unitOf(metric);
  const n = sampleCount(metric);
  return { ...metric, ...(unit !== undefined && { unit }), ...(n !== undefined && { n }) };
}

function unitOf(metric: Metric): QuantityKind | undefined {
  switch (metric.shape) {
    case 'samples':
    case 'buckets':
    case 'value':
      return metric.unit;
    case 'ratio':
    case 'count':
      return metric.shape;
    case 'missing':
      return undefined;
  }
}

/** How many samples a metric has. */
export function sampleCount(metric: Metric): number | undefined {
  switch (metric.shape) {
    case 'samples':
      return metric.samples.length + metric.failed;
    case 'ratio':
    case 'buckets':
      return metric.total;
    case 'count':
    case 'value':
    case 'missing':
      return undefined;
  }
}

/** Of a hundred thousand values too: a typed array sorts numbers natively. */
export function ascending(values: readonly number[]): number[] {
  const sorted: number[] = [];
  for (const value of new Float64Array(values).sort()) sorted.push(value);
  return sorted;
}

/** The most intervals that overlap at one moment. Intervals are half-open: one that ends when another begins does not overlap it. */
export function peakOverlap(intervals: Iterable<{ readonly from: number; readonly to: number }>): number {
  const begins: number[] = [];
  const ends: number[] = [];
  for (const { from, to } of intervals) {
    if (to <= from) continue;
    begins.push(from);
    ends.push(to);
  }
  const endsInOrder = new Float64Array(ends).sort();
  let ended = 0;
  let peak = 0;
  let begun = 0;
  for (const at of new Float64Array(begins).sort()) {
    begun += 1;
    while ((endsInOrder[ended] ?? Infinity) <= at) ended += 1;
    peak = Math.max(peak, begun - ended);
  }
  return peak;
}
