import { type CoderDeployment, startCoderServer } from '../../simulator/coder/server.js';
import { isAtLeast } from '../../simulator/coder/versions.js';

/** Asks a simulated deployment everything that was recorded, under the names of the recordings. */

export interface Answer {
  method: string;
  /** With the query. */
  path: string;
  status: number;
  headers: Headers;
  body: unknown;
}

export type Answers = Map<string, Answer>;

interface Ask {
  token?: string;
  body?: unknown;
  rawBody?: string;
  headers?: Record<string, string>;
}

export class Asker {
  readonly answers: Answers = new Map();

  constructor(readonly deployment: CoderDeployment) {}

  async ask(name: string, methodAndPath: string, options: Ask = {}): Promise<Answer> {
    const [method = '', path = ''] = methodAndPath.split(' ');
    const token = options.token ?? this.deployment.ownerToken;
    const content =
      options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const response = await fetch(this.deployment.url + path, {
      method,
      headers: { ...(token !== '' && { 'Coder-Session-Token': token }), ...options.headers },
      ...(content !== undefined && { body: content }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    const answer = { method, path, status: response.status, headers: response.headers, body };
    if (name !== '') this.answers.set(name, answer);
    return answer;
  }

  async until(path: string, isDone: (body: Record<string, unknown>) => boolean): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      const { body } = await this.ask('', `GET ${path}`);
      if (isDone(fields(body))) return;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    throw new Error(`${path} did not get there`);
  }
}

export function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function textAt(value: unknown, ...keys: string[]): string {
  const found = keys.reduce<unknown>((inner, key) => fields(inner)[key], value);
  return typeof found === 'string' ? found : '';
}

const QUICK = { median: 0.06, sigma: 0 };

export async function startQuickServer(version: string, limits: boolean): Promise<CoderDeployment> {
  const quick = {
    startSeconds: QUICK,
    dryRunSeconds: QUICK,
    deleteSeconds: QUICK,
    agentConnectSeconds: { median: 0.05, sigma: 0 },
  };
  return startCoderServer({
    version,
    buildVersionSuffix: '',
    agpl: version === 'v2.31.0',
    disableRateLimits: !limits,
    provisionerSlots: 3,
    cancelSeconds: 0.1,
    latency: { baseMs: 0, sigma: 0, perRequestMs: 0 },
    templateOverrides: { 'pod-swdev': quick, 'ec2-datasci': quick, 'tpl-fail': quick, 'tpl-noagent': quick },
  });
}

const FORBIDDEN_PAGES = ['deployment-config', 'deployment-stats', 'debug-metrics', 'debug-health'];
const PAGES: Record<string, string> = {
  'deployment-config': '/api/v2/deployment/config',
  'deployment-stats': '/api/v2/deployment/stats',
  'debug-metrics': '/api/v2/debug/metrics',
  'debug-health': '/api/v2/debug/health',
};

interface Made {
  organization: string;
  memberId: string;
  memberToken: string;
  workspaceId: string;
  buildId: string;
}

/** A scaletest user with a running workspace, as in the recordings. */
async function makeMember(asker: Asker, index: number): Promise<Made> {
  const { body: me } = await asker.ask('', 'GET /api/v2/users/me');
  const organization = String(fields(me).organization_ids).split(',')[0] ?? '';
  const name = `AbCdEfG${index}-${index}`;
  const password = 'Passw0rdPassw0rd';
  const user = await asker.ask('', 'POST /api/v2/users', {
    body: {
      email: `${name}@scaletest.local`,
      username: `scaletest-${name}`,
      password,
      login_type: 'password',
      organization_ids: [organization],
    },
  });
  const session = await asker.ask('', 'POST /api/v2/users/login', {
    token: '',
    body: { email: `${name}@scaletest.local`, password },
  });
  const memberToken = textAt(session.body, 'session_token');
  const templates = await asker.ask('', 'GET /api/v2/templates?q=exact_name:pod-swdev');
  const templateId = textAt((templates.body as unknown[])[0], 'id');
  const workspace = await asker.ask('', 'POST /api/v2/users/me/workspaces', {
    token: memberToken,
    body: { template_id: templateId, name: `scaletest-QrStUvW${index}-${index}` },
  });
  const workspaceId = textAt(workspace.body, 'id');
  await asker.until(`/api/v2/workspaces/${workspaceId}`, (body) => {
    const [resource] = fields(body.latest_build).resources as unknown[];
    const [agent] = (fields(resource).agents ?? []) as unknown[];
    return textAt(agent, 'ready_at') !== '';
  });
  return {
    organization,
    memberId: textAt(user.body, 'id'),
    memberToken,
    workspaceId,
    buildId: textAt(workspace.body, 'latest_build', 'id'),
  };
}

async function askReads(asker: Asker, made: Made): Promise<void> {
  const { organization, workspaceId, buildId } = made;
  const none = '11111111-1111-4111-8111-111111111111';
  const templates = await asker.ask('templates', 'GET /api/v2/templates');
  const byName = (name: string): string => {
    const row = (templates.body as unknown[]).find((one) => textAt(one, 'name') === name);
    return textAt(row, 'active_version_id');
  };
  await asker.ask('buildinfo', 'GET /api/v2/buildinfo', { token: '' });
  await asker.ask('entitlements', 'GET /api/v2/entitlements', { token: '' });
  for (const [name, path] of Object.entries(PAGES)) await asker.ask(name, `GET ${path}`);
  for (const name of ['experiments', 'regions', 'replicas', 'organizations']) {
    await asker.ask(name, `GET /api/v2/${name}`);
  }
  await asker.ask('notifications-inbox', 'GET /api/v2/notifications/inbox');
  await asker.ask('users-me', 'GET /api/v2/users/me');
  await asker.ask('users-me-organizations', 'GET /api/v2/users/me/organizations');
  await asker.ask('users-scaletest-list', 'GET /api/v2/users?q=scaletest&limit=3');
  await asker.ask('users-email-search', 'GET /api/v2/users?q=email:scaletest.local&limit=2');
  await asker.ask('templates-q', 'GET /api/v2/templates?q=deprecated:false');
  await asker.ask('organization-templates', `GET /api/v2/organizations/${organization}/templates`);
  await asker.ask('templateversion', `GET /api/v2/templateversions/${byName('ec2-datasci')}`);
  const parameters = `GET /api/v2/templateversions/${byName('ec2-datasci')}/rich-parameters`;
  await asker.ask('templateversion-rich-parameters', parameters);
  const noParameters = `GET /api/v2/templateversions/${byName('pod-swdev')}/rich-parameters`;
  await asker.ask('templateversion-rich-parameters-none', noParameters);
  await asker.ask(
    'templateversion-external-auth',
    `GET /api/v2/templateversions/${byName('pod-swdev')}/external-auth`,
  );
  await asker.ask('provisionerdaemons', `GET /api/v2/organizations/${organization}/provisionerdaemons`);
  await asker.ask('provisionerjobs', `GET /api/v2/organizations/${organization}/provisionerjobs?limit=2`);
  await asker.ask('workspace-quota', `GET /api/v2/organizations/${organization}/members/me/workspace-quota`);
  await asker.ask('prebuilds-settings', 'GET /api/v2/prebuilds/settings');
  await asker.ask('prebuilds-settings-put', 'PUT /api/v2/prebuilds/settings', {
    body: { reconciliation_paused: false },
  });
  await asker.ask('authcheck', 'POST /api/v2/authcheck', {
    body: {
      checks: {
        readAllWorkspaces: { object: { resource_type: 'workspace' }, action: 'read' },
        createUser: { object: { resource_type: 'user' }, action: 'create' },
      },
    },
  });
  await asker.ask('slash-collection', 'GET /api/v2/templates/');
  await asker.ask('slash-leaf', 'GET /api/v2/buildinfo/');
  await asker.ask('workspace', `GET /api/v2/workspaces/${workspaceId}`);
  const owner = textAt(asker.answers.get('workspace')?.body, 'owner_name');
  const name = textAt(asker.answers.get('workspace')?.body, 'name');
  await asker.ask('workspace-by-name', `GET /api/v2/users/${owner}/workspace/${name}`);
  await asker.ask('workspace-builds', `GET /api/v2/workspaces/${workspaceId}/builds`);
  await asker.ask('workspacebuild', `GET /api/v2/workspacebuilds/${buildId}`);
  await asker.ask('workspacebuild-timings', `GET /api/v2/workspacebuilds/${buildId}/timings`);
  await asker.ask('workspaces-limit2', 'GET /api/v2/workspaces?limit=2&offset=0');
  await asker.ask('workspaces-past-end', 'GET /api/v2/workspaces?limit=5&offset=500');
  await asker.ask('workspaces-bad-limit', 'GET /api/v2/workspaces?limit=-1');
  await asker.ask('workspaces-q-bad', 'GET /api/v2/workspaces?q=nokey:x');
  await asker.ask('workspaces-q-owner', `GET /api/v2/workspaces?q=owner:${owner}&limit=2`);
  await asker.ask('workspaces-q-status', 'GET /api/v2/workspaces?q=status:running&limit=1');
  await asker.ask('err-404-route', 'GET /api/v2/nothing-here');
  await asker.ask('err-404-template', `GET /api/v2/templates/${none}`);
  await asker.ask('err-404-workspace', `GET /api/v2/workspaces/${none}`);
  await asker.ask('err-400-uuid', 'GET /api/v2/workspaces/x');
  await asker.ask('err-400-user', 'GET /api/v2/users/nobody-here');
  await asker.ask('err-400-json', 'POST /api/v2/users/me/keys/tokens', { rawBody: '{nope' });
  await asker.ask('err-405', 'DELETE /api/v2/buildinfo');
  await asker.ask('err-head', 'HEAD /api/v2/buildinfo');
  await asker.ask('err-html-elsewhere', 'GET /api/v1/users/me');
  await asker.ask('err-401-no-token', 'GET /api/v2/users/me', { token: '' });
  await asker.ask('err-401-bad-format', 'GET /api/v2/users/me', { token: 'nonsense' });
  const wrongSecret = `${asker.deployment.ownerToken.slice(0, 11)}BBBBBBBBBBBBBBBBBBBBBB`;
  await asker.ask('err-401-bad-secret', 'GET /api/v2/users/me', { token: wrongSecret });
  await asker.ask('err-401-unknown-key', 'GET /api/v2/users/me', {
    token: 'AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB',
  });
}

async function askAsMember(asker: Asker, made: Made): Promise<void> {
  const token = made.memberToken;
  for (const page of FORBIDDEN_PAGES)
    await asker.ask(`member-${page}`, `GET ${PAGES[page] ?? ''}`, { token });
  const daemons = `GET /api/v2/organizations/${made.organization}/provisionerdaemons`;
  await asker.ask('member-provisionerdaemons', daemons, { token });
  await asker.ask('member-templates', 'GET /api/v2/templates?q=deprecated:false', { token });
  await asker.ask('member-users-me', 'GET /api/v2/users/me', { token });
  await asker.ask('member-users', 'GET /api/v2/users', { token });
  await asker.ask('member-workspaces', 'GET /api/v2/workspaces', { token });
  await asker.ask('member-token-too-long', 'POST /api/v2/users/me/keys/tokens', {
    token,
    body: { lifetime: 6.3072e18, scope: 'all', token_name: 'long' },
  });
}

async function askAboutTokens(asker: Asker, made: Made): Promise<void> {
  const tokens = '/api/v2/users/me/keys/tokens';
  const create = (name: string, lifetime: number, tokenName: string, path = tokens): Promise<Answer> =>
    asker.ask(name, `POST ${path}`, { body: { lifetime, scope: 'all', token_name: tokenName } });
  const hour = 3_600_000_000_000;
  await asker.ask('tokenconfig', `GET ${tokens}/tokenconfig`);
  await asker.ask('token-by-name-missing', `GET ${tokens}/scaletest-gate-lease`);
  const made1 = await create('token-create', hour, 'scaletest-gate-lease');
  await create('token-create-conflict', hour, 'scaletest-gate-lease');
  await create('token-create-zero', 0, 'zero');
  await create('token-create-bad-name', hour, 'bad name/with:things');
  await create('token-create-too-long', 720 * hour, 'long');
  await create('token-create-for-user', hour, 'virtual-user', `/api/v2/users/${made.memberId}/keys/tokens`);
  await asker.ask('token-by-name', `GET ${tokens}/scaletest-gate-lease`);
  await asker.ask('tokens', `GET ${tokens}`);
  await asker.ask('key-by-own-id', `GET /api/v2/users/me/keys/${asker.deployment.ownerToken.slice(0, 10)}`);
  const id = textAt(made1.body, 'key').slice(0, 10);
  await asker.ask('token-delete', `DELETE /api/v2/users/me/keys/${id}`);
  await asker.ask('token-delete-again', `DELETE /api/v2/users/me/keys/${id}`);
}

function jobIs(...statuses: string[]) {
  return (build: Record<string, unknown>): boolean => statuses.includes(textAt(build, 'job', 'status'));
}

async function askDeleting(asker: Asker, made: Made, other: Made): Promise<void> {
  const { deployment } = asker;
  const builds = `/api/v2/workspaces/${made.workspaceId}/builds`;
  await asker.ask('err-417-user-with-workspace', `DELETE /api/v2/users/${made.memberId}`);
  const deletion = await asker.ask('workspace-delete', `POST ${builds}`, { body: { transition: 'delete' } });
  await asker.ask('workspace-delete-while-active', `POST ${builds}`, { body: { transition: 'delete' } });
  const deletionId = textAt(deletion.body, 'id');
  await asker.until(`/api/v2/workspacebuilds/${deletionId}`, jobIs('succeeded'));
  await asker.ask('workspacebuild-delete-done', `GET /api/v2/workspacebuilds/${deletionId}`);
  await asker.ask('workspace-deleted-410', `GET /api/v2/workspaces/${made.workspaceId}`);
  await asker.ask('workspace-deleted-builds', `GET ${builds}`);
  await asker.ask(
    'workspacebuild-timings-after-delete',
    `GET /api/v2/workspacebuilds/${made.buildId}/timings`,
  );
  const again = await asker.ask('workspace-delete-again', `POST ${builds}`, {
    body: { transition: 'delete' },
  });
  await asker.until(`/api/v2/workspacebuilds/${textAt(again.body, 'id')}`, jobIs('running'));
  await asker.ask(
    'workspace-deleted-include',
    `GET /api/v2/workspaces/${made.workspaceId}?include_deleted=true`,
  );
  await asker.ask('user-delete', `DELETE /api/v2/users/${made.memberId}`);
  await asker.ask('user-delete-again', `DELETE /api/v2/users/${made.memberId}`);
  await asker.ask('user-deleted-get', `GET /api/v2/users/${made.memberId}`);

  deployment.options.templateOverrides['pod-swdev'] = { deleteSeconds: { median: 20, sigma: 0 } };
  const stop = await asker.ask('workspace-stop', `POST /api/v2/workspaces/${other.workspaceId}/builds`, {
    body: { transition: 'stop' },
  });
  const stopPath = `/api/v2/workspacebuilds/${textAt(stop.body, 'id')}`;
  await asker.until(stopPath, jobIs('running'));
  await asker.ask('workspacebuild-cancel-pending-expect', `PATCH ${stopPath}/cancel?expect_status=pending`);
  await asker.ask('workspacebuild-cancel', `PATCH ${stopPath}/cancel`);
  await asker.until(stopPath, jobIs('failed', 'canceled'));
  await asker.ask('workspacebuild-after-cancel', `GET ${stopPath}`);
  await asker.ask('workspacebuild-cancel-finished', `PATCH ${stopPath}/cancel`);
}

/** Recorded with the default rate limits, on v2.36.0. */
async function askWithLimits(asker: Asker): Promise<void> {
  const { deployment } = asker;
  await asker.ask('limits-on-users-me', 'GET /api/v2/users/me');
  await asker.ask('limits-on-buildinfo-no-auth', 'GET /api/v2/buildinfo', { token: '' });
  const bypass = { 'X-Coder-Bypass-Ratelimit': 'true' };
  await asker.ask('limits-on-owner-bypass', 'GET /api/v2/users/me', { headers: bypass });
  const token = deployment.memberToken;
  await asker.ask('limits-on-member-bypass-428', 'GET /api/v2/users/me', { token, headers: bypass });
  deployment.options.apiRateLimit = 3;
  for (let count = 0; count < 3; count += 1) await asker.ask('', 'GET /api/v2/regions', { token });
  deployment.options.apiRateLimit = 512;
  await asker.ask('limits-on-other-path-ok', 'GET /api/v2/users/me', { token });
  await asker.ask('limits-on-other-user-same-path', 'GET /api/v2/regions');
  const made = await makeMember(asker, 5);
  const newUser = (name: string, login: Record<string, string>): Record<string, unknown> => ({
    email: `${name}@scaletest.local`,
    username: `scaletest-${name}`,
    ...login,
    organization_ids: [made.organization],
  });
  const password = { password: 'Passw0rdPassw0rd', login_type: 'password' };
  await asker.ask('user-create-login-none', 'POST /api/v2/users', {
    body: newUser('AbCdEfGh-0', { login_type: 'none' }),
  });
  await asker.ask('user-create-password', 'POST /api/v2/users', { body: newUser('AbCdEfGh-1', password) });
  await asker.ask('user-create-conflict', 'POST /api/v2/users', { body: newUser('AbCdEfGh-1', password) });
  const templates = await asker.ask('', 'GET /api/v2/templates?q=exact_name:ec2-datasci');
  const templateId = textAt((templates.body as unknown[])[0], 'id');
  const create = (name: string, workspace: string, values: Record<string, string>): Promise<Answer> =>
    asker.ask(name, 'POST /api/v2/users/me/workspaces', {
      token: made.memberToken,
      body: {
        template_id: templateId,
        name: workspace,
        rich_parameter_values: Object.entries(values).map(([key, value]) => ({ name: key, value })),
      },
    });
  await create('workspace-create-parameter-missing-value', 'scaletest-bad-1', { size: 'huge' });
  const good = { region: 'eu-west-1', size: 'large' };
  await create('workspace-create-by-member-parameters', 'scaletest-AbCdEfGh-0', good);
  await create('workspace-create-name-conflict', 'scaletest-AbCdEfGh-0', good);
  const login = (name: string, email: string, secret: string): Promise<Answer> =>
    asker.ask(name, 'POST /api/v2/users/login', { token: '', body: { email, password: secret } });
  const session = await login('login', deployment.ownerEmail, deployment.ownerPassword);
  await login('login-wrong', deployment.ownerEmail, 'nope');
  await login('login-none-user', 'AbCdEfGh-0@scaletest.local', 'x');
  await asker.ask('logout', 'POST /api/v2/users/logout', { token: textAt(session.body, 'session_token') });
  deployment.options.prometheusEnabled = false;
  await asker.ask('debug-metrics-prometheus-off', 'GET /api/v2/debug/metrics');
  // Last, because it uses the path up.
  // Up to twice the limit, should the clock's minute turn in between.
  for (let count = 0; count < 1100; count += 1) {
    const answer = await asker.ask('', 'GET /api/v2/experiments', { token });
    if (answer.status !== 429) continue;
    asker.answers.set('limits-on-429', answer);
    return;
  }
}

export async function askEverything(version: string): Promise<Answers> {
  const isNewest = isAtLeast(version, 'v2.36.0');
  const deployment = await startQuickServer(version, !isNewest);
  try {
    const asker = new Asker(deployment);
    const made = await makeMember(asker, 1);
    const other = await makeMember(asker, 2);
    await askReads(asker, made);
    await askAsMember(asker, made);
    await askAboutTokens(asker, made);
    await askDeleting(asker, made, other);
    if (deployment.state.internalErrors.length > 0)
      throw new Error(String(deployment.state.internalErrors[0]));
    if (!isNewest) return asker.answers;
    const limited = await startQuickServer(version, true);
    try {
      const second = new Asker(limited);
      await askWithLimits(second);
      return new Map([...asker.answers, ...second.answers]);
    } finally {
      await limited.close();
    }
  } finally {
    await deployment.close();
  }
}
