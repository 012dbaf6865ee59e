import { forEachConcurrently } from '../concurrency.js';
import { messageOf } from '../errors.js';
import {
  PROVISIONER_STAGES,
  type BuildTimings,
  type ObservedTimings,
  type ObservedWorkspace,
  type StageExtent,
} from '../evidence.js';
import type { CoderApi } from './api.js';
import type { RawBuildTimings } from './api-schemas.js';
import { ApiError } from './http.js';
import { listScaletestUsers, type Scope } from './scaletest-resources.js';

/** Each build has a path, and so a bucket of the rate limiter, of its own; coderd has ten database connections. */
const PARALLEL_READS = 8;
/** So many refusals one after the other, and the rest would be refused too. */
const MOST_FAILURES_IN_A_ROW = 10;

/**
 * The parts of every build that made a workspace. The slowest are read first, so that what matters most is there when
 * the time runs out. Never throws: what could not be read is counted, with the reason.
 */
export async function observeTimings(
  api: CoderApi,
  workspaces: readonly ObservedWorkspace[],
  scope: Scope,
  signal: AbortSignal,
): Promise<ObservedTimings> {
  const buildIds = slowestFirst(workspaces);
  const read = new Map<string, BuildTimings>();
  const reasons: string[] = [];
  const failures = { inARow: 0 };
  const isStopped = (): boolean => signal.aborted;
  await forEachConcurrently(buildIds, PARALLEL_READS, async (id) => {
    if (isStopped() || failures.inARow >= MOST_FAILURES_IN_A_ROW) return;
    try {
      read.set(id, reduceTimings(id, await api.buildTimings(id, signal)));
      failures.inARow = 0;
    } catch (thrown) {
      if (isStopped()) return;
      reasons.push(sentenceOf(thrown));
      failures.inARow = isUnknownRoute(thrown) ? MOST_FAILURES_IN_A_ROW : failures.inARow + 1;
    }
  });
  const missing = buildIds.length - read.size;
  const reason = isStopped() ? interruption(signal) : reasons.at(-1);
  return {
    builds: buildIds.flatMap((id) => read.get(id) ?? []),
    ...(missing > 0 && { unread: { builds: missing, reason: reason ?? 'nothing was answered' } }),
    ownersCreatedAt: await ownersCreatedAt(api, scope, signal),
  };
}

/** Nothing was read, for a reason that is known beforehand. */
export function unreadTimings(workspaces: readonly ObservedWorkspace[], reason: string): ObservedTimings {
  const builds = slowestFirst(workspaces).length;
  return { builds: [], ...(builds > 0 && { unread: { builds, reason } }), ownersCreatedAt: {} };
}

function slowestFirst(workspaces: readonly ObservedWorkspace[]): readonly string[] {
  return workspaces
    .flatMap(({ builds }) => builds.filter(({ status }) => status === 'succeeded'))
    .map(({ id, createdAt, completedAt = createdAt }) => ({
      id,
      took: Date.parse(completedAt) - Date.parse(createdAt),
    }))
    .sort((a, b) => b.took - a.took)
    .map(({ id }) => id);
}

/** The wall time of each stage and the start-up scripts; scripts that run at a stop or by a clock are left out. */
export function reduceTimings(buildId: string, raw: RawBuildTimings): BuildTimings {
  const stages = PROVISIONER_STAGES.flatMap((stage): StageExtent[] => {
    const intervals = raw.provisioner_timings.filter((one) => one.stage === stage && isOver(one));
    if (intervals.length === 0) return [];
    const startedAt = Math.min(...intervals.map(({ started_at }) => started_at.getTime()));
    const endedAt = Math.max(...intervals.map(({ ended_at }) => ended_at.getTime()));
    return [
      {
        stage,
        startedAt: new Date(startedAt).toISOString(),
        endedAt: new Date(endedAt).toISOString(),
        intervals: intervals.length,
      },
    ];
  });
  const scripts = raw.agent_script_timings
    .filter((one) => one.stage === 'start' && isOver(one))
    .map((script) => ({
      agentId: script.workspace_agent_id,
      name: script.display_name,
      status: script.status,
      startedAt: script.started_at.toISOString(),
      endedAt: script.ended_at.toISOString(),
    }));
  return { buildId, stages, scripts };
}

/** What has no end yet has Go's zero time there. */
const isOver = ({ started_at, ended_at }: { readonly started_at: Date; readonly ended_at: Date }): boolean =>
  ended_at >= started_at;

const isUnknownRoute = (thrown: unknown): boolean =>
  thrown instanceof ApiError && thrown.status === 404 && thrown.coderMessage === 'Route not found.';

const sentenceOf = (thrown: unknown): string =>
  isUnknownRoute(thrown) ? 'Coder has them from v2.17 on only' : messageOf(thrown);

function interruption({ reason }: AbortSignal): string {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? 'the deployment answered too slowly, and the time for the clean-up is kept'
    : 'the job was cancelled';
}

async function ownersCreatedAt(
  api: CoderApi,
  scope: Scope,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    const users = await listScaletestUsers(api, scope, signal);
    return Object.fromEntries(users.map(({ username, created_at }) => [username, created_at.toISOString()]));
  } catch {
    // Only a detail of the time outside the server is lost, and it is shown as one part then.
    return {};
  }
}
