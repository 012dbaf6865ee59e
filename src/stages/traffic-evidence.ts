import { countRuns, hasPassed } from '../measure/run-table.js';
import { isAlive } from '../measure/stages.js';
import type { TrafficEvidence } from '../measure/traffic-metrics.js';
import type { GroupEvidence } from '../measure/workspace-metrics.js';
import { isTrafficStep } from '../plan/steps.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepReading } from './measuring.js';
import { readPage } from './page-evidence.js';
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
    made += countRuns(runs, hasPassed);
  }
  return made;
}
