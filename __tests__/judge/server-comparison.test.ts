import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadSeries } from '../../src/load/load-types.js';
import { compareServer, type ServerComparison } from '../../src/judge/server-comparison.js';
import { serverDelta, type ServerDelta } from '../../src/measure/server-latency.js';
import { skipped } from '../../src/server-evidence.js';
import { loadResultOf, samplesOf, seriesOf } from '../support/load-results.js';
import { BOUNDS, observation, serverPage, type RouteOnPage } from '../support/server-pages.js';

const USERS = '/api/v2/users/{user}';
const WORKSPACES = { route: 'workspaces', pattern: '/api/v2/workspaces' };

/** Its counts are of the window alone: nothing was there before. */
function deltaOf(routes: readonly RouteOnPage[]): ServerDelta {
  const delta = serverDelta(observation([serverPage([])], [serverPage(routes)]));
  if ('unavailable' in delta) throw new Error(delta.reason);
  return delta;
}

function compare(series: readonly LoadSeries[], routes: readonly RouteOnPage[]): ServerComparison {
  const comparison = compareServer(loadResultOf(series), deltaOf(routes));
  if ('unavailable' in comparison) throw new Error(comparison.reason);
  return comparison;
}

const times = (count: number, value: number): number[] => new Array<number>(count).fill(value);

describe('ours beside the server’s', () => {
  it('agree where our quantile lies in the server’s bucket', () => {
    const { pooled } = compare([seriesOf(times(100, 30))], [{ path: USERS, latencies: times(100, 0.028) }]);
    expect(pooled.quantiles).toEqual([
      { name: 'P95', oursMs: 30, aboveMs: 25, upToMs: 50, outsideByMs: 0 },
      { name: 'P99', oursMs: 30, aboveMs: 25, upToMs: 50, outsideByMs: 0 },
    ]);
  });

  it('say by how much ours is longer than the server’s can be', () => {
    const { pooled } = compare([seriesOf(times(100, 620))], [{ path: USERS, latencies: times(100, 0.3) }]);
    expect(pooled.quantiles[0]).toEqual({
      name: 'P95',
      oursMs: 620,
      aboveMs: 100,
      upToMs: 500,
      outsideByMs: 120,
    });
  });

  it('say by how much ours is shorter, as when others were slower', () => {
    const { pooled, share } = compare(
      [seriesOf(times(10, 60))],
      [{ path: USERS, latencies: [...times(10, 0.05), ...times(90, 0.4)] }],
    );
    expect(pooled.quantiles[0]).toMatchObject({ oursMs: 60, aboveMs: 100, outsideByMs: -40 });
    expect(share).toEqual({ ours: 10, server: 100 });
  });

  it('know no upper bound above the last bucket', () => {
    const { pooled } = compare([seriesOf(times(5, 90_000))], [{ path: USERS, latencies: times(5, 45) }]);
    expect(pooled.quantiles[0]).toMatchObject({ aboveMs: 30_000, upToMs: Infinity, outsideByMs: 0 });
  });

  it('count failed calls of ours as infinitely slow', () => {
    const { pooled } = compare(
      [seriesOf(times(80, 30), { failed: 20 })],
      [{ path: USERS, latencies: times(100, 0.03) }],
    );
    expect(pooled.quantiles.map(({ oursMs, outsideByMs }) => [oursMs, outsideByMs])).toEqual([
      [Infinity, Infinity],
      [Infinity, Infinity],
    ]);
    expect(pooled.ours).toMatchObject({ n: 100, failed: 20 });
  });

  it('leave first visits out of our quantiles, but not out of our share', () => {
    const { pooled } = compare(
      [seriesOf(times(10, 30)), seriesOf(times(5, 900), { warmUp: true, throttled: 2 })],
      [{ path: USERS, latencies: times(20, 0.03) }],
    );
    expect(pooled.quantiles[1]).toMatchObject({ oursMs: 30 });
    expect(pooled.ours.n).toBe(10);
    expect(pooled.share).toEqual({ ours: 17, server: 20 });
  });

  it('merge the phases, and our routes that are one to the server', () => {
    const other = { route: 'user', pattern: '/api/v2/users/{user}', phase: 'create' };
    const { routes } = compare(
      [seriesOf(times(3, 20)), seriesOf(times(4, 40), other)],
      [{ path: USERS, latencies: times(7, 0.03) }],
    );
    expect(routes).toHaveLength(1);
    expect(routes[0]).toMatchObject({
      ids: ['user', 'users-me'],
      method: 'GET',
      path: USERS,
      ours: { n: 7 },
    });
  });

  it('pool only what 14.9 and 14.10 are judged on', () => {
    const { pooled, routes } = compare(
      [
        seriesOf(times(10, 30)),
        seriesOf(times(10, 900), { ...WORKSPACES, pool: false }),
        seriesOf(times(10, 2), { route: 'document', pattern: '/*', pool: false }),
      ],
      [
        { path: USERS, latencies: times(10, 0.03) },
        { path: '/api/v2/workspaces', latencies: times(10, 0.9) },
        { path: 'STATIC', latencies: times(10, 0.0005) },
      ],
    );
    expect(pooled.quantiles[0]).toMatchObject({ oursMs: 30, upToMs: 50 });
    expect(routes.map(({ path }) => path).sort()).toEqual([
      '/api/v2/users/{user}',
      '/api/v2/workspaces',
      'STATIC',
    ]);
  });

  it('keep methods apart', () => {
    const { routes, uncounted } = compare(
      [seriesOf(times(3, 20), { method: 'POST', route: 'authcheck', pattern: '/api/v2/authcheck' })],
      [{ method: 'GET', path: '/api/v2/authcheck', latencies: [0.1] }],
    );
    expect(routes).toEqual([]);
    expect(uncounted).toEqual(['authcheck']);
  });

  it('notice answers that the server did not count', () => {
    const { pooled } = compare(
      [seriesOf(times(10, 30), { failed: 5 })],
      [{ path: USERS, latencies: times(4, 0.03) }],
    );
    expect(pooled.missing).toBe(6);
  });

  it('count the server’s errors and show our wait for a connection', () => {
    const { pooled } = compare(
      [seriesOf(times(10, 30), { connectionWait: samplesOf(times(10, 12)) })],
      [{ path: USERS, latencies: times(10, 0.03), codes: { 200: 7, 404: 1, 502: 2 } }],
    );
    expect(pooled.server).toEqual({ n: 10, errors: 2, codes: { 200: 7, 404: 1, 502: 2 } });
    expect(pooled.ours.connectionWaitP95Ms).toBe(12);
  });

  it('have nothing to say without the server, and compare nothing without calls', () => {
    const why = skipped('old');
    expect(compareServer(loadResultOf([seriesOf([1])]), why)).toBe(why);
    const { pooled, routes } = compare([], [{ path: USERS, latencies: [0.1] }]);
    expect(pooled.quantiles).toEqual([]);
    expect(routes).toEqual([]);
  });

  it('never disagree when both saw the same, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.0001, max: 100, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (latencies) => {
          const { pooled } = compare(
            [seriesOf(latencies.map((value) => value * 1000))],
            [{ path: USERS, latencies }],
          );
          for (const { outsideByMs } of pooled.quantiles) expect(Math.abs(outsideByMs)).toBeLessThan(1e-6);
        },
      ),
    );
  });

  it('find at least a delay that crosses a bound, and never more than the delay', () => {
    const bound = fc.constantFrom(...BOUNDS);
    fc.assert(
      fc.property(bound, fc.double({ min: 0, max: 5000, noNaN: true }), (at, delayMs) => {
        const { pooled } = compare(
          [seriesOf(times(50, at * 1000 + delayMs))],
          [{ path: USERS, latencies: times(50, at) }],
        );
        for (const { outsideByMs } of pooled.quantiles) {
          // A value at its bucket's bound: the whole delay shows.
          expect(outsideByMs).toBeCloseTo(delayMs, 6);
        }
      }),
    );
  });
});
