import { isCliSuite } from './cli-suites.js';
import { suiteOfMetric } from './metric-names.js';
import type { Criterion } from './plan-types.js';

const CONFIDENCE = 0.95;

/**
 * The smallest number of samples with which a quantile can be shown to be below a limit at 95 % confidence: the first
 * n with 1 - q^n >= 0.95 (P95: 59, P99: 299). Hahn and Meeker, Statistical Intervals, on distribution-free bounds.
 */
export function samplesNeeded(q: number): number {
  return Math.ceil(Math.log(1 - CONFIDENCE) / Math.log(q) - 1e-9);
}

/** What is missing for a criterion to be decidable, as a sentence; undefined when its plan can decide it. */
export function undecidable(criterion: Criterion): string | undefined {
  if (criterion.disabled || criterion.informational || criterion.plannedSamples === undefined)
    return undefined;
  const planned = criterion.plannedSamples;
  if (criterion.minSamples !== undefined && planned < criterion.minSamples) {
    return `the criterion "${criterion.id}" wants at least ${criterion.minSamples} samples (min_samples), but ${planned} are planned`;
  }
  const { aggregate } = criterion.expect;
  if (aggregate.kind !== 'quantile') return undefined;
  // A lower bound of a quantile ("p95 > 1s") is decided from the other side.
  const isUpperLimit = criterion.expect.operator !== '>' && criterion.expect.operator !== '>=';
  const needed = samplesNeeded(isUpperLimit ? aggregate.q : 1 - aggregate.q);
  if (planned >= needed) return undefined;
  const [what, more] = criterion.metric.startsWith('api.')
    ? ['calls', 'duration or the concurrency']
    : isCliSuite(suiteOfMetric(criterion.metric))
      ? ['runs', 'flag of the suite that says how many']
      : ['workspaces', 'count'];
  return (
    `the criterion "${criterion.id}" (${criterion.expect.text}) cannot be decided with ${planned} ${what}: ` +
    `a ${aggregate.name.toUpperCase()} needs ${needed}, ${needed - planned} more; raise the ${more}, ` +
    `use a "max" expectation, or mark it "informational: true"`
  );
}
