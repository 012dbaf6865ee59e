import { describe, expect, it } from 'vitest';
import { describeRestarts, restartMetric } from '../../src/measure/restarts.js';
import { answeringRoutes, apiRoutes, serverDelta, serverErrorsOf } from '../../src/measure/server-latency.js';
import { failed, skipped } from '../../src/server-evidence.js';
import { observation, OLD, serverPage, YOUNG } from '../support/server-pages.js';

const USERS = '/api/v2/users/{user}';
const page = (count: number, processStart?: number, source?: string) =>
  serverPage([{ path: USERS, latencies: new Array<number>(count).fill(0.02) }], {
    ...(processStart !== undefined && { processStart }),
    ...(source !== undefined && { source }),
  });

const valueOf = (metric: ReturnType<typeof restartMetric>): number | string =>
  metric.shape === 'count' ? metric.value : metric.reason;

describe('what the server counted during the load', () => {
  it('is the difference of the two pages', () => {
    expect(serverDelta(observation([page(5)], [page(8)]))).toMatchObject({
      seconds: 60,
      processes: 1,
      routes: [{ method: 'GET', path: USERS, latency: { total: 3 }, codes: { 200: 3 } }],
    });
  });

  it('is the sum of all replicas, each by its own start', () => {
    const seen = serverDelta(
      observation([page(5, OLD), page(70, OLD + 9)], [page(71, OLD + 9), page(7, OLD)]),
    );
    expect(seen).toMatchObject({ processes: 2, routes: [{ latency: { total: 3 } }] });
  });

  it('counts a replica that was added in between from its first request', () => {
    const seen = serverDelta(observation([page(5, OLD)], [page(6, OLD), page(4, YOUNG)]));
    expect(seen).toMatchObject({ processes: 2, routes: [{ latency: { total: 5 } }] });
  });

  it('takes a start that the clock moved by a second for the same process', () => {
    expect(serverDelta(observation([page(5, OLD)], [page(6, OLD + 1)]))).toMatchObject({
      routes: [{ latency: { total: 1 } }],
    });
  });

  it.each([
    ['whose counters fell', [page(5)], [page(3)], /began anew during the load/],
    ['that has another start', [page(5, OLD)], [page(9, YOUNG)], /began anew during the load/],
    [
      'of which another process answers that was there all the time',
      [page(5, OLD)],
      [page(9, OLD + 60)],
      /another coderd process/,
    ],
    ['that cannot show it', skipped('it is old'), skipped('it is old'), /it is old/],
    ['that did not answer at the end', [page(5)], failed('no answer'), /no answer/],
    [
      'whose page cannot be read',
      [page(5)],
      [{ ...page(5), text: 'coderd_api_requests_processed_total NaN\n' }],
      /cannot be read/,
    ],
  ])('is unknown of a server %s', (_, start, end, reason) => {
    expect(serverDelta(observation(start, end))).toMatchObject({
      reason: expect.stringMatching(reason) as unknown,
    });
  });

  it('leaves streams out of the latencies, and the gate’s own reading out of all', () => {
    const delta = serverDelta(
      observation(
        [page(1)],
        [
          serverPage([
            { path: USERS, latencies: [0.02, 0.02] },
            { path: '/api/v2/workspaces/{workspace}/watch', latencies: [600] },
            { path: '/api/v2/workspaceagents/me/reinit', latencies: [600], codes: { 200: 1 } },
            { path: '/api/v2/debug/ws', latencies: [0.1], codes: { 0: 1 } },
            { path: '/api/v2/workspaceagents/me/rpc', codes: { 500: 2 } },
            { path: '/api/v2/debug/metrics', latencies: [0.02] },
            { path: '/api/v2/replicas', latencies: [0.02] },
            { path: 'STATIC', latencies: [0.02] },
            { path: '/derp', latencies: [60] },
          ]),
        ],
      ),
    );
    if ('unavailable' in delta) throw new Error(delta.reason);
    expect(answeringRoutes(delta).map(({ path }) => path)).toEqual([USERS]);
    expect(apiRoutes(delta).map(({ path }) => path)).not.toContain('/api/v2/debug/metrics');
    expect(apiRoutes(delta).reduce((sum, route) => sum + serverErrorsOf(route), 0)).toBe(2);
  });
});

describe('coderd.restarts', () => {
  it.each([
    ['the list of replicas stays the same', observation([page(1)], [page(2)], [['a'], ['a']]), 0],
    ['an id is another', observation([page(1)], [page(2)], [['a'], ['b']]), 1],
    [
      'all of three are others',
      observation(skipped('x'), skipped('x'), [
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ]),
      3,
    ],
    ['one was added', observation([page(1)], [page(2)], [['a'], ['a', 'b']]), 0],
    ['one is gone', observation(skipped('x'), skipped('x'), [['a', 'b'], ['a']]), 1],
    ['the start of the only process is another', observation([page(1, OLD)], [page(1, YOUNG)]), 1],
    ['the counters of the only process fell', observation([page(4)], [page(3)]), 1],
    ['the counters of the only process grew', observation([page(4)], [page(5)]), 0],
    [
      'the list still holds a dead one, but its counters fell',
      observation([page(4)], [page(3)], [['a'], ['a']]),
      1,
    ],
    [
      'one of two named pages has another start',
      observation([page(1, OLD, 'a'), page(1, OLD, 'b')], [page(2, OLD, 'a'), page(1, YOUNG, 'b')]),
      1,
    ],
    [
      'pages cannot be compared, but the list can',
      observation([page(4)], failed('no answer'), [['a'], ['a']]),
      0,
    ],
  ])('when %s', (_, seen, restarts) => {
    const metric = restartMetric(seen);
    expect(metric).toMatchObject({ shape: 'count', source: 'server-metrics', value: restarts });
    expect(metric).toHaveProperty('evidence', ['evidence/server-metrics.json']);
  });

  it('is skipped where nothing shows it', () => {
    const metric = restartMetric(observation(skipped('old server'), skipped('old server')));
    expect(metric).toMatchObject({ shape: 'missing', skipped: true });
    expect(valueOf(metric)).toBe('whether coderd began anew cannot be seen: old server');
  });

  it.each([
    ['no page at the end', observation([page(1)], failed('no answer'))],
    ['no page at the start', observation(failed('no answer'), [page(1)])],
    [
      'neither list nor page at the end',
      observation([page(1)], failed('no answer'), [['a'], failed('no answer')]),
    ],
    ['a page that cannot be read', observation([page(1)], [{ ...page(1), text: 'coderd_api_x{ 1\n' }])],
  ])('is missing, and not skipped, with %s', (_, seen) => {
    const metric = restartMetric(seen);
    expect(metric.shape).toBe('missing');
    expect(metric).not.toHaveProperty('skipped');
  });

  it('is skipped when processes that cannot be told apart answer in turn', () => {
    expect(restartMetric(observation([page(1, OLD)], [page(1, OLD + 60)]))).toMatchObject({ skipped: true });
  });
});

describe('which processes began anew', () => {
  it('is told by the list of replicas, with the moment', () => {
    expect(
      describeRestarts(
        observation(skipped('x'), skipped('x'), [
          ['a', 'b'],
          ['b', 'c'],
        ]),
      ),
    ).toBe('One coderd process ended during the load; since then began: coder-c at 2026-01-05T06:00:00.000Z');
  });

  it('is told by the start of the process where there is no list', () => {
    expect(describeRestarts(observation([page(1, OLD)], [page(1, YOUNG)]))).toBe(
      'One coderd process ended during the load; since then began: GET /api/v2/debug/metrics at 2026-01-05T06:00:30.000Z',
    );
  });

  it('is not told where only counters fell, or a replica was not replaced', () => {
    expect(describeRestarts(observation([page(4)], [page(3)]))).toBe(
      'One coderd process ended during the load',
    );
    expect(describeRestarts(observation(skipped('x'), skipped('x'), [['a', 'b', 'c'], ['a']]))).toBe(
      '2 coderd processes ended during the load',
    );
  });

  it('is nothing where none ended, or nobody knows', () => {
    expect(describeRestarts(observation([page(1)], [page(2)]))).toBeUndefined();
    expect(describeRestarts(observation(skipped('x'), skipped('x')))).toBeUndefined();
  });
});
