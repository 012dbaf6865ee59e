import type { Metric } from '../measure/metric.js';
import type { Criterion } from '../plan/plan-types.js';
import { judgeCriterion } from './criterion.js';
import { decide, type Verdict } from './verdict.js';

/** What happened beside the numbers. */
export interface Circumstances {
  /** What makes the whole run worthless, whatever the criteria say: a sentence each. */
  readonly problems: readonly string[];
  /** Metrics that show a part of a load only, so that no criterion is judged by them, and why. */
  readonly withheld?: Readonly<Record<string, string>>;
  /** The sentence of a cancelled job. */
  readonly cancelled?: string;
}

/** From metrics and criteria to the verdict. */
export function judgeRun(
  criteria: readonly Criterion[],
  metrics: readonly Metric[],
  { problems, withheld = {}, cancelled }: Circumstances,
): Verdict {
  // What a cancelled run shows is a part of the load, which no criterion is about.
  if (cancelled !== undefined) return decide([], [], cancelled);
  const byName = new Map(
    metrics.map((metric): [string, Metric] => {
      const reason = withheld[metric.name];
      return [metric.name, reason === undefined ? metric : { name: metric.name, shape: 'missing', reason }];
    }),
  );
  const results = criteria.map((criterion) => judgeCriterion(criterion, byName));
  return decide(results, problems);
}

const isAboutCleanup = (metric: string): boolean => metric.startsWith('cleanup.');

/** The criteria of a run, without those about a clean-up that did not run before it was judged. */
export function applicableCriteria(
  criteria: readonly Criterion[],
  metrics: readonly Metric[],
): readonly Criterion[] {
  const isCleaned = metrics.some(({ name }) => isAboutCleanup(name));
  return criteria.filter(({ metric }) => isCleaned || !isAboutCleanup(metric));
}

/** What is judged where only evidence was to be collected: that nothing was left. */
export const cleanupCriteria = (criteria: readonly Criterion[]): readonly Criterion[] =>
  criteria.filter(({ metric }) => isAboutCleanup(metric));
