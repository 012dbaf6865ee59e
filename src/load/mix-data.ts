import type { Mix } from './mix.js';

/** Written by scripts/derive-mix.ts from ../shared/golden/v2.36.0/dashboard-calls-member.json; do not edit. */
export const dashboardMix: Mix = {
  version: 'v2.36.0-member-1',
  provenance: {
    coder: 'v2.36.0',
    file: 'golden/v2.36.0/dashboard-calls-member.json',
    recorded: '2026-11-23',
    role: 'member',
    own: [
      'bodies of POST /authcheck: the recording holds none',
      'refusals that are answers: containers are forbidden where a template has no dev containers, sharing where it is off',
      'weights of the pages and the time between visits: the recording holds one visit of each page',
    ],
    leftOut: [
      'the page change without a page load (its calls are those of the templates page)',
      'WebSocket /api/v2/workspaces/{workspace}/watch-ws',
      'WebSocket /api/v2/workspaceagents/{agent}/watch-metadata-ws',
    ],
  },
  routes: [
    { id: 'tasks', method: 'GET', pattern: '/api/v2/tasks', pool: true },
    { id: 'notifications-inbox', method: 'GET', pattern: '/api/v2/notifications/inbox', pool: true },
    { id: 'templates', method: 'GET', pattern: '/api/v2/templates', pool: true },
    { id: 'organizations', method: 'GET', pattern: '/api/v2/organizations', pool: true },
    { id: 'workspaces', method: 'GET', pattern: '/api/v2/workspaces', pool: true },
    { id: 'latency-check', method: 'GET', pattern: '/latency-check', pool: false },
    { id: 'authcheck', method: 'POST', pattern: '/api/v2/authcheck', pool: true },
    { id: 'template-versions', method: 'GET', pattern: '/api/v2/templates/{template}/versions', pool: true },
    {
      id: 'build-parameters',
      method: 'GET',
      pattern: '/api/v2/workspacebuilds/{build}/parameters',
      pool: true,
    },
    { id: 'document', method: 'GET', pattern: '/*', pool: false },
    { id: 'users-me-organizations', method: 'GET', pattern: '/api/v2/users/me/organizations', pool: true },
    {
      id: 'user-workspace-name',
      method: 'GET',
      pattern: '/api/v2/users/{user}/workspace/{workspaceName}',
      pool: true,
    },
    { id: 'template', method: 'GET', pattern: '/api/v2/templates/{template}', pool: true },
    {
      id: 'workspace-resolve-autostart',
      method: 'GET',
      pattern: '/api/v2/workspaces/{workspace}/resolve-autostart',
      pool: true,
    },
    {
      id: 'template-version-rich-parameters',
      method: 'GET',
      pattern: '/api/v2/templateversions/{templateVersion}/rich-parameters',
      pool: true,
    },
    {
      id: 'workspace-acl',
      method: 'GET',
      pattern: '/api/v2/workspaces/{workspace}/acl',
      pool: true,
      answers: [403],
    },
    { id: 'build-timings', method: 'GET', pattern: '/api/v2/workspacebuilds/{build}/timings', pool: true },
    { id: 'deployment-ssh', method: 'GET', pattern: '/api/v2/deployment/ssh', pool: true },
    {
      id: 'agent-containers',
      method: 'GET',
      pattern: '/api/v2/workspaceagents/{agent}/containers',
      pool: true,
      answers: [403],
    },
  ],
  pages: [
    {
      id: 'workspaces',
      weight: 2,
      batches: [
        { afterMs: 0, calls: [{ route: 'document', path: '/workspaces', waitsFor: [] }] },
        {
          afterMs: 1607,
          calls: [
            { route: 'tasks', path: '/api/v2/tasks?q=owner:{user}', waitsFor: [] },
            { route: 'notifications-inbox', path: '/api/v2/notifications/inbox', waitsFor: [] },
            { route: 'templates', path: '/api/v2/templates', waitsFor: [] },
            { route: 'templates', path: '/api/v2/templates', waitsFor: [] },
            { route: 'organizations', path: '/api/v2/organizations', waitsFor: [] },
            { route: 'workspaces', path: '/api/v2/workspaces?limit=25&offset=0&q=owner%3Ame', waitsFor: [] },
            { route: 'latency-check', path: '/latency-check?cache_bust={nonce}', waitsFor: [] },
            {
              route: 'authcheck',
              path: '/api/v2/authcheck',
              waitsFor: [5],
              body: '{"checks":{"viewDeploymentConfig":{"object":{"resource_type":"deployment_config"},"action":"read"},"viewAllUsers":{"object":{"resource_type":"user"},"action":"read"},"createGroup":{"object":{"resource_type":"group"},"action":"create"},"viewAuditLog":{"object":{"resource_type":"audit_log"},"action":"read"},"createTemplates":{"object":{"resource_type":"template","any_org":true},"action":"create"},"updateTemplates":{"object":{"resource_type":"template","any_org":true},"action":"update"}}}',
            },
            {
              route: 'authcheck',
              path: '/api/v2/authcheck',
              waitsFor: [7],
              body: '{"checks":{"createWorkspace":{"object":{"resource_type":"workspace","owner_id":"me","any_org":true},"action":"create"}}}',
            },
            { route: 'template-versions', path: '/api/v2/templates/{template}/versions', waitsFor: [5, 8] },
            {
              route: 'authcheck',
              path: '/api/v2/authcheck',
              waitsFor: [5, 8],
              body: '{"checks":{"readWorkspace":{"object":{"resource_type":"workspace","resource_id":"{workspace}","owner_id":"me"},"action":"read"},"updateWorkspace":{"object":{"resource_type":"workspace","resource_id":"{workspace}","owner_id":"me"},"action":"update"},"updateTemplate":{"object":{"resource_type":"template","resource_id":"{template}"},"action":"update"}}}',
            },
            {
              route: 'build-parameters',
              path: '/api/v2/workspacebuilds/{build}/parameters',
              waitsFor: [5, 8],
            },
          ],
        },
      ],
    },
    {
      id: 'templates',
      weight: 1,
      batches: [
        { afterMs: 0, calls: [{ route: 'document', path: '/templates', waitsFor: [] }] },
        {
          afterMs: 845,
          calls: [
            { route: 'tasks', path: '/api/v2/tasks?q=owner:{user}', waitsFor: [] },
            { route: 'notifications-inbox', path: '/api/v2/notifications/inbox', waitsFor: [] },
            { route: 'users-me-organizations', path: '/api/v2/users/me/organizations', waitsFor: [] },
            { route: 'templates', path: '/api/v2/templates?q=', waitsFor: [] },
            { route: 'latency-check', path: '/latency-check?cache_bust={nonce}', waitsFor: [] },
            {
              route: 'authcheck',
              path: '/api/v2/authcheck',
              waitsFor: [3],
              body: '{"checks":{"viewDeploymentConfig":{"object":{"resource_type":"deployment_config"},"action":"read"},"viewAllUsers":{"object":{"resource_type":"user"},"action":"read"},"createGroup":{"object":{"resource_type":"group"},"action":"create"},"viewAuditLog":{"object":{"resource_type":"audit_log"},"action":"read"},"createTemplates":{"object":{"resource_type":"template","any_org":true},"action":"create"},"updateTemplates":{"object":{"resource_type":"template","any_org":true},"action":"update"}}}',
            },
          ],
        },
      ],
    },
    {
      id: 'workspace',
      weight: 2,
      batches: [
        { afterMs: 0, calls: [{ route: 'document', path: '/@{user}/{workspaceName}', waitsFor: [] }] },
        {
          afterMs: 729,
          calls: [
            { route: 'tasks', path: '/api/v2/tasks?q=owner:{user}', waitsFor: [] },
            { route: 'notifications-inbox', path: '/api/v2/notifications/inbox', waitsFor: [] },
            {
              route: 'user-workspace-name',
              path: '/api/v2/users/{user}/workspace/{workspaceName}?include_deleted=true',
              waitsFor: [1],
            },
            { route: 'template', path: '/api/v2/templates/{template}', waitsFor: [2] },
            {
              route: 'authcheck',
              path: '/api/v2/authcheck',
              waitsFor: [2],
              body: '{"checks":{"readWorkspace":{"object":{"resource_type":"workspace","resource_id":"{workspace}","owner_id":"me"},"action":"read"},"updateWorkspace":{"object":{"resource_type":"workspace","resource_id":"{workspace}","owner_id":"me"},"action":"update"},"updateTemplate":{"object":{"resource_type":"template","resource_id":"{template}"},"action":"update"}}}',
            },
            {
              route: 'workspace-resolve-autostart',
              path: '/api/v2/workspaces/{workspace}/resolve-autostart',
              waitsFor: [2, 4],
            },
            {
              route: 'template-version-rich-parameters',
              path: '/api/v2/templateversions/{templateVersion}/rich-parameters',
              waitsFor: [2, 4],
            },
            { route: 'workspace-acl', path: '/api/v2/workspaces/{workspace}/acl', waitsFor: [2, 4] },
            { route: 'template-versions', path: '/api/v2/templates/{template}/versions', waitsFor: [2, 4] },
            {
              route: 'build-parameters',
              path: '/api/v2/workspacebuilds/{build}/parameters',
              waitsFor: [2, 8],
            },
            { route: 'build-timings', path: '/api/v2/workspacebuilds/{build}/timings', waitsFor: [2, 8] },
            { route: 'deployment-ssh', path: '/api/v2/deployment/ssh', waitsFor: [2, 10] },
            {
              route: 'agent-containers',
              path: '/api/v2/workspaceagents/{agent}/containers',
              waitsFor: [2, 10],
            },
          ],
        },
      ],
    },
  ],
  polls: [
    {
      everyMs: 30000,
      call: { route: 'workspaces', path: '/api/v2/workspaces?limit=25&offset=0&q=owner%3Ame', waitsFor: [] },
    },
    { everyMs: 60000, call: { route: 'tasks', path: '/api/v2/tasks?q=owner:{user}', waitsFor: [] } },
  ],
  socket: '/api/v2/notifications/inbox/watch?read_status=unread',
};
