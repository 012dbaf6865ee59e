import type { LoadResult } from '../load/load-types.js';
import { LOAD_FILE, loadMetrics, loadProblem } from '../measure/load-metrics.js';
import { summarizeLoad, type LoadSummary } from '../measure/load-summary.js';
import type { Metric } from '../measure/metric.js';
import { dashboardMetricNames } from '../plan/dashboard.js';
import { dashboardStepOf } from '../plan/steps.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { PlanOutcome } from '../run/run-types.js';

export interface LoadReading {
  readonly metrics: readonly Metric[];
  readonly problems: readonly string[];
  readonly summary?: LoadSummary;
  readonly result?: LoadResult;
}

/** Keeps what the virtual users found as evidence, and measures by it. */
export async function readLoad({ plan, load }: PlanOutcome, results: ResultsDirectory): Promise<LoadReading> {
  const step = dashboardStepOf(plan);
  if (step === undefined) return { metrics: [], problems: [] };
  const names = dashboardMetricNames(step);
  const outcome = load ?? { unusable: 'dashboard: the API load did not begin' };
  if ('unusable' in outcome) return { metrics: loadMetrics(outcome, names), problems: [outcome.unusable] };
  await results.writeJson(LOAD_FILE, outcome);
  const evidence = { ...outcome, planned: step.duration };
  return {
    metrics: loadMetrics(evidence, names),
    problems: [loadProblem(evidence)].filter((problem) => problem !== undefined),
    summary: summarizeLoad(outcome.result),
    result: outcome.result,
  };
}
