import { messageOf } from '../errors.js';
import { timeLimit } from '../time-limit.js';
import { toSeconds, type Milliseconds, type Seconds } from '../units.js';
import type { CoderApi } from './api.js';
import type { User, Workspace } from './api-schemas.js';
import { isInScope, listScaletestResources, type Scope } from './scaletest-resources.js';

export interface Leftover {
  readonly name: string;
  readonly createdAt: string;
  readonly reason: string;
}

export interface CleanupResult {
  readonly deletedWorkspaces: number;
  readonly deletedUsers: number;
  readonly leftoverWorkspaces: readonly Leftover[];
  readonly leftoverUsers: readonly Leftover[];
  readonly seconds: Seconds;
  /** False when the API did not answer at the end: then nobody knows what is left. */
  readonly verified: boolean;
  readonly problem?: string;
}

/** What a clean-up did, as far as it knows. */
export interface CleanupTrace {
  readonly scope: Scope;
  readonly seenWorkspaceIds: ReadonlySet<string>;
  readonly deletedUsers: number;
  /** Why something could not be deleted, by its name. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly seconds: Seconds;
}

/** Asks the API what is left after a clean-up, also of what no deletion may touch: when the run began, nothing was there. */
export async function verifyCleanup(
  api: CoderApi,
  { scope, seenWorkspaceIds, deletedUsers, reasons, seconds }: CleanupTrace,
  { within, signal }: { within: Milliseconds; signal: AbortSignal },
): Promise<CleanupResult> {
  const base = { deletedUsers, seconds };
  const timeout = timeLimit(within);
  try {
    const left = await listScaletestResources(
      api,
      { ownUserId: scope.ownUserId },
      AbortSignal.any([signal, timeout]),
    );
    const seenAndLeft = left.workspaces.filter(({ id }) => seenWorkspaceIds.has(id)).length;
    return {
      ...base,
      deletedWorkspaces: seenWorkspaceIds.size - seenAndLeft,
      leftoverWorkspaces: left.workspaces.map((workspace) => ({
        name: `${workspace.owner_name}/${workspace.name}`,
        createdAt: workspace.created_at.toISOString(),
        reason: reasons.get(workspace.name) ?? whyOutOfScope(workspace, scope) ?? describe(workspace),
      })),
      leftoverUsers: left.users.map((user) => ({
        name: user.username,
        createdAt: user.created_at.toISOString(),
        reason: reasons.get(user.username) ?? whyOutOfScope(user, scope) ?? 'not deleted yet',
      })),
      verified: true,
    };
  } catch (thrown) {
    signal.throwIfAborted();
    return {
      ...base,
      deletedWorkspaces: 0,
      leftoverWorkspaces: [],
      leftoverUsers: [],
      verified: false,
      problem: timeout.aborted
        ? `the deployment did not say within ${toSeconds(within)} s what is left`
        : messageOf(thrown),
    };
  }
}

/** Either the deployment's clock was set, or somebody else's test came in between: nobody can tell. */
function whyOutOfScope(resource: User | Workspace, scope: Scope): string | undefined {
  if (isInScope(resource, scope)) return undefined;
  return 'not touched: by its age it was there before this run, although nothing was when this run began';
}

function describe({ latest_build: { transition, job } }: Workspace): string {
  const cause = job.error === undefined ? '' : `: ${job.error}`;
  return transition === 'delete'
    ? `its deletion is ${job.status}${cause}`
    : `its ${transition} build is ${job.status}; not deleted yet`;
}
