import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startKnownServer } from '../../bench/known-server.js';
import { numberedProbe } from '../../bench/open-and-closed.js';
import { LoadGenerator, type LoadOptions } from '../../src/load/generator.js';
import type { LoadResult, LoadSeries } from '../../src/load/load-types.js';
import { dashboardMix } from '../../src/load/mix-data.js';
import { Distribution } from '../../src/load/recorder.js';
import { scheduleVisits, type Schedule } from '../../src/load/schedule.js';
import { milliseconds } from '../../src/units.js';
import { startCoderServer } from '../../simulator/coder/server.js';
import { answerJson, serve, type SeenRequest } from '../support/http-server.js';
import {
  closeAfterEach,
  closing,
  generate,
  scheduleOf,
  serving,
  usersOf,
} from '../support/load-generation.js';

closeAfterEach();

const only = ({ series }: LoadResult): LoadSeries => {
  expect(series).toHaveLength(1);
  return series[0] as LoadSeries;
};

describe('outcomes', () => {
  const answered = async (
    handler: (request: SeenRequest, response: ServerResponse) => void,
    more: Partial<LoadOptions> = {},
  ): Promise<LoadResult> => {
    const server = await serving(handler);
    return generate(server.url, scheduleOf([{ atMs: 0, calls: [{}] }], 50), more).done;
  };

  it('counts 2xx as good, with their latency', async () => {
    const result = await answered((_request, response) =>
      setTimeout(() => answerJson(response, 201, {}), 50),
    );
    const { latency, failures } = only(result);
    expect(result.calls).toEqual({ ok: 1, failed: 0, throttled: 0, leftOut: 0, unfinished: 0, resent: 0 });
    expect(Distribution.from(latency).quantile(0.5)).toBeGreaterThan(49);
    expect(failures).toEqual({});
  });

  it.each([
    [400, 'status 400'],
    [500, 'status 500'],
    [503, 'status 503'],
  ])('counts %i as failed, that is infinitely slow', async (status, reason) => {
    const result = await answered((_request, response) => answerJson(response, status, {}));
    expect(only(result)).toMatchObject({
      failures: { [reason]: 1 },
      throttled: 0,
      latency: { failed: 1, values: [] },
    });
  });

  it.each([429, 428])('counts %i as throttled, apart', async (status) => {
    const result = await answered((_request, response) => answerJson(response, status, {}));
    expect(only(result)).toMatchObject({ failures: {}, throttled: 1, latency: { failed: 0, values: [] } });
    expect(result.calls).toMatchObject({ ok: 0, failed: 0, throttled: 1 });
  });

  it('does not follow a redirect, which would carry the token elsewhere', async () => {
    const elsewhere = await serving((_request, response) => answerJson(response, 200, {}));
    const result = await answered((_request, response) => {
      response.writeHead(302, { Location: elsewhere.url }).end();
    });
    expect(only(result).failures).toEqual({ 'redirect (302)': 1 });
    expect(elsewhere.seen).toEqual([]);
  });

  it('takes HTML from the API for a sign-in page, a failure', async () => {
    const result = await answered((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end('<html></html>');
    });
    expect(only(result).failures).toEqual({ 'HTML instead of JSON': 1 });
  });

  it('counts a call without an answer as failed when its time is over', async () => {
    const began = performance.now();
    const result = await answered(() => undefined, { requestTimeoutMs: 300 });
    expect(only(result).failures).toEqual({ 'no answer within 0.3 s': 1 });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('counts an answer that breaks off as failed', async () => {
    const result = await answered((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('{', () => response.destroy());
    });
    expect(only(result).failures).toEqual({ ECONNRESET: 1 });
  });

  it('counts a refused connection as failed', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, {}));
    await server.close();
    const result = await generate(server.url, scheduleOf([{ atMs: 0, calls: [{}] }], 50)).done;
    expect(only(result).failures).toEqual({ ECONNREFUSED: 1 });
    expect(only(result).connectionWait).toMatchObject({ values: [] });
  });

  it('asks once more when the server had closed the idle connection', async () => {
    const server = await serving((request, response, count) => {
      if (count === 2) response.socket?.destroy();
      else answerJson(response, 200, { path: request.path });
    });
    const schedule = scheduleOf([
      { atMs: 0, calls: [{}] },
      { atMs: 200, calls: [{}] },
    ]);
    const result = await generate(server.url, schedule).done;
    expect(result.calls).toMatchObject({ ok: 2, failed: 0, resent: 1 });
  });

  it('keeps the least that the rate limiter had left', async () => {
    let remaining = 500;
    const server = await serving((_request, response) => {
      remaining += remaining === 498 ? 5 : -1;
      answerJson(
        response,
        200,
        {},
        { 'X-Ratelimit-Limit': '512', 'X-Ratelimit-Remaining': String(remaining) },
      );
    });
    const schedule = scheduleOf([0, 50, 100, 150].map((atMs) => ({ atMs, calls: [{}] })));
    const { rateLimits } = await generate(server.url, schedule).done;
    expect(rateLimits).toEqual([{ route: 'work', limit: 512, leastRemaining: 498 }]);
  });

  it('sends the user’s token, its body and the extra headers, and nobody’s token with the baseline', async () => {
    const server = await serving((_request, response) => answerJson(response, 200, {}));
    const base = scheduleOf([
      { atMs: 0, calls: [{ path: '/api/v2/work?x={user}', body: '{"checks":{"{user}":1}}' }] },
    ]);
    const schedule: Schedule = {
      ...base,
      routes: [
        { id: 'work', method: 'POST', pattern: '/api/v2/work', pool: true },
        { id: 'buildinfo', method: 'GET', pattern: '/api/v2/buildinfo', pool: false },
      ],
      arrivals: [
        ...base.arrivals,
        {
          atMs: 100,
          user: undefined,
          warmUp: false,
          batch: { afterMs: 0, calls: [{ route: 'buildinfo', path: '/api/v2/buildinfo', waitsFor: [] }] },
        },
      ],
    };
    const users = [{ token: 'secret', values: { user: 'ann' } }];
    await generate(server.url, schedule, { users, headers: { 'X-Proxy': 'yes' } }).done;
    const [work, baseline] = server.seen;
    expect(work).toMatchObject({ method: 'POST', path: '/api/v2/work?x=ann', body: '{"checks":{"ann":1}}' });
    expect(work?.headers).toMatchObject({ 'coder-session-token': 'secret', 'x-proxy': 'yes' });
    expect(work?.headers['x-coder-bypass-ratelimit']).toBeUndefined();
    expect(baseline?.headers['coder-session-token']).toBeUndefined();
  });

  it('leaves out calls whose values are not known, goes on with what waits for them, and takes values that come later', async () => {
    const server = await serving((_request, response) => answerJson(response, 200, {}));
    const values: Record<string, string> = {};
    const calls = [{ path: '/api/v2/workspaces/{workspace}' }, { path: '/api/v2/work', waitsFor: [0] }];
    const schedule = scheduleOf([
      { atMs: 0, calls },
      { atMs: 200, calls },
    ]);
    const { done } = generate(server.url, schedule, { users: [{ token: 't', values }] });
    setTimeout(() => (values['workspace'] = 'w1'), 100);
    const result = await done;
    expect(server.seen.map(({ path }) => path)).toEqual([
      '/api/v2/work',
      '/api/v2/workspaces/w1',
      '/api/v2/work',
    ]);
    expect(result.calls).toMatchObject({ ok: 3, leftOut: 1 });
  });
});

describe('times', () => {
  it('measures a dependent call from the end of what it waits for', async () => {
    const server = await serving((request, response) =>
      setTimeout(() => answerJson(response, 200, {}), request.path.endsWith('slow') ? 300 : 20),
    );
    const slow = { route: 'slow', path: '/api/v2/slow' };
    const base = scheduleOf([
      { atMs: 0, calls: [slow, {}, { waitsFor: [0, 1], path: '/api/v2/work?last' }] },
    ]);
    const schedule = {
      ...base,
      routes: [...base.routes, { id: 'slow', method: 'GET', pattern: '/api/v2/slow', pool: true } as const],
    };
    const began = performance.now();
    const result = await generate(server.url, schedule).done;
    expect(server.seen.map(({ path }) => path)).toEqual([
      '/api/v2/slow',
      '/api/v2/work',
      '/api/v2/work?last',
    ]);
    const work = result.series.find(({ route }) => route === 'work');
    expect(work && Distribution.from(work.latency).max).toBeLessThan(200);
    expect(performance.now() - began).toBeGreaterThan(300);
  });

  it('never opens more than six connections for a user, and counts the wait for one', async () => {
    let open = 0;
    let most = 0;
    const server = await serving((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        answerJson(response, 200, {});
      }, 100);
    });
    const result = await generate(
      server.url,
      scheduleOf([{ atMs: 0, calls: Array.from({ length: 18 }, () => ({})) }]),
    ).done;
    expect(most).toBe(6);
    const latency = Distribution.from(only(result).latency);
    const wait = Distribution.from(only(result).connectionWait);
    expect(latency.count).toBe(18);
    // Three turns of six: the last ones waited for two.
    expect(latency.max).toBeGreaterThan(295);
    expect(wait.max).toBeGreaterThan(195);
    expect(wait.quantile(1 / 3)).toBeLessThan(100);
  });

  it('opens at most six connections a user through a stall, too', async () => {
    const server = await startKnownServer();
    closing.push(server);
    const schedule = numberedProbe({ rate: 150, durationMs: 1_500, users: 4, seed: 2 });
    setTimeout(() => server.stall(1_000), 200);
    const result = await generate(server.url, schedule).done;
    expect(server.peakConnections()).toBeLessThanOrEqual(24);
    expect(server.peakConnections()).toBeGreaterThan(12);
    expect(result.calls.ok).toBe(schedule.arrivals.length);
  });

  it('lets arrivals come at their times however slow the server is', async () => {
    const arrivals = async (delay: number): Promise<readonly number[]> => {
      const times: number[] = [];
      const server = await serving((_request, response) => {
        times.push(performance.now());
        setTimeout(() => answerJson(response, 200, {}), delay);
      });
      const schedule = { ...scheduleOf([0, 100, 200, 300, 400].map((atMs) => ({ atMs, calls: [{}] }))) };
      await generate(server.url, schedule).done;
      return times.map((time) => time - (times[0] ?? 0));
    };
    const [fast, slow] = [await arrivals(0), await arrivals(1_000)];
    for (const [index, time] of slow.entries()) {
      expect(Math.abs(time - (fast[index] ?? Number.NaN))).toBeLessThan(60);
    }
  });

  it('ends within a second when it is aborted, and says what was under way', async () => {
    const server = await serving(() => undefined);
    const schedule = scheduleOf(
      [
        { atMs: 0, calls: [{}, { waitsFor: [0] }] },
        { atMs: 5_000, calls: [{}] },
      ],
      60_000,
    );
    const controller = new AbortController();
    const generator = new LoadGenerator({ baseUrl: server.url, schedule, users: usersOf(1), phase: 'only' });
    const done = generator.run(controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const at = performance.now();
    controller.abort();
    const result = await done;
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(result.aborted).toBe(true);
    expect(result.calls).toMatchObject({ ok: 0, failed: 0, unfinished: 2 });
  });

  it('waits at the end for what is under way, at most for one timeout', async () => {
    const server = await serving((request, response) => {
      if (!request.path.endsWith('never')) setTimeout(() => answerJson(response, 200, {}), 300);
    });
    const calls = [{}, { path: '/api/v2/work?never' }, { path: '/api/v2/work?never', waitsFor: [1] }];
    const began = performance.now();
    const result = await generate(server.url, scheduleOf([{ atMs: 0, calls }], 100), {
      requestTimeoutMs: 600,
    }).done;
    expect(result.calls).toMatchObject({ ok: 1, failed: 1, unfinished: 1 });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('gives each sample the phase of its intended start', async () => {
    const server = await serving((_request, response) =>
      setTimeout(() => answerJson(response, 200, {}), 150),
    );
    const schedule = scheduleOf([0, 50, 250, 300].map((atMs) => ({ atMs, calls: [{}] })));
    const { generator, done } = generate(server.url, schedule, { phase: 'create' });
    setTimeout(() => generator.phase('dashboard'), 120);
    const { series } = await done;
    expect(series.map(({ phase, latency }) => [phase, Distribution.from(latency).count])).toEqual([
      ['create', 2],
      ['dashboard', 2],
    ]);
  });

  it('refuses fewer users than the schedule has', () => {
    const schedule = numberedProbe({ rate: 1, durationMs: 1_000, users: 2, seed: 1 });
    expect(() => new LoadGenerator({ baseUrl: 'http://x', schedule, users: usersOf(1), phase: 'p' })).toThrow(
      'the schedule is one of 2 users, got 1',
    );
  });
});

describe('virtual users of the simulated deployment', () => {
  it('visit pages, poll, hold their inbox open, and keep warm-up apart', async () => {
    const coder = await startCoderServer();
    closing.push(coder);
    coder.seedLeftovers(1);
    const workspace = [...coder.state.workspaces.values()][0];
    const build = [...coder.state.builds.values()].find(({ workspaceId }) => workspaceId === workspace?.id);
    const owner = [...coder.state.users.values()].find(({ id }) => id === workspace?.ownerId);
    const template = [...coder.state.templates.values()].find(({ id }) => id === workspace?.templateId);
    const values = {
      user: owner?.username,
      workspaceName: workspace?.name,
      workspace: workspace?.id,
      build: build?.id,
      agent: build?.resource?.agent?.id,
      template: template?.id,
      templateVersion: template?.versionId,
    };
    const users = Array.from({ length: 3 }, () => ({ token: coder.ownerToken, values }));
    const schedule = scheduleVisits({
      mix: dashboardMix,
      users: 3,
      duration: milliseconds(4_000),
      seed: 3,
      visitEvery: milliseconds(400),
    });
    const result = await generate(coder.url, schedule, { users }).done;
    expect(
      result.series.map(({ failures }) => failures).filter((one) => Object.keys(one).length > 0),
    ).toEqual([]);
    const planned = schedule.arrivals.reduce((sum, { batch }) => sum + batch.calls.length, 0);
    expect(result.calls).toMatchObject({ ok: planned, failed: 0, leftOut: 0, unfinished: 0 });
    const routes = new Set(result.series.filter(({ warmUp }) => !warmUp).map(({ route }) => route));
    expect([...routes].sort()).toEqual([...dashboardMix.routes.map(({ id }) => id), 'buildinfo'].sort());
    expect(result.series.some(({ warmUp }) => warmUp)).toBe(true);
    expect(result.sockets).toMatchObject({ opened: 3, drops: 0, refused: 0, openAtEnd: 3 });
    expect(result.rateLimits.find(({ route }) => route === 'authcheck')?.limit).toBe(512);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});
