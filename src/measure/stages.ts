import type { ObservedBuild, ObservedWorkspace } from '../evidence.js';

/** Where one workspace's time went, by the server's clock; in seconds. Infinite where a stage never ended. */
export interface Stages {
  readonly queue: number;
  readonly build: number;
  readonly agent: number;
  /** The whole span, from the build's request until every agent's start-up scripts were done. */
  readonly ready: number;
}

export const NEVER: Stages = { queue: Infinity, build: Infinity, agent: Infinity, ready: Infinity };

/** The stages of the build that made a workspace, which is the last attempt; `ready` counts from the first one's request. */
export function stagesOf(workspace: ObservedWorkspace): Stages {
  const [first] = workspace.builds;
  const build = workspace.builds.at(-1);
  if (first === undefined || build === undefined) return NEVER;
  return {
    queue: span(build.createdAt, build.startedAt),
    build: build.status === 'succeeded' ? span(build.startedAt, build.completedAt) : Infinity,
    agent: slowest(workspace, (agent) => span(agent.createdAt, agent.firstConnectedAt)),
    ready: slowest(workspace, (agent) => span(first.createdAt, agent.readyAt)),
  };
}

function slowest(
  workspace: ObservedWorkspace,
  spanOf: (agent: ObservedWorkspace['agents'][number]) => number,
): number {
  return workspace.agents.length === 0 ? Infinity : Math.max(...workspace.agents.map(spanOf));
}

function span(from: string | undefined, to: string | undefined): number {
  if (from === undefined || to === undefined) return Infinity;
  return secondsBetween(from, to);
}

/** Never negative: several replicas of the server may have clocks that differ a little. */
export const secondsBetween = (from: string, to: string): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

/** When a build occupied a provisioner. */
export function buildInterval(
  build: ObservedBuild,
  observedAt: string,
): { from: number; to: number } | undefined {
  if (build.startedAt === undefined) return undefined;
  return { from: Date.parse(build.startedAt), to: Date.parse(build.completedAt ?? observedAt) };
}

/** Built, and every agent connected at the moment of the observation. */
export function isAlive(workspace: ObservedWorkspace): boolean {
  return (
    workspace.status === 'running' &&
    workspace.agents.length > 0 &&
    workspace.agents.every(({ status }) => status === 'connected')
  );
}

export const passedAtFirst = (workspace: ObservedWorkspace): boolean =>
  workspace.builds[0]?.status === 'succeeded';
