import { type Answer, ApiError, notFound, ok } from '../answers.js';
import { type Call, jsonBody, uuidParam } from '../calls.js';
import { rfc3339 } from '../clock.js';
import type { Router } from '../router.js';
import { isAtLeast } from '../versions.js';
import { findWorkspace, maySee } from './workspaces.js';

const INBOX_PAGE = 25;
const CHECKS_WITH_ID = 10;
const ACCOUNT_TEMPLATE_ID = '4e19c0ac-94e1-4532-9515-d1801aa283b2';

function inbox(call: Call): Answer {
  const { deployment, caller } = call;
  const mine = deployment.state.notifications.filter((one) => one.userId === caller.user.id);
  return ok({
    notifications: mine
      .slice(-INBOX_PAGE)
      .reverse()
      .map((one) => ({
        id: one.id,
        user_id: one.userId,
        template_id: ACCOUNT_TEMPLATE_ID,
        targets: [one.targetId],
        title: one.title,
        content: one.content,
        icon: 'DEFAULT_ICON_ACCOUNT',
        actions: [
          { label: 'View accounts', url: `${deployment.url}/deployment/users?filter=status%3Aactive` },
        ],
        read_at: null,
        created_at: rfc3339(one.createdAt),
      })),
    unread_count: mine.length,
  });
}

function isAllowed({ deployment, caller }: Call, check: unknown): boolean {
  if (deployment.isOwner(caller.user)) return true;
  const whole = typeof check === 'object' && check !== null ? check : {};
  const object =
    'object' in whole && typeof whole.object === 'object' && whole.object !== null ? whole.object : {};
  const owner = 'owner_id' in object ? object.owner_id : '';
  return owner === 'me' || owner === caller.user.id;
}

function authCheck(call: Call): Answer {
  const { checks } = jsonBody(call);
  if (typeof checks !== 'object' || checks === null) {
    throw new ApiError(400, 'Validation failed.', '', [
      { field: 'checks', detail: 'Validation failed for tag "required" with value: ""' },
    ]);
  }
  const withId = Object.values(checks).filter((check) => JSON.stringify(check).includes('"resource_id":"'));
  if (withId.length > CHECKS_WITH_ID) {
    throw new ApiError(
      400,
      `Endpoint only supports using "resource_id" field up to ${CHECKS_WITH_ID} times.`,
    );
  }
  const rows = Object.entries(checks)
    .map(([name, check]): [string, boolean] => [name, isAllowed(call, check)])
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return ok(Object.fromEntries(rows));
}

function agentContainers(call: Call): Answer {
  const id = uuidParam(call, 'workspaceagent');
  const { state } = call.deployment;
  const build = [...state.builds.values()].find((one) => one.resource?.agent?.id === id);
  const workspace = build && state.workspaces.get(build.workspaceId);
  if (workspace === undefined || !maySee(call, workspace)) throw notFound();
  return ok({ devcontainers: [], containers: [], warnings: [] });
}

/** Calls of the dashboard's pages, which have no recorded bodies: enough to be asked under load. */
export function addDashboardRoutes(router: Router, version: string): void {
  router.add('GET /api/v2/notifications/inbox', inbox, { slash: true });
  router.add('POST /api/v2/authcheck', authCheck, { slash: true });
  // Before, below /api/experimental.
  if (isAtLeast(version, 'v2.29.0'))
    router.add('GET /api/v2/tasks', () => ok({ tasks: [], count: 0 }), { slash: true });
  router.add('GET /api/v2/deployment/ssh', () =>
    ok({
      hostname_prefix: 'coder.',
      hostname_suffix: 'coder',
      ssh_config_options: {},
    }),
  );
  router.add('GET /api/v2/updatecheck', ({ deployment }) =>
    ok({
      current: true,
      version: deployment.options.version,
      url: 'https://github.com/coder/coder/releases',
    }),
  );
  router.add('GET /api/v2/workspaces/{workspace}/resolve-autostart', (call) => {
    findWorkspace(call);
    return ok({ parameter_mismatch: false });
  });
  // Before v2.32 only with the experiment "workspace-sharing".
  if (isAtLeast(version, 'v2.32.0'))
    router.add('GET /api/v2/workspaces/{workspace}/acl', (call) => {
      findWorkspace(call);
      return ok({ users: [], group: [] });
    });
  router.add('GET /api/v2/workspaceagents/{workspaceagent}/containers', agentContainers);
}
