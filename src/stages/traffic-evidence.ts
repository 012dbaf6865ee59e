import { readFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { isAlive } from '../measure/stages.js';
import type { MetricsPage, TrafficEvidence } from '../measure/traffic-metrics.js';
import type { GroupEvidence } from '../measure/workspace-metrics.js';
import { isTrafficStep } from '../plan/steps.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepOutcome } from '../run/run-types.js';
import type { StepReading } from './measuring.js';
import type { RunStage } from './running.js';

/** What the suite workspace-traffic left behind; undefined where it was not run. */
export async function readTraffic(
  read: readonly StepReading[],
  groups: readonly GroupEvidence[],
  observation: RunStage['observation'],
  results: ResultsDirectory,
): Promise<TrafficEvidence | undefined> {
  const reading = read.find(({ outcome }) => isTrafficStep(outcome.step));
  if (reading === undefined || !isTrafficStep(reading.outcome.step)) return undefined;
  const { step } = reading.outcome;
  return {
    expected: workspacesMade(groups, observation),
    bytesPerTick: step.bytesPerTick,
    tickInterval: step.tickInterval,
    duration: step.timeout,
    echoes: !step.mode.startsWith('app:'),
    runs: reading.runs,
    evidence: reading.evidence,
    page: await readPage(reading.outcome, results),
  };
}

/** A run that passed made a workspace whose agents are all connected. Without the runs, the server tells. */
function workspacesMade(
  groups: readonly GroupEvidence[],
  observation: RunStage['observation'],
): TrafficEvidence['expected'] {
  let made = 0;
  for (const { runs } of groups) {
    if ('unusable' in runs)
      return 'unusable' in observation ? runs : observation.workspaces.filter(isAlive).length;
    made += runs.filter(({ error }) => error === undefined).length;
  }
  return made;
}

/** A suite's metrics page, as it was kept. */
export async function readPage(
  { metricsPage }: StepOutcome,
  results: ResultsDirectory,
): Promise<MetricsPage | { readonly unusable: string }> {
  if (metricsPage === undefined) return { unusable: 'the metrics page was not read' };
  if ('unusable' in metricsPage) return metricsPage;
  try {
    const text = await readFile(`${results.path}/${metricsPage.file}`, 'utf8');
    return { text, isFinal: metricsPage.isFinal, evidence: metricsPage.file };
  } catch (thrown) {
    return { unusable: `the metrics page could not be read: ${messageOf(thrown)}` };
  }
}
