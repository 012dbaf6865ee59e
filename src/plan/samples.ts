import { isCliSuite } from './cli-suites.js';
import { suiteOfMetric } from './metric-names.js';
import type { Expectation } from '../config/expectation.js';
import type { Criterion } from './plan-types.js';

const CONFIDENCE = 0.95;

/**
 * The smallest number of samples with which a quantile can be shown to be below a limit at 95 % confidence: the first
 * n with 1 - q^n >= 0.95 (P95: 59, P99: 299). Hahn and Meeker, Statistical Intervals, on distribution-free bounds.
 */
export function samplesNeeded(q: number): number {
  return Math.ceil(Math.log(1 - CONFIDENCE) / Math.log(q) - 1e-9);
}

/** How many samples an expectation needs to be met for certain; undefined where every value there is decides. */
export function samplesNeededFor({ aggregate, operator }: Expectation): number | undefined {
  if (aggregate.kind !== 'quantile') return undefined;
  // A lower bound of a quantile ("p95 > 1s") is decided from the other side.
  const isLowerLimit = operator === '>' || operator === '>=';
  return samplesNeeded(isLowerLimit ? 1 - aggregate.q : aggregate.q);
}

/** What one sample of a metric is, by the first part of its name. */
const NOUNS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    api: 'call',
    create_workspaces: 'workspace',
    dashboard: 'action',
  }),
);

/** `18 workspaces`: so many samples of a metric, in words. */
export function countedSamples(metric: string, count: number): string {
  return `${count} ${nounOf(metric, count)}`;
}

function nounOf(metric: string, count: number): string {
  const first = metric.split('.')[0] ?? '';
  const noun = isCliSuite(suiteOfMetric(metric)) ? 'run' : (NOUNS.get(first) ?? 'sample');
  return count === 1 ? noun : `${noun}s`;
}

/** `a P95 needs 59, so it needs 41 more workspaces`; undefined when there are enough. */
export function shortage(metric: string, expect: Expectation, count: number): string | undefined {
  const needed = samplesNeededFor(expect);
  if (needed === undefined || count >= needed || expect.aggregate.kind !== 'quantile') return undefined;
  return `a ${expect.aggregate.name.toUpperCase()} needs ${needed}, so it needs ${moreOf(metric, needed - count)}`;
}

const moreOf = (metric: string, missing: number): string => `${missing} more ${nounOf(metric, missing)}`;

/** What is missing for a criterion to be decidable, as a sentence; undefined when its plan can decide it. */
export function undecidable(criterion: Criterion): string | undefined {
  if (criterion.disabled || criterion.informational || criterion.plannedSamples === undefined)
    return undefined;
  const { id, expect, metric, plannedSamples: planned, minSamples = 0 } = criterion;
  if (planned < minSamples) {
    return `the criterion "${id}" wants at least ${minSamples} samples (min_samples), but ${planned} are planned: it needs ${moreOf(metric, minSamples - planned)}`;
  }
  const missing = shortage(metric, expect, planned);
  if (missing === undefined) return undefined;
  const more = metric.startsWith('api.')
    ? 'duration, the concurrency or the rate of the probe'
    : isCliSuite(suiteOfMetric(metric))
      ? 'flag of the suite that says how many'
      : 'count';
  return (
    `the criterion "${id}" (${expect.text}) cannot be decided with ${countedSamples(metric, planned)}: ` +
    `${missing}; raise the ${more}, use a "max" expectation, or mark it "informational: true"`
  );
}

/** Whether a criterion can pass by its plan, in words: `700 workspaces; a P95 needs 59`. */
export function samplePlan({ metric, expect, plannedSamples: planned, minSamples }: Criterion): string {
  const needed = samplesNeededFor(expect);
  if (planned === undefined)
    return needed === undefined
      ? ''
      : `a ${nameOf(expect)} needs ${needed}; how many come is seen in the run`;
  const missing = shortage(metric, expect, planned);
  const wanted = minSamples === undefined ? '' : `, ${minSamples} are wanted`;
  const counted = `${countedSamples(metric, planned)}${wanted}`;
  if (missing !== undefined) return `${counted}; ${missing} to pass`;
  return needed === undefined ? counted : `${counted}; a ${nameOf(expect)} needs ${needed}`;
}

const nameOf = ({ aggregate }: Expectation): string =>
  aggregate.kind === 'quantile' ? aggregate.name.toUpperCase() : aggregate.kind;
