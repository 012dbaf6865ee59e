import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { countCauses } from '../measure/failure-cause.js';
import { ResultFileError } from '../measure/json-window.js';
import type { Metric } from '../measure/metric.js';
import { readResultFile } from '../measure/result-file.js';
import { timeShare, type TimeShare } from '../measure/stages.js';
import {
  coverageProblem,
  judgeable,
  observedOf,
  OBSERVATION_FILE,
  workspaceMetrics,
  type GroupEvidence,
} from '../measure/workspace-metrics.js';
import type { StepReport } from '../report/run-report.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepOutcome } from '../run/run-types.js';
import { seconds } from '../units.js';
import type { World } from '../world.js';
import { readFailedRuns, type FailedRun } from './failed-runs.js';
import { readChunks } from './file-pieces.js';
import { writeWithoutLogs } from './result-evidence.js';
import type { RunStage } from './running.js';

const FAILED_RUNS_FILE = 'failed-runs.json';
export const METRICS_FILE = 'metrics.json';

export interface MeasureStage {
  readonly metrics: readonly Metric[];
  /** The same, without what no criterion may be judged by. */
  readonly judgeable: readonly Metric[];
  readonly timeShares: readonly TimeShare[];
  readonly steps: readonly StepReport[];
  /** What makes the run worthless whatever the numbers say. */
  readonly problems: readonly string[];
}

/** From what the run left behind to metrics; everything that they rest on is kept as evidence. */
export async function measure(
  run: RunStage,
  results: ResultsDirectory,
  secrets: readonly string[],
  world: World,
): Promise<MeasureStage> {
  const read = [];
  for (const outcome of run.outcome.steps) read.push(await readStep(outcome, results, secrets, world));
  const groups = read.map(({ group }) => group);
  const failedRuns = read.flatMap(({ failedRuns: failed }) => failed);
  if (failedRuns.length > 0) await results.writeJson(`evidence/${FAILED_RUNS_FILE}`, failedRuns);
  if (!('unusable' in run.observation)) await results.writeJson(OBSERVATION_FILE, run.observation);
  const metrics = workspaceMetrics(groups, run.observation);
  await results.writeJson(METRICS_FILE, { schema: 1, metrics });
  const observation = run.observation;
  return {
    metrics,
    judgeable: judgeable(metrics, groups),
    timeShares:
      'unusable' in observation
        ? []
        : groups.flatMap(
            (group) => timeShare(group.group, observedOf({ groups: [group] }, observation)) ?? [],
          ),
    steps: read.map(({ outcome, failedRuns: failed }) => stepReport(outcome, failed)),
    problems: groups.flatMap((group) => coverageProblem(group) ?? []),
  };
}

interface StepReading {
  readonly outcome: StepOutcome;
  readonly group: GroupEvidence;
  readonly failedRuns: readonly FailedRun[];
}

async function readStep(
  outcome: StepOutcome,
  results: ResultsDirectory,
  secrets: readonly string[],
  world: World,
): Promise<StepReading> {
  const { step } = outcome;
  const evidence = `evidence/${step.suite}.${step.group}.json`;
  const group = {
    driver: outcome.driver,
    group: step.group,
    template: step.template,
    planned: step.count,
    evidence,
  };
  const { resultFile } = outcome;
  if (resultFile === undefined)
    return { outcome, group: { ...group, runs: { unusable: noResult(outcome) } }, failedRuns: [] };
  try {
    const file = await readResultFile(() => readChunks(resultFile));
    await writeWithoutLogs(resultFile, `${results.path}/${evidence}`, file, secrets);
    const failedRuns = await readFailedRuns(resultFile, step.group, file, secrets);
    return { outcome, group: { ...group, runs: file.runs }, failedRuns };
  } catch (thrown) {
    if (!(thrown instanceof ResultFileError)) throw thrown;
    const { size } = await stat(resultFile);
    world.log.debug(`${resultFile} has ${size} bytes`);
    const unusable = `${step.group}: the result file ${thrown.truncated ? 'is truncated' : 'cannot be used'} (${size} bytes): ${messageOf(thrown)}`;
    return { outcome, group: { ...group, runs: { unusable } }, failedRuns: [] };
  }
}

function noResult(outcome: StepOutcome): string {
  const { step, exitCode, exitSignal, endedBy, lastWords } = outcome;
  const how =
    endedBy === 'deadline'
      ? 'was stopped at its deadline'
      : endedBy === 'cancel'
        ? 'was cancelled'
        : exitCode !== undefined
          ? `exited with ${exitCode}`
          : exitSignal !== undefined
            ? `was ended by ${exitSignal}`
            : 'could not be run';
  const words = lastWords
    .filter((line) => !line.startsWith('Encountered an error running'))
    .slice(-3)
    .join(' ');
  return `${step.group}: the suite ${how} without a result file${words === '' ? '' : `: ${words}`}`;
}

function stepReport(outcome: StepOutcome, failedRuns: readonly FailedRun[]): StepReport {
  return {
    group: outcome.step.group,
    driver: outcome.driver,
    seconds: seconds((outcome.endedAt.getTime() - outcome.startedAt.getTime()) / 1000),
    ...(outcome.exitCode !== undefined && { exitCode: outcome.exitCode }),
    ...(outcome.exitSignal !== undefined && { exitSignal: outcome.exitSignal }),
    endedBy: outcome.endedBy,
    causes: countCauses(failedRuns.map(({ cause }) => cause)),
  };
}
