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

/** The stages of the build that made a workspace; retries count as the time of the last attempt. */
export function stagesOf(workspace: ObservedWorkspace): Stages {
  const build = workspace.builds.at(-1);
  if (build === undefined) return NEVER;
  return {
    queue: span(build.createdAt, build.startedAt),
    build: build.status === 'succeeded' ? span(build.startedAt, build.completedAt) : Infinity,
    agent: slowest(workspace, (agent) => span(agent.createdAt, agent.firstConnectedAt)),
    ready: slowest(workspace, (agent) => span(build.createdAt, agent.readyAt)),
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
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

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

export type StageName = 'queue' | 'build' | 'agent';

/** What the slowest workspaces of a group spent their time on. */
export interface TimeShare {
  readonly group: string;
  readonly workspaces: number;
  readonly shares: Readonly<Record<StageName, number>>;
}

const SLOWEST_SHARE = 0.05;

/** The shares of the stages in the time of the slowest 5 % of the workspaces that were built (at least one). */
export function timeShare(group: string, workspaces: readonly ObservedWorkspace[]): TimeShare | undefined {
  const total = ({ queue, build, agent }: Stages): number => queue + build + agent;
  const built = workspaces.map(stagesOf).filter((stages) => Number.isFinite(total(stages)));
  const slowestFirst = built
    .sort((a, b) => total(b) - total(a))
    .slice(0, Math.max(1, Math.ceil(built.length * SLOWEST_SHARE)));
  const sum = slowestFirst.reduce((all, stages) => all + total(stages), 0);
  if (sum <= 0) return undefined;
  const share = (name: StageName): number =>
    slowestFirst.reduce((all, stages) => all + stages[name], 0) / sum;
  return {
    group,
    workspaces: slowestFirst.length,
    shares: { queue: share('queue'), build: share('build'), agent: share('agent') },
  };
}
