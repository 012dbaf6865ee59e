import type { ObservedAgent, ObservedBuild, ObservedWorkspace } from '../../src/evidence.js';

export const at = (seconds: number): string =>
  new Date(Date.UTC(2026, 0, 5, 6) + seconds * 1000).toISOString();

/** Asked for at 0, started after `queue`, built after `build`, connected after `agent`, ready after `scripts`. */
export interface Timing {
  readonly begin?: number;
  readonly queue?: number;
  readonly build?: number;
  readonly agent?: number;
  readonly scripts?: number;
}

export function buildOf(
  { begin = 0, queue = 1, build = 10 }: Timing = {},
  changes: Partial<ObservedBuild> = {},
): ObservedBuild {
  return {
    id: 'build',
    number: 1,
    status: 'succeeded',
    createdAt: at(begin),
    startedAt: at(begin + queue),
    completedAt: at(begin + queue + build),
    ...changes,
  };
}

export function agentOf(
  { begin = 0, queue = 1, build = 10, agent = 2, scripts = 1 }: Timing = {},
  changes: Partial<ObservedAgent> = {},
): ObservedAgent {
  const built = begin + queue + build;
  return {
    id: 'agent',
    startScripts: [],
    status: 'connected',
    createdAt: at(built),
    firstConnectedAt: at(built + agent),
    readyAt: at(built + agent + scripts),
    ...changes,
  };
}

export function workspaceOf(
  timing: Timing = {},
  changes: Partial<ObservedWorkspace> = {},
): ObservedWorkspace {
  return {
    id: 'workspace',
    name: 'scaletest-AbCdEfGh-0',
    owner: 'scaletest-AbCdEfGh-0',
    template: 'pod-swdev',
    createdAt: at(timing.begin ?? 0),
    builds: [buildOf(timing)],
    agents: [agentOf(timing)],
    status: 'running',
    ...changes,
  };
}
