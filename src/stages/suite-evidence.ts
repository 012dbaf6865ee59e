import { suiteMetrics, suiteProblem, type SuiteEvidence } from '../measure/suite-metrics.js';
import type { Metric } from '../measure/metric.js';
import { CLI_SUITES } from '../plan/cli-suites.js';
import { isSuiteStep } from '../plan/steps.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepReading } from './measuring.js';
import { readPage } from './page-evidence.js';

export interface SuitesMeasured {
  readonly metrics: readonly Metric[];
  readonly problems: readonly string[];
}

/** What the CLI's other suites left behind, measured. */
export async function measureSuites(
  read: readonly StepReading[],
  results: ResultsDirectory,
): Promise<SuitesMeasured> {
  const evidence = await Promise.all(read.map((reading) => evidenceOf(reading, results)));
  const suites = evidence.filter((one) => one !== undefined);
  return {
    metrics: suites.flatMap(suiteMetrics),
    problems: suites.flatMap((one) => suiteProblem(one) ?? []),
  };
}

async function evidenceOf(
  { outcome, runs, evidence }: StepReading,
  results: ResultsDirectory,
): Promise<SuiteEvidence | undefined> {
  const { step, metricsPage } = outcome;
  if (!isSuiteStep(step)) return undefined;
  return {
    suite: step.suite,
    planned: step.plannedRuns,
    runs,
    evidence,
    notMeasured: CLI_SUITES[step.suite].notMeasured ?? [],
    ...(metricsPage !== undefined && { page: await readPage(outcome, results) }),
  };
}
