import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { compareServer } from '../judge/server-comparison.js';
import { browserMetrics, browserProblem } from '../measure/browser-metrics.js';
import { countCauses } from '../measure/failure-cause.js';
import type { LoadSummary } from '../measure/load-summary.js';
import { describeMetric, type Metric } from '../measure/metric.js';
import { readResultFile } from '../measure/result-file.js';
import { ResultFileError } from '../measure/result-file-error.js';
import type { Runs } from '../measure/run-table.js';
import { trafficMetrics, trafficProblem } from '../measure/traffic-metrics.js';
import { describeRestarts, restartMetric } from '../measure/restarts.js';
import { SERVER_LATENCY_FILE, serverDelta } from '../measure/server-latency.js';
import {
  coverageProblem,
  OBSERVATION_FILE,
  withheldMetrics,
  workspaceMetrics,
  type GroupEvidence,
} from '../measure/workspace-metrics.js';
import { CLI_SUITES } from '../plan/cli-suites.js';
import { evidenceName, isCreateStep, isSuiteStep, stepName } from '../plan/steps.js';
import type { StepReport } from '../report/run-report.js';
import type { ServerReport } from '../report/server.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepOutcome } from '../run/run-types.js';
import { seconds } from '../units.js';
import type { World } from '../world.js';
import { readBrowsers } from './browser-evidence.js';
import { readFailedRuns, type FailedRun } from './failed-runs.js';
import { withFile } from './file-pieces.js';
import { writeWithoutLogs } from './result-evidence.js';
import { readLoad } from './load-evidence.js';
import type { RunStage } from './running.js';
import { measureSuites } from './suite-evidence.js';
import { attributeTime, type TimeReport } from './time-evidence.js';
import { readTraffic } from './traffic-evidence.js';

const FAILED_RUNS_FILE = 'failed-runs.json';
const METRICS_FILE = 'metrics.json';
/** What the CLI says at its end whatever the cause. */
const NO_CAUSE = /^(Encountered an error running|Uploading traces|Waiting \S+ for prometheus metrics)/;

export interface MeasureStage {
  readonly metrics: readonly Metric[];
  /** Of them, those that no criterion may be judged by, and why. */
  readonly withheld: Readonly<Record<string, string>>;
  readonly time: TimeReport;
  readonly steps: readonly StepReport[];
  /** Of the virtual users, where some came. */
  readonly load?: LoadSummary;
  readonly server: ServerReport;
  /** What makes the run worthless whatever the numbers say. */
  readonly problems: readonly string[];
}

/** From what the run left behind to metrics; everything that they rest on is kept as evidence. */
export async function measure(run: RunStage, results: ResultsDirectory, world: World): Promise<MeasureStage> {
  const read: StepReading[] = [];
  const { steps } = run.outcome;
  for (const outcome of steps.filter(({ driver }) => driver !== 'load'))
    read.push(await readStep(outcome, results, world));
  const load = await readLoad(run.outcome, results);
  const { observation } = run;
  const groups = read.flatMap((reading) => groupEvidence(reading) ?? []);
  const traffic = await readTraffic(read, groups, observation, results);
  const suites = await measureSuites(read, results);
  const browsers = await readBrowsers(read, results, world);
  const failedRuns = read.flatMap(({ failedRuns: failed }) => failed);
  if (failedRuns.length > 0) await results.writeJson(`evidence/${FAILED_RUNS_FILE}`, failedRuns);
  if (!('unusable' in observation)) await results.writeJson(OBSERVATION_FILE, observation);
  const workspaces = groups.length === 0 ? [] : workspaceMetrics(groups, observation);
  const ofTraffic = traffic === undefined ? [] : trafficMetrics(traffic, observation);
  const ofBrowsers = browsers === undefined ? [] : browserMetrics(browsers);
  const restarts = describeRestarts(run.server);
  const delta = serverDelta(run.server);
  const server: ServerReport = {
    delta,
    ...(restarts !== undefined && { restarts }),
    ...(load.result && { comparison: compareServer(load.result, delta) }),
  };
  await results.writeJson(SERVER_LATENCY_FILE, { schema: 1, ...server });
  const ofServer = restartMetric(run.server);
  const ofSuites = [...load.metrics, ...ofTraffic, ...ofBrowsers, ...suites.metrics];
  const metrics = [...workspaces, ...ofSuites, ofServer];
  // Again once the clean-up's are there; these stay should main not come to that.
  await writeMetrics(metrics, results);
  return {
    metrics,
    withheld: { ...withheldMetrics(workspaces, groups), ...withheldWhenAway(observation, metrics) },
    time: await attributeTime(groups, run, results),
    steps: steps.map((outcome) =>
      stepReport(outcome, read.find((one) => one.outcome === outcome)?.failedRuns ?? []),
    ),
    ...(load.summary && { load: load.summary }),
    server,
    problems: [
      ...groups.flatMap((group) => coverageProblem(group) ?? []),
      ...load.problems,
      ...(traffic === undefined ? [] : [trafficProblem(traffic)]).flatMap((problem) => problem ?? []),
      ...suites.problems,
      ...(browsers === undefined ? [] : [browserProblem(browsers)]).flatMap((problem) => problem ?? []),
    ],
  };
}

/**
 * Of a deployment that was gone at the end of the load nobody can say when it went, nor what of the failures is its end
 * and what its slowness. So everything is shown, and nothing is judged.
 */
function withheldWhenAway(
  observation: RunStage['observation'],
  metrics: readonly Metric[],
): Readonly<Record<string, string>> {
  if (!('unusable' in observation) || !observation.isAway) return {};
  const reason = `the deployment did not answer any more at the end of the load: ${observation.unusable}`;
  return Object.fromEntries(metrics.map(({ name }) => [name, reason]));
}

export function writeMetrics(metrics: readonly Metric[], results: ResultsDirectory): Promise<void> {
  return results.writeJson(METRICS_FILE, { schema: 1, metrics: metrics.map(describeMetric) });
}

export interface StepReading {
  readonly outcome: StepOutcome;
  readonly runs: Runs | { readonly unusable: string };
  /** Where the result file without its logs is kept. */
  readonly evidence: string;
  readonly failedRuns: readonly FailedRun[];
}

async function readStep(outcome: StepOutcome, results: ResultsDirectory, world: World): Promise<StepReading> {
  const { step, resultFile } = outcome;
  const name = stepName(step);
  const evidence = `evidence/${evidenceName(step)}.json`;
  if (resultFile === undefined)
    return { outcome, evidence, runs: { unusable: noResult(outcome) }, failedRuns: [] };
  try {
    const file = await withFile(resultFile, readResultFile);
    await writeWithoutLogs(resultFile, `${results.path}/${evidence}`, file, world.redactor);
    const failedRuns = await readFailedRuns(resultFile, name, file, world.redactor);
    const keepsLogs = !isSuiteStep(step) || CLI_SUITES[step.suite].secretLogs !== true;
    return {
      outcome,
      evidence,
      runs: file.runs,
      failedRuns: keepsLogs ? failedRuns : failedRuns.map((run) => ({ ...run, logTail: '' })),
    };
  } catch (thrown) {
    if (!(thrown instanceof ResultFileError)) throw thrown;
    const { size } = await stat(resultFile);
    world.log.debug(`${resultFile} has ${size} bytes`);
    const unusable = `${name}: the result file ${thrown.truncated ? 'is truncated' : 'cannot be used'} (${size} bytes): ${messageOf(thrown)}`;
    return { outcome, evidence, runs: { unusable }, failedRuns: [] };
  }
}

/** A step's reading as evidence of a group; undefined for a step that creates no workspaces. */
function groupEvidence({ outcome, runs, evidence }: StepReading): GroupEvidence | undefined {
  const { step, driver } = outcome;
  if (!isCreateStep(step) || driver === 'load') return undefined;
  return { driver, group: step.group, template: step.template, planned: step.count, evidence, runs };
}

function noResult(outcome: StepOutcome): string {
  const { step, exitCode, exitSignal, endedBy, lastWords } = outcome;
  const how =
    endedBy === 'deadline'
      ? 'was stopped at its deadline'
      : endedBy === 'cancel'
        ? 'was cancelled'
        : endedBy === 'early'
          ? 'was ended early'
          : exitCode !== undefined
            ? `exited with ${exitCode}`
            : exitSignal !== undefined
              ? `was ended by ${exitSignal}`
              : 'could not be run';
  const words = lastWords
    .filter((line) => !NO_CAUSE.test(line))
    .slice(-3)
    .join(' ');
  return `${stepName(step)}: the suite ${how} without a result file${words === '' ? '' : `: ${words}`}`;
}

function stepReport(outcome: StepOutcome, failedRuns: readonly FailedRun[]): StepReport {
  return {
    group: stepName(outcome.step),
    driver: outcome.driver,
    seconds: seconds((outcome.endedAt.getTime() - outcome.startedAt.getTime()) / 1000),
    ...(outcome.exitCode !== undefined && { exitCode: outcome.exitCode }),
    ...(outcome.exitSignal !== undefined && { exitSignal: outcome.exitSignal }),
    endedBy: outcome.endedBy,
    causes: countCauses(failedRuns.map(({ cause }) => cause)),
  };
}
