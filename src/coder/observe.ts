import { forEachConcurrently } from '../concurrency.js';
import type { ObservedBuild, ObservedWorkspace } from '../evidence.js';
import type { CoderApi } from './api.js';
import type { Workspace, WorkspaceBuild } from './api-schemas.js';
import { isOfScaletestUser, listScaletestWorkspaces, type Scope } from './scaletest-resources.js';

const PARALLEL_READS = 8;

/**
 * The workspaces of a run, with the times of their builds and agents by the server's clock. Anybody may give a workspace
 * a scale test's name; those that are measured belong to the run's users, or to the gate's own.
 */
export async function observeWorkspaces(
  api: CoderApi,
  scope: Scope,
  signal?: AbortSignal,
): Promise<readonly ObservedWorkspace[]> {
  const workspaces = (await listScaletestWorkspaces(api, scope, signal)).filter(
    (workspace) => isOfScaletestUser(workspace) || workspace.owner_id === scope.ownUserId,
  );
  const earlier = new Map<string, readonly WorkspaceBuild[]>();
  const retried = workspaces.filter(({ latest_build }) => latest_build.build_number > 1);
  await forEachConcurrently(retried, PARALLEL_READS, async ({ id }) => {
    earlier.set(id, await api.builds(id, signal));
  });
  return workspaces.map((workspace) =>
    describe(workspace, earlier.get(workspace.id) ?? [workspace.latest_build]),
  );
}

function describe(workspace: Workspace, builds: readonly WorkspaceBuild[]): ObservedWorkspace {
  const starts = builds
    .filter(({ transition }) => transition === 'start')
    .sort((a, b) => a.build_number - b.build_number);
  return {
    id: workspace.id,
    name: workspace.name,
    owner: workspace.owner_name,
    template: workspace.template_name,
    createdAt: workspace.created_at.toISOString(),
    builds: starts.map(describeBuild),
    agents: workspace.latest_build.resources
      // Sub-agents (dev containers) are the template's own business.
      .filter(({ parent_id }) => typeof parent_id !== 'string')
      .map((agent) => ({
        id: agent.id,
        startScripts: agent.scripts
          .filter(({ run_on_start }) => run_on_start)
          .map((script) => ({ name: script.display_name, blocksLogin: script.start_blocks_login })),
        status: agent.status,
        createdAt: agent.created_at.toISOString(),
        ...(agent.first_connected_at && { firstConnectedAt: agent.first_connected_at.toISOString() }),
        ...(agent.ready_at && { readyAt: agent.ready_at.toISOString() }),
      })),
    status: workspace.latest_build.status,
  };
}

function describeBuild({ id, build_number, job }: WorkspaceBuild): ObservedBuild {
  return {
    id,
    number: build_number,
    status: job.status,
    createdAt: job.created_at.toISOString(),
    ...(job.started_at && { startedAt: job.started_at.toISOString() }),
    ...(job.completed_at && { completedAt: job.completed_at.toISOString() }),
    ...(job.error !== undefined && job.error !== '' && { error: job.error }),
  };
}
