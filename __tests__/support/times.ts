import type {
  BuildTimings,
  ObservedTimings,
  ObservedWorkspace,
  ProvisionerStage,
} from '../../src/evidence.js';
import type { RunRecord } from '../../src/measure/run-table.js';
import type { GroupEvidence } from '../../src/measure/workspace-metrics.js';
import { milliseconds } from '../../src/units.js';
import { agentOf, at, buildOf, workspaceOf, type Timing } from './observed.js';

/** A run that passed after so many seconds. */
export const runOf = (index: number, seconds: number, changes: Partial<RunRecord> = {}): RunRecord => ({
  id: `workspacebuild/${index}`,
  startedAt: new Date(at(0)),
  duration: milliseconds(seconds * 1000),
  ...changes,
});

/** Workspace number `index`, with the ids of its build and agent made of that number. */
export function numbered(
  index: number,
  timing: Timing = {},
  changes: Partial<ObservedWorkspace> = {},
): ObservedWorkspace {
  return workspaceOf(timing, {
    name: `scaletest-AbCdEfGh-${index}`,
    owner: `scaletest-ZyXwVuTs-${index}`,
    builds: [buildOf(timing, { id: `build-${index}` })],
    agents: [agentOf(timing, { id: `agent-${index}` })],
    ...changes,
  });
}

/** Stages by their beginnings and ends, in seconds after the same moment as those of `Timing`. */
export function timingsOf(
  buildId: string,
  stages: Partial<Record<ProvisionerStage, readonly [from: number, to: number]>>,
  scripts: readonly (readonly [agentId: string, from: number, to: number])[] = [],
): BuildTimings {
  const order: readonly ProvisionerStage[] = ['init', 'plan', 'graph', 'apply'];
  return {
    buildId,
    stages: order.flatMap((stage) => {
      const extent = stages[stage];
      return extent === undefined
        ? []
        : [{ stage, startedAt: at(extent[0]), endedAt: at(extent[1]), intervals: 3 }];
    }),
    scripts: scripts.map(([agentId, from, to]) => ({
      agentId,
      name: 'Startup Script',
      status: 'ok',
      startedAt: at(from),
      endedAt: at(to),
    })),
  };
}

export const NO_TIMINGS: ObservedTimings = { builds: [], ownersCreatedAt: {} };

export function groupOf(
  runs: GroupEvidence['runs'],
  planned = 'unusable' in runs ? 10 : runs.length,
): GroupEvidence {
  return {
    group: 'pods',
    template: 'pod-swdev',
    planned,
    driver: 'cli',
    runs,
    evidence: 'evidence/create-workspaces.pods.json',
  };
}
