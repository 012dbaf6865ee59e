import type { Expectation, QuantityKind } from '../config/expectation.js';
import type { BucketMetric, Metric, RatioMetric, SampleMetric } from '../measure/metric.js';
import { measuredCount, sampleCount } from '../measure/metric.js';
import { unfit } from '../plan/fitting.js';
import type { Criterion } from '../plan/plan-types.js';
import { countedSamples, samplesNeededFor, shortage } from '../plan/samples.js';
import { judgeBuckets } from './buckets.js';
import { holds, isUpperLimit } from './compare.js';
import { formatBucket, formatQuantity } from './format.js';
import { estimateProportion } from './proportion.js';
import { estimateQuantile } from './quantile.js';
import type { CriterionResult, CriterionVerdict, Observed } from './verdict.js';

/** Judges one criterion by the metrics. What cannot be judged is an error, never a pass. */
export function judgeCriterion(criterion: Criterion, metrics: ReadonlyMap<string, Metric>): CriterionResult {
  return { ...judge(criterion, metrics), criterion };
}

function judge(criterion: Criterion, metrics: ReadonlyMap<string, Metric>): CriterionVerdict {
  if (criterion.disabled) return { verdict: 'disabled', sentence: `taken out: ${criterion.disabled.reason}` };
  const metric = metrics.get(criterion.metric);
  if (metric === undefined) return { verdict: 'error', sentence: `${criterion.metric} was not measured` };
  if (metric.shape === 'missing') {
    const isSkipped = metric.skipped === true && criterion.whereSeen === true;
    return isSkipped
      ? { verdict: 'skipped', sentence: `skipped: ${metric.reason}` }
      : { verdict: 'error', sentence: metric.reason };
  }
  const mismatch = unfit(criterion.expect, fittingOf(metric));
  if (mismatch !== undefined) return { verdict: 'error', sentence: mismatch };
  if (!isMeasurement(metric))
    return { verdict: 'error', sentence: `what was read for ${metric.name} is no number` };
  const n = sampleCount(metric);
  if (n === 0) return { verdict: 'error', sentence: `${metric.name} has no samples` };
  const measured = measuredCount(metric) ?? 0;
  if (criterion.minSamples !== undefined && measured < criterion.minSamples) {
    return {
      verdict: 'error',
      sentence: `${metric.name} has ${measured} measured samples, but min_samples is ${criterion.minSamples}`,
    };
  }
  const outcome = judgeExpectation(criterion.expect, metric);
  if (metric.doubt !== undefined && 'observed' in outcome)
    return { ...outcome, verdict: 'inconclusive', sentence: `${outcome.sentence}; but ${metric.doubt}` };
  if (outcome.verdict === 'fail')
    return metric.ownDelay === undefined ? outcome : mildened(outcome, criterion, metric.ownDelay);
  if (outcome.verdict !== 'pass') return outcome;
  const warning = warningOf(criterion, metric) ?? partsWarning(criterion, metrics);
  if (warning === undefined) return outcome;
  return { ...outcome, verdict: 'warn', sentence: `${outcome.sentence}; but ${warning}` };
}

/** What the plan looked at already where it knew the metric; some are known only by the results. */
function fittingOf(metric: Measured): Parameters<typeof unfit>[1] {
  const { name, shape } = metric;
  return {
    name,
    shape,
    unit: metric.shape === 'ratio' || metric.shape === 'count' ? metric.shape : metric.unit,
  };
}

type Judged = Extract<CriterionVerdict, { observed: Observed }>;

/** A failure that the measuring's own delay may have made is none; a pass in spite of it is one. */
function mildened(outcome: Judged, { expect }: Criterion, ownDelay: number): CriterionVerdict {
  const { observed } = outcome;
  if (observed.kind !== 'quantile' && observed.kind !== 'number') return outcome;
  if (!isUpperLimit(expect.operator) || !holds(observed.value - ownDelay, expect.operator, expect.threshold))
    return outcome;
  return {
    ...outcome,
    verdict: 'inconclusive',
    sentence: `${outcome.sentence}; but up to ${formatQuantity(ownDelay, expect.unit)} of it may be the delay of the load generator`,
  };
}

function warningOf({ warn }: Criterion, metric: Measured): string | undefined {
  if (warn === undefined || judgeExpectation(warn, metric).verdict !== 'fail') return undefined;
  return `the warning level ${warn.text} is breached`;
}

/** A whole may be good while a part of it, with samples enough to say so, is not. */
function partsWarning(
  { expect, parts = [] }: Criterion,
  metrics: ReadonlyMap<string, Metric>,
): string | undefined {
  const breaches = parts.flatMap((name) => {
    const part = metrics.get(name);
    if (part === undefined || part.shape === 'missing' || sampleCount(part) === 0) return [];
    const outcome = judgeExpectation(expect, part);
    const needed = samplesNeededFor(expect) ?? 1;
    if (outcome.verdict !== 'fail' || (sampleCount(part) ?? needed) < needed) return [];
    return [`${name} alone is at ${observedText(outcome.observed, expect.unit)}`];
  });
  return breaches.length === 0 ? undefined : breaches.join(', ');
}

type Measured = Exclude<Metric, { shape: 'missing' }>;

/** A source may answer NaN or infinity; no comparison with them means anything. */
function isMeasurement(metric: Measured): boolean {
  switch (metric.shape) {
    case 'samples':
      return !metric.samples.some(Number.isNaN);
    case 'ratio':
      return Number.isFinite(metric.good) && Number.isFinite(metric.total);
    case 'buckets':
      // Of failed actions the sum is infinite.
      return Number.isFinite(metric.total) && !Number.isNaN(metric.sum);
    case 'count':
    case 'value':
      return Number.isFinite(metric.value);
  }
}

function judgeExpectation(expectation: Expectation, metric: Measured): CriterionVerdict {
  switch (metric.shape) {
    case 'samples':
      return expectation.aggregate.kind === 'quantile'
        ? judgeQuantile(expectation, expectation.aggregate.q, metric)
        : judgeCensus(expectation, metric);
    case 'ratio':
      return judgeRatio(expectation, metric);
    case 'buckets':
      return judgeByBuckets(expectation, metric);
    case 'count':
    case 'value':
      return verdictOf(expectation, { kind: 'number', value: metric.value });
  }
}

/**
 * Pass: the estimate and its bound are on the right side. Fail: the estimate breaches, and below the first n that has a
 * bound only if its own bound breaches too. Else inconclusive.
 */
function judgeQuantile(expectation: Expectation, q: number, metric: SampleMetric): CriterionVerdict {
  const estimate = estimateQuantile(metric, q);
  if (estimate === undefined) return { verdict: 'error', sentence: `${metric.name} has no samples` };
  const upperLimit = isUpperLimit(expectation.operator);
  const observed: Observed = { kind: 'quantile', ...estimate };
  const meets = (value: number | undefined): boolean =>
    value !== undefined && holds(value, expectation.operator, expectation.threshold);
  const bound = upperLimit ? estimate.upper : estimate.lower;
  const opposite = upperLimit ? estimate.lower : estimate.upper;
  const needed = samplesNeededFor(expectation) ?? 1;
  const verdict = meets(estimate.value)
    ? meets(bound)
      ? 'pass'
      : 'inconclusive'
    : estimate.n >= needed || (opposite !== undefined && !meets(opposite))
      ? 'fail'
      : 'inconclusive';
  const sentence = describe(expectation, observed);
  return {
    verdict,
    observed,
    sentence:
      verdict === 'inconclusive'
        ? `${sentence}; ${doubt(metric.name, estimate.n, bound, expectation)}`
        : sentence,
  };
}

function doubt(metric: string, n: number, bound: number | undefined, expectation: Expectation): string {
  const missing = shortage(metric, expectation, n);
  if (missing !== undefined) return `${countedSamples(metric, n)} are too few to decide: ${missing}`;
  return `at 95 % confidence it may be ${formatQuantity(bound ?? Infinity, expectation.unit)}`;
}

/** Max, min, mean and count of the planned load are a census: the observed value decides. */
function judgeCensus(expectation: Expectation, metric: SampleMetric): CriterionVerdict {
  const n = metric.samples.length + metric.failed;
  const first = metric.samples[0] ?? Infinity;
  const last = metric.failed > 0 ? Infinity : (metric.samples.at(-1) ?? Infinity);
  const sum = metric.failed > 0 ? Infinity : metric.samples.reduce((all, sample) => all + sample, 0);
  const { aggregate } = expectation;
  switch (aggregate.kind) {
    case 'max':
      return verdictOf(expectation, { kind: 'number', value: last, n });
    case 'min':
      return verdictOf(expectation, { kind: 'number', value: first, n });
    case 'mean':
      return verdictOf(expectation, { kind: 'number', value: sum / n, n });
    case 'count':
      return verdictOf(expectation, { kind: 'number', value: metric.samples.length, n });
    case 'quantile':
    case 'value':
      return { verdict: 'error', sentence: `"${expectation.text}" does not fit ${metric.name}` };
  }
}

function judgeByBuckets(expectation: Expectation, metric: BucketMetric): CriterionVerdict {
  const outcome = judgeBuckets(expectation, metric);
  if (outcome === undefined)
    return { verdict: 'error', sentence: `"${expectation.text}" does not fit ${metric.name}` };
  const sentence = describe(expectation, outcome.observed);
  if (outcome.verdict !== 'inconclusive') return { ...outcome, sentence };
  if (shortage(metric.name, expectation, metric.total) !== undefined)
    return {
      ...outcome,
      sentence: `${sentence}; ${doubt(metric.name, metric.total, undefined, expectation)}`,
    };
  const bounds = metric.buckets.map(({ upTo }) => formatQuantity(upTo, metric.unit)).join(', ');
  return {
    ...outcome,
    sentence: `${sentence}; only the bucket is known, so a limit is decided best at one of its bounds: ${bounds}`,
  };
}

function judgeRatio(expectation: Expectation, metric: RatioMetric): CriterionVerdict {
  const estimate = estimateProportion(metric.good, metric.total);
  if (estimate === undefined) return { verdict: 'error', sentence: `${metric.name} counts nothing` };
  return verdictOf(expectation, { kind: 'ratio', ...estimate, good: metric.good, n: metric.total });
}

function verdictOf(
  expectation: Expectation,
  observed: Exclude<Observed, { kind: 'bucket' }>,
): CriterionVerdict {
  const verdict = holds(observed.value, expectation.operator, expectation.threshold) ? 'pass' : 'fail';
  return { verdict, observed, sentence: describe(expectation, observed) };
}

function describe(expectation: Expectation, observed: Observed): string {
  const kind =
    expectation.aggregate.kind === 'value'
      ? ''
      : `${expectation.aggregate.kind === 'quantile' ? expectation.aggregate.name.toUpperCase() : expectation.aggregate.kind} `;
  const unit = observed.kind === 'ratio' ? 'ratio' : expectation.unit;
  const of =
    observed.kind === 'ratio'
      ? ` (${observed.good} of ${observed.n})`
      : observed.n !== undefined
        ? ` (n = ${observed.n})`
        : '';
  return `${kind}${observedText(observed, unit)}${of}, expected ${expectation.text}`;
}

function observedText(observed: Observed, unit: QuantityKind): string {
  return observed.kind === 'bucket' ? formatBucket(observed, unit) : formatQuantity(observed.value, unit);
}
