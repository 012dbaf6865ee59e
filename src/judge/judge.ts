import type { Metric } from '../measure/metric.js';
import type { Criterion } from '../plan/plan-types.js';
import { judgeCriterion } from './criterion.js';
import { decide, type Verdict } from './verdict.js';

/** What happened beside the numbers. */
export interface Circumstances {
  /** What makes the whole run worthless, whatever the criteria say: a sentence each. */
  readonly problems: readonly string[];
  /** The sentence of a cancelled job. */
  readonly cancelled?: string;
}

/** From metrics and criteria to the verdict. */
export function judgeRun(
  criteria: readonly Criterion[],
  metrics: readonly Metric[],
  circumstances: Circumstances,
): Verdict {
  // What a cancelled run shows is a part of the load, which no criterion is about.
  if (circumstances.cancelled !== undefined) return decide([], [], circumstances.cancelled);
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  const results = criteria.map((criterion) => judgeCriterion(criterion, byName));
  return decide(results, circumstances.problems);
}
