import {
  PROVISIONER_STAGES,
  type BuildTimings,
  type ObservedBuild,
  type ObservedWorkspace,
  type ProvisionerStage,
} from '../evidence.js';
import type { RunRecord } from './run-table.js';
import { secondsBetween } from './stages.js';

/**
 * What the time until a workspace is there is made of, in the order of its happening:
 * - `user`: from the user's creation to the request for the workspace, with the user's sign-in;
 * - `attempts`: builds that failed, until the one that succeeded was asked for;
 * - `queue`: until a provisioner took the build;
 * - `init`, `plan`, `graph`, `apply`: the provisioner's stages; `between`: what else the build took;
 *   `build`: the whole of a build whose stages are not known;
 * - `agent`: from the end of the build until the slowest agent was connected;
 * - `client`: what the driver's clock has beyond all that: its requests, and the grain of its polling.
 */
export const PARTS = [
  'user',
  'attempts',
  'queue',
  'build',
  ...PROVISIONER_STAGES,
  'between',
  'agent',
  'client',
] as const;
export type Part = (typeof PARTS)[number];
export type Parts = Readonly<Partial<Record<Part, number>>>;

/** The parts that a build consists of. */
export const BUILD_PARTS: readonly Part[] = ['build', ...PROVISIONER_STAGES, 'between'];

/** Where one workspace's time went; in seconds. */
export interface WorkspaceTime {
  readonly workspace: string;
  readonly owner: string;
  readonly build: number;
  readonly buildId: string;
  /** What its parts add up to: by the driver's clock where its run is known, else by the server's. */
  readonly total: number;
  readonly parts: Parts;
  /** By the server's clock, from the first build's request until every agent was connected. */
  readonly serverSpan: number;
  /** By the driver's clock; absent where its run is not known. */
  readonly driverSpan?: number;
  /** From the first to the last of its start-up scripts; they run after it is there. Absent where they are not known, or none ran. */
  readonly scripts?: number;
  readonly scriptsBlockLogin?: true;
}

export interface TimeEvidence {
  readonly run?: RunRecord;
  readonly timings?: BuildTimings;
  /** Of a scale-test user. */
  readonly ownerCreatedAt?: string;
}

/** @returns undefined for a workspace that was not built or whose agents did not connect. */
export function workspaceTime(
  workspace: ObservedWorkspace,
  { run, timings, ownerCreatedAt }: TimeEvidence,
): WorkspaceTime | undefined {
  const [first] = workspace.builds;
  const last = workspace.builds.at(-1);
  const connectedAt = lastConnection(workspace);
  if (first === undefined || last === undefined || connectedAt === undefined) return undefined;
  const { startedAt, completedAt } = last;
  if (last.status !== 'succeeded' || startedAt === undefined || completedAt === undefined) return undefined;
  const build = secondsBetween(startedAt, completedAt);
  const onServer: Parts = {
    ...(first !== last && { attempts: secondsBetween(first.createdAt, last.createdAt) }),
    queue: secondsBetween(last.createdAt, startedAt),
    ...partsOfBuild(build, timings),
    agent: secondsBetween(completedAt, connectedAt),
  };
  const serverSpan = sumOf(onServer);
  const parts =
    run === undefined ? onServer : { ...onServer, ...outside(run, serverSpan, first, ownerCreatedAt) };
  return {
    workspace: workspace.name,
    owner: workspace.owner,
    build: last.number,
    buildId: last.id,
    total: sumOf(parts),
    parts,
    serverSpan,
    ...(run && { driverSpan: run.duration / 1000 }),
    ...scriptsOf(workspace, timings),
  };
}

export const sumOf = (parts: Parts): number => PARTS.reduce((sum, part) => sum + (parts[part] ?? 0), 0);

/** When the slowest agent was connected; undefined when one never was. */
function lastConnection({ agents }: ObservedWorkspace): string | undefined {
  const times = agents.map(({ firstConnectedAt }) => firstConnectedAt);
  return times.reduce((latest, time) => {
    if (latest === undefined || time === undefined) return undefined;
    return Date.parse(time) > Date.parse(latest) ? time : latest;
  }, times[0]);
}

/**
 * The stages of a build. They follow each other in every version that was seen; where they overlap, what a stage shares
 * with one that began earlier is that one's, so that nothing counts twice. Provisioners have clocks of their own, so
 * only lengths are used.
 */
function partsOfBuild(build: number, timings: BuildTimings | undefined): Parts {
  if (timings === undefined || timings.stages.length === 0) return { build };
  const parts: Partial<Record<ProvisionerStage, number>> = {};
  let end = -Infinity;
  let known = 0;
  const inOrder = timings.stages
    .map(({ stage, startedAt, endedAt }) => ({ stage, from: Date.parse(startedAt), to: Date.parse(endedAt) }))
    .sort((a, b) => a.from - b.from);
  for (const { stage, from, to } of inOrder) {
    const seconds = Math.max(0, to - Math.max(from, end)) / 1000;
    parts[stage] = seconds;
    known += seconds;
    end = Math.max(end, to);
  }
  return { ...parts, between: Math.max(0, build - known) };
}

/** What the driver's clock has and the server's has not. */
function outside(
  run: RunRecord,
  serverSpan: number,
  first: ObservedBuild,
  ownerCreatedAt: string | undefined,
): Parts {
  const beyond = Math.max(0, run.duration / 1000 - serverSpan);
  if (ownerCreatedAt === undefined) return { client: beyond };
  const user = Math.min(beyond, secondsBetween(ownerCreatedAt, first.createdAt));
  return { user, client: beyond - user };
}

/** Scripts whose end is not there yet have no time: then nothing is said of the workspace's scripts. */
function scriptsOf(
  { agents }: ObservedWorkspace,
  timings: BuildTimings | undefined,
): Pick<WorkspaceTime, 'scripts' | 'scriptsBlockLogin'> {
  const planned = agents.flatMap(({ startScripts }) => startScripts);
  const scripts = timings?.scripts ?? [];
  if (scripts.length === 0 || scripts.length < planned.length) return {};
  const longest = agents.map(({ id }) => {
    const own = scripts.filter(({ agentId }) => agentId === id);
    if (own.length === 0) return 0;
    const begin = Math.min(...own.map(({ startedAt }) => Date.parse(startedAt)));
    return (Math.max(...own.map(({ endedAt }) => Date.parse(endedAt))) - begin) / 1000;
  });
  return {
    scripts: Math.max(0, ...longest),
    ...(planned.some(({ blocksLogin }) => blocksLogin) && { scriptsBlockLogin: true }),
  };
}
