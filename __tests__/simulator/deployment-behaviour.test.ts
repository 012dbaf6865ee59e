import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CoderDeployment,
  type DeploymentOptions,
  startCoderServer,
} from '../../simulator/coder/server.js';
import { Asker, fields, textAt } from './api-scenario.js';

// Real timers run here; a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

const QUICK = { median: 0.1, sigma: 0 };
const NO_LATENCY = { baseMs: 0, sigma: 0, perRequestMs: 0 };

let deployment: CoderDeployment | null = null;
afterEach(async () => {
  expect(deployment?.state.internalErrors ?? []).toEqual([]);
  await deployment?.close();
  deployment = null;
});

async function serve(options: Partial<DeploymentOptions> = {}): Promise<Asker> {
  deployment = await startCoderServer({
    latency: NO_LATENCY,
    disableRateLimits: true,
    templateOverrides: { 'pod-swdev': { startSeconds: QUICK, deleteSeconds: QUICK } },
    ...options,
  });
  return new Asker(deployment);
}

async function createWorkspace(asker: Asker, name: string, template = 'pod-swdev'): Promise<string> {
  const found = [...asker.deployment.state.templates.values()].find((one) => one.options.name === template);
  const body = { template_id: found?.id, name };
  const answer = await asker.ask('', 'POST /api/v2/users/me/workspaces', { body });
  expect(answer.status).toBe(201);
  return textAt(answer.body, 'id');
}

function workspaceStatus(status: string) {
  return (body: Record<string, unknown>): boolean => textAt(body, 'latest_build', 'status') === status;
}

async function jobStatuses(asker: Asker): Promise<string[]> {
  const { body } = await asker.ask('', 'GET /api/v2/workspaces');
  const rows = fields(body).workspaces as unknown[];
  return rows.map((row) => textAt(row, 'latest_build', 'job', 'status')).sort();
}

describe('provisioners', () => {
  it('take one job each, the oldest first', async () => {
    const asker = await serve({
      provisionerSlots: 2,
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 5, sigma: 0 } } },
    });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await createWorkspace(asker, `w${count}`));
    await asker.until(`/api/v2/workspaces/${ids[1] ?? ''}`, workspaceStatus('starting'));
    expect(await jobStatuses(asker)).toEqual(['pending', 'pending', 'pending', 'running', 'running']);
    const last = await asker.ask('', `GET /api/v2/workspaces/${ids[4] ?? ''}`);
    const job = fields(fields(fields(last.body).latest_build).job);
    expect([job.queue_position, job.queue_size]).toEqual([3, 3]);
    const organization = String(fields((await asker.ask('', 'GET /api/v2/users/me')).body).organization_ids);
    const pending = await asker.ask(
      '',
      `GET /api/v2/organizations/${organization}/provisionerjobs?status=pending&limit=1`,
    );
    expect(fields((pending.body as unknown[])[0]).queue_size).toBe(3);
    const daemons = await asker.ask('', `GET /api/v2/organizations/${organization}/provisionerdaemons`);
    expect((daemons.body as unknown[]).map((row) => fields(row).status)).toEqual(['busy', 'busy']);
  });

  it('never get to jobs that wait too long', async () => {
    const asker = await serve({ provisionerSlots: 0, pendingLimitSeconds: 0.3 });
    const id = await createWorkspace(asker, 'late');
    await asker.until(`/api/v2/workspaces/${id}`, workspaceStatus('failed'));
    const { body } = await asker.ask('', `GET /api/v2/workspaces/${id}`);
    expect(textAt(body, 'latest_build', 'job', 'error')).toBe(
      'Coder: Build has been detected as pending for 30 minutes and has been terminated by the reaper.',
    );
  });

  it('cancel a waiting job at once', async () => {
    const asker = await serve({ provisionerSlots: 0 });
    const id = await createWorkspace(asker, 'waiting');
    const { body } = await asker.ask('', `GET /api/v2/workspaces/${id}`);
    const buildId = textAt(body, 'latest_build', 'id');
    const answer = await asker.ask(
      '',
      `PATCH /api/v2/workspacebuilds/${buildId}/cancel?expect_status=pending`,
    );
    expect(answer.status).toBe(200);
    await asker.until(`/api/v2/workspaces/${id}`, workspaceStatus('canceled'));
  });

  it('draw the same times from the same seed', async () => {
    const drawn = async (seed: number): Promise<number[]> => {
      const asker = await serve({
        seed,
        provisionerSlots: 1,
        templateOverrides: { 'pod-swdev': { startSeconds: { median: 0.05, sigma: 0.5 } } },
      });
      for (const name of ['a', 'b', 'c']) {
        const id = await createWorkspace(asker, name);
        await asker.until(`/api/v2/workspaces/${id}`, workspaceStatus('running'));
      }
      const times = [...asker.deployment.state.builds.values()].map((build) => build.job.plannedMs);
      await asker.deployment.close();
      return times;
    };
    expect(await drawn(7)).toEqual(await drawn(7));
    expect(await drawn(7)).not.toEqual(await drawn(8));
  });

  it('fail deletions when told to, and the workspace stays', async () => {
    const asker = await serve({ undeletableWorkspaces: ['stuck'] });
    const id = await createWorkspace(asker, 'stuck');
    await asker.until(`/api/v2/workspaces/${id}`, workspaceStatus('running'));
    await asker.ask('', `POST /api/v2/workspaces/${id}/builds`, { body: { transition: 'delete' } });
    await asker.until(`/api/v2/workspaces/${id}`, workspaceStatus('failed'));
    const { body } = await asker.ask('', `GET /api/v2/workspaces/${id}`);
    expect(textAt(body, 'latest_build', 'transition')).toBe('delete');
    asker.deployment.options.undeletableWorkspaces = [];
    await asker.ask('', `POST /api/v2/workspaces/${id}/builds`, { body: { transition: 'delete' } });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { status } = await asker.ask('', `GET /api/v2/workspaces/${id}`);
      if (status === 410) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('still there');
  });
});

describe('search', () => {
  it('finds workspaces by its grammar', async () => {
    // The workspace that is made here must not be running before all questions are asked.
    const asker = await serve({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 60, sigma: 0 }, deleteSeconds: QUICK } },
    });
    asker.deployment.seedLeftovers(3);
    asker.deployment.seedLeftovers(2, 'ec2-datasci');
    await createWorkspace(asker, 'mine');
    const count = async (query: string): Promise<unknown> => {
      const answer = await asker.ask('', `GET /api/v2/workspaces?q=${encodeURIComponent(query)}&limit=1`);
      return answer.status === 200 ? fields(answer.body).count : answer.status;
    };
    expect(await count('')).toBe(6);
    expect(await count('name:scaletest-')).toBe(5);
    expect(await count('name:"scaletest-" template:"ec2-datasci"')).toBe(2);
    expect(await count('owner:me')).toBe(1);
    expect(await count('MINE')).toBe(1);
    expect(await count('ci-admin/mine')).toBe(1);
    expect(await count('owner:nobody')).toBe(0);
    expect(await count('status:running')).toBe(5);
    expect(await count('param:region=eu-west-1')).toBe(2);
    expect(await count('organization:coder')).toBe(6);
    expect(await count('organization:other')).toBe(400);
    expect(await count('status:odd')).toBe(400);
    expect(await count('a/b/c')).toBe(400);
    expect(await count('owner:a owner:b')).toBe(400);
    expect(await count('owner:')).toBe(400);
  });

  it('lists users with the count of the whole, and none past the end', async () => {
    const asker = await serve();
    asker.deployment.seedLeftovers(4);
    const list = async (query: string): Promise<[number, unknown]> => {
      const body = fields((await asker.ask('', `GET /api/v2/users?${query}`)).body);
      return [(body.users as unknown[]).length, body.count];
    };
    expect(await list('q=scaletest-&limit=3')).toEqual([3, 4]);
    expect(await list('q=scaletest-&limit=3&offset=4')).toEqual([0, 0]);
    expect((await asker.ask('', 'GET /api/v2/users?q=a%20b')).status).toBe(400);
  });
});

describe('rate limits', () => {
  it('count per user and path since v2.32, per address and path before', async () => {
    const remaining = async (asker: Asker, token: string): Promise<string | null> => {
      const { headers } = await asker.ask('', 'GET /api/v2/regions', { token });
      return headers.get('x-ratelimit-remaining');
    };
    const newer = await serve({ disableRateLimits: false });
    await remaining(newer, newer.deployment.ownerToken);
    expect(await remaining(newer, newer.deployment.memberToken)).toBe('511');
    await newer.deployment.close();
    const older = await serve({ disableRateLimits: false, version: 'v2.31.0' });
    await remaining(older, older.deployment.ownerToken);
    expect(await remaining(older, older.deployment.memberToken)).toBe('510');
    const bypass = { 'X-Coder-Bypass-Ratelimit': 'true' };
    const answer = await older.ask('', 'GET /api/v2/users/me', {
      token: older.deployment.memberToken,
      headers: bypass,
    });
    expect(answer.status).toBe(200);
  });

  it('refuse the sixty-first login in a minute', async () => {
    const asker = await serve({ disableRateLimits: false });
    const statuses: number[] = [];
    for (let count = 0; count < 61; count += 1) {
      const answer = await asker.ask('', 'POST /api/v2/users/login', {
        token: '',
        body: { email: 'a@b', password: 'x' },
      });
      statuses.push(answer.status);
    }
    // The clock's minute may have turned in between.
    expect(statuses.filter((status) => status === 429).length).toBeLessThanOrEqual(1);
    expect(statuses.slice(0, 59).every((status) => status === 401)).toBe(true);
  });

  it('send no headers when they are off', async () => {
    const asker = await serve();
    expect((await asker.ask('', 'GET /api/v2/regions')).headers.get('x-ratelimit-limit')).toBeNull();
    const { body } = await asker.ask('', 'GET /api/v2/deployment/config');
    expect(fields(fields(body).config).rate_limit).toEqual({ disable_all: true, api: -1 });
  });
});

describe('users and tokens', () => {
  it('judges passwords', async () => {
    const asker = await serve();
    const organization = String(fields((await asker.ask('', 'GET /api/v2/users/me')).body).organization_ids);
    const create = async (username: string, password: string): Promise<number> => {
      const body = { email: `${username}@b.c`, username, password, organization_ids: [organization] };
      return (await asker.ask('', 'POST /api/v2/users', { body })).status;
    };
    expect(await create('weak', 'password')).toBe(400);
    expect(await create('long', 'Aa1!'.repeat(20))).toBe(400);
    expect(await create('good', 'RaYl6fJtSWioRemU')).toBe(201);
    asker.deployment.options.passwordAuthDisabled = true;
    expect(await create('late', 'RaYl6fJtSWioRemU')).toBe(403);
    const methods = await asker.ask('', 'GET /api/v2/users/authmethods', { token: '' });
    expect(fields(fields(methods.body).password).enabled).toBe(false);
  });

  it('lets the owner token expire when told to', async () => {
    const asker = await serve({ tokenExpiresInSeconds: 3600 });
    const own = `GET /api/v2/users/me/keys/${asker.deployment.ownerToken.slice(0, 10)}`;
    const left = Date.parse(textAt((await asker.ask('', own)).body, 'expires_at')) - Date.now();
    expect(left / 1000).toBeGreaterThan(3500);
    expect(left / 1000).toBeLessThanOrEqual(3600);
    asker.deployment.options.tokenExpiresInSeconds = 0;
    const refused = await asker.ask('', own);
    expect(refused.status).toBe(401);
    expect(textAt(refused.body, 'detail')).toMatch(/^API key expired at "\d{4}-.* \+0000 UTC"\.$/);
  });

  it('keeps the name of an expired token', async () => {
    const asker = await serve();
    const path = 'POST /api/v2/users/me/keys/tokens';
    const body = { lifetime: 1_000_000, scope: 'all', token_name: 'lease' };
    expect((await asker.ask('', path, { body })).status).toBe(201);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await asker.ask('', path, { body })).status).toBe(409);
    const { body: key } = await asker.ask('', 'GET /api/v2/users/me/keys/tokens/lease');
    expect(Date.parse(textAt(key, 'expires_at'))).toBeLessThan(Date.now());
    await asker.ask('', `DELETE /api/v2/users/me/keys/${textAt(key, 'id')}`);
    expect((await asker.ask('', path, { body })).status).toBe(201);
  });
});

describe('the list of tokens', () => {
  it.each([
    ['v2.21.3', ['ci', 'dead']],
    ['v2.31.0', ['ci']],
    ['v2.36.0', ['ci']],
  ])('of %s shows the expired, or hides them until they are asked for', async (version, shown) => {
    const asker = await serve({ version });
    const tokens = '/api/v2/users/me/keys/tokens';
    const body = { lifetime: 1_000_000, scope: 'all', token_name: 'dead' };
    await asker.ask('', `POST ${tokens}`, { body });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const names = async (query: string): Promise<string[]> => {
      const { body: rows } = await asker.ask('', `GET ${tokens}${query}`);
      return (rows as { token_name: string; username: string }[]).map(
        ({ token_name, username }) => `${username === 'ci-admin' ? '' : `${username} `}${token_name}`,
      );
    };
    expect(await names('')).toEqual(shown);
    expect(await names('?include_expired=true')).toEqual(['ci', 'dead']);
    // An owner sees everybody's.
    expect(await names('?include_all=true&include_expired=true')).toEqual([
      'ci',
      'dead',
      'ordinary-member ci',
    ]);
    expect((await asker.ask('', `GET ${tokens}/dead`)).status).toBe(200);
  });
});

/** Node has a WebSocket client of its own since version 22; the simulated CLI brings its own. */
const hasClient = typeof WebSocket !== 'undefined';
if (!hasClient) console.warn('WebSockets: skipped, this Node has no WebSocket client');

describe.runIf(hasClient)('WebSockets', () => {
  /** Everything that a socket receives until it is closed. */
  function listen(url: string): Promise<{ messages: string[]; reason: string }> {
    return new Promise((resolve, reject) => {
      const messages: string[] = [];
      const socket = new WebSocket(url.replace('http:', 'ws:'));
      socket.onmessage = (event): void => void messages.push(String(event.data));
      socket.onerror = (): void => reject(new Error('refused'));
      socket.onclose = (event): void => resolve({ messages, reason: event.reason });
    });
  }

  it('follow the log of a build until its end', async () => {
    const asker = await serve();
    const id = await createWorkspace(asker, 'followed');
    const { body } = await asker.ask('', `GET /api/v2/workspaces/${id}`);
    const path = `/api/v2/workspacebuilds/${textAt(body, 'latest_build', 'id')}/logs`;
    const token = `coder_session_token=${asker.deployment.ownerToken}`;
    const { messages, reason } = await listen(`${asker.deployment.url}${path}?follow&${token}`);
    expect(reason).toBe('done');
    const all = await asker.ask('', `GET ${path}`);
    expect(messages.map((message): unknown => JSON.parse(message))).toEqual(all.body);
    const [first] = all.body as unknown[];
    expect(Object.keys(fields(first))).toEqual([
      'id',
      'created_at',
      'log_source',
      'log_level',
      'stage',
      'output',
    ]);
    const later = await asker.ask('', `GET ${path}?after=${Number(fields(first).id)}`);
    expect((later.body as unknown[]).length).toBe((all.body as unknown[]).length - 1);
    await expect(listen(`${asker.deployment.url}${path}?follow`)).rejects.toThrow('refused');
  });

  it('hold the inbox open', async () => {
    const asker = await serve();
    const token = `coder_session_token=${asker.deployment.memberToken}`;
    const url = `${asker.deployment.url}/api/v2/notifications/inbox/watch?read_status=unread&${token}`;
    const socket = new WebSocket(url.replace('http:', 'ws:'));
    await new Promise((resolve) => (socket.onopen = resolve));
    const gauge = 'coderd_api_concurrent_websockets{path="/api/v2/notifications/inbox/watch"}';
    const { body } = await asker.ask('', 'GET /api/v2/debug/metrics');
    expect(String(body)).toContain(`${gauge} 1`);
    socket.close();
  });
});

describe('failure switches', () => {
  it('destroy sockets, answer HTML, forbid, override and delay', async () => {
    const asker = await serve();
    const { options } = asker.deployment;
    options.apiDown = true;
    await expect(asker.ask('', 'GET /api/v2/buildinfo')).rejects.toThrow();
    options.apiDown = false;
    options.answerHtml = true;
    const page = await asker.ask('', 'GET /api/v2/buildinfo');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    options.answerHtml = false;
    options.forbidAll = true;
    const refused = await asker.ask('', 'GET /api/v2/buildinfo');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8']);
    expect(refused.headers.get('x-coder-build-version')).toBeNull();
    options.forbidAll = false;
    options.statusOverride = { 'GET /api/v2/users/{user}': 503 };
    expect((await asker.ask('', 'GET /api/v2/users/me')).status).toBe(503);
    expect((await asker.ask('', 'GET /api/v2/users')).status).toBe(200);
    options.latencySeconds = 0.2;
    const begin = performance.now();
    await asker.ask('', 'GET /api/v2/buildinfo');
    expect(performance.now() - begin).toBeGreaterThan(190);
  });
});
