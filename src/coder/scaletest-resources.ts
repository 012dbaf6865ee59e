import type { CoderApi } from './api.js';
import type { User, Workspace } from './api-schemas.js';

/**
 * Which users and workspaces are a scale test's: the CLI's own rules (scaletest/loadtestutil and cli/exp_scaletest.go).
 * Nothing else on the deployment is ever touched.
 */
const PREFIX = 'scaletest-';
const EMAIL_SUFFIX = '@scaletest.local';
const USER_SEARCH = 'scaletest';

export const isScaletestUser = (user: Pick<User, 'username' | 'email'>): boolean =>
  user.email.endsWith(EMAIL_SUFFIX) || user.username.startsWith(PREFIX);

export const isScaletestWorkspace = (workspace: Pick<Workspace, 'name' | 'owner_name'>): boolean =>
  workspace.name.startsWith(PREFIX) || workspace.owner_name.startsWith(PREFIX);

/** A workspace whose owner is a scale test's as well, so that anything may be done in the owner's name. */
export const isOfScaletestUser = (workspace: Pick<Workspace, 'owner_name'>): boolean =>
  workspace.owner_name.startsWith(PREFIX);

/** What a caller may touch: everything of a scale test, or only what was made since a moment of the server's clock. */
export interface Scope {
  readonly since?: Date;
  /** Its own user is never deleted, whatever its name. */
  readonly ownUserId: string;
}

export interface ScaletestResources {
  readonly workspaces: readonly Workspace[];
  readonly users: readonly User[];
}

export const isInScope = (resource: { created_at: Date }, { since }: Scope): boolean =>
  since === undefined || resource.created_at >= since;

export async function listScaletestWorkspaces(
  api: CoderApi,
  scope: Scope,
  signal?: AbortSignal,
): Promise<readonly Workspace[]> {
  const workspaces = await api.searchWorkspaces(`name:"${PREFIX}"`, signal);
  return workspaces.filter((workspace) => isScaletestWorkspace(workspace) && isInScope(workspace, scope));
}

export async function listScaletestUsers(
  api: CoderApi,
  scope: Scope,
  signal?: AbortSignal,
): Promise<readonly User[]> {
  // Finds both marks, the prefix of names and the suffix of addresses; the rule decides among what it finds.
  const users = await api.searchUsers(USER_SEARCH, signal);
  return users.filter(
    (user) => isScaletestUser(user) && user.id !== scope.ownUserId && isInScope(user, scope),
  );
}

/** All scale-test users and workspaces within a scope. */
export async function listScaletestResources(
  api: CoderApi,
  scope: Scope,
  signal?: AbortSignal,
): Promise<ScaletestResources> {
  const workspaces = await listScaletestWorkspaces(api, scope, signal);
  return { workspaces, users: await listScaletestUsers(api, scope, signal) };
}
