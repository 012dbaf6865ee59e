import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutWorkspaces } from '../../src/load/mix.js';
import { dashboardMix } from '../../src/load/mix-data.js';
import { plannedPoolSamples, scheduleProbe, scheduleVisits } from '../../src/load/schedule.js';
import { milliseconds, minutes, toMilliseconds } from '../../src/units.js';

const visits = (users: number, durationMs: number, seed: number) =>
  scheduleVisits({ mix: dashboardMix, users, duration: milliseconds(durationMs), seed });

const plans = fc.record({
  users: fc.integer({ min: 1, max: 20 }),
  durationMs: fc.integer({ min: 5_000, max: 300_000 }),
  seed: fc.integer(),
});

describe('page visits', () => {
  it('are the same for the same seed, in order, and within the duration', () => {
    fc.assert(
      fc.property(plans, ({ users, durationMs, seed }) => {
        const schedule = visits(users, durationMs, seed);
        expect(visits(users, durationMs, seed)).toEqual(schedule);
        let last = 0;
        for (const { atMs, user } of schedule.arrivals) {
          expect(atMs).toBeGreaterThanOrEqual(last);
          expect(atMs).toBeLessThan(durationMs);
          if (user !== undefined) expect(user).toBeLessThan(users);
          last = atMs;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('warm up with exactly the first visit of each user', () => {
    fc.assert(
      fc.property(plans, ({ users, durationMs, seed }) => {
        const { arrivals } = visits(users, durationMs, seed);
        for (let user = 0; user < users; user += 1) {
          const documents = arrivals.filter(
            (arrival) => arrival.user === user && arrival.batch.calls[0]?.route === 'document',
          );
          expect(documents.map(({ warmUp }) => warmUp)).toEqual(documents.map((_one, index) => index === 0));
          expect(documents.length).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of one user do not move when others are added', () => {
    const ofFirst = (users: number) => visits(users, 120_000, 7).arrivals.filter(({ user }) => user === 0);
    expect(ofFirst(50)).toEqual(ofFirst(1));
  });

  it('of the last users are of another mix where there is one', () => {
    const others = { users: 2, mix: withoutWorkspaces(dashboardMix) };
    const plan = { mix: dashboardMix, users: 5, duration: milliseconds(300_000), seed: 1 };
    const { arrivals, version, routes } = scheduleVisits({ ...plan, others });
    const pathsOf = (users: readonly number[]): string =>
      arrivals
        .filter(({ user }) => user !== undefined && users.includes(user))
        .flatMap(({ batch }) => batch.calls.map(({ path }) => path))
        .join(' ');
    expect(pathsOf([3, 4])).not.toContain('{workspace}');
    expect(pathsOf([0, 1, 2])).toContain('{workspace}');
    expect(version).toMatch(/; 2 users: .* without workspaces$/);
    expect(routes.map(({ id }) => id)).toContain('workspace-acl');
  });

  it('come about every 30 seconds, with gaps that know nothing of each other', () => {
    const { arrivals } = visits(200, 600_000, 3);
    const gaps: number[] = [];
    for (let user = 0; user < 200; user += 1) {
      const times = arrivals
        .filter((arrival) => arrival.user === user && arrival.batch.calls[0]?.route === 'document')
        .map(({ atMs }) => atMs);
      gaps.push(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    }
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    // Gaps that reach over the end are missing, so the mean is a little short.
    expect(mean).toBeGreaterThan(27_000);
    expect(mean).toBeLessThan(32_000);
    expect(deviation / mean).toBeGreaterThan(0.9);
    expect(deviation / mean).toBeLessThan(1.1);
  });

  it('are joined by the polls in their periods', () => {
    const { arrivals } = visits(1, 300_000, 1);
    const first = arrivals.find(({ user }) => user === 0)?.atMs ?? Number.NaN;
    const polls = arrivals.filter(
      ({ user, batch }) => user === 0 && batch.calls.length === 1 && batch.calls[0]?.route === 'workspaces',
    );
    expect(polls.map(({ atMs }) => Math.round((atMs - first) / 1000))).toEqual([
      30, 60, 90, 120, 150, 180, 210, 240, 270,
    ]);
    expect(polls.every(({ warmUp }) => !warmUp)).toBe(true);
  });

  it('of the guide are enough for a P99: 299 samples and more', () => {
    const schedule = visits(50, toMilliseconds(minutes(5)), 1);
    expect(plannedPoolSamples(schedule)).toBeGreaterThan(4_000);
    expect(plannedPoolSamples(visits(5, toMilliseconds(minutes(1)), 1))).toBeGreaterThan(0);
  });

  it('bring a baseline along every two seconds', () => {
    const baseline = visits(3, 60_000, 1).arrivals.filter(({ user }) => user === undefined);
    expect(baseline.map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 30 }, (_none, index) => index * 2_000),
    );
    expect(baseline.filter(({ warmUp }) => warmUp)).toHaveLength(1);
  });
});

describe('the probe', () => {
  const probe = (rate: number, seed = 1) =>
    scheduleProbe({
      routes: [
        { id: 'often', path: '/api/v2/workspaces?limit=25', weight: 3 },
        { id: 'seldom', path: '/api/v2/authcheck', method: 'POST', body: '{"checks":{}}' },
      ],
      rate,
      duration: milliseconds(600_000),
      seed,
      users: 4,
    });

  it('arrives at its rate, each route by its weight, users in turn', () => {
    const schedule = probe(20);
    const arrivals = schedule.arrivals.filter(({ user }) => user !== undefined);
    // Four standard deviations of a Poisson count of 12,000.
    expect(Math.abs(arrivals.length - 12_000)).toBeLessThan(440);
    const often = arrivals.filter(({ batch }) => batch.calls[0]?.route === 'often').length;
    expect(often / arrivals.length).toBeCloseTo(0.75, 1);
    expect(arrivals.slice(0, 6).map(({ user }) => user)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(arrivals.filter(({ warmUp }) => warmUp)).toHaveLength(4);
  });

  it('keeps paths as they are written, and names routes without their query', () => {
    const { routes, arrivals } = probe(1);
    expect(routes[0]).toEqual({ id: 'often', method: 'GET', pattern: '/api/v2/workspaces', pool: true });
    expect(routes[1]?.method).toBe('POST');
    const often = arrivals.find(({ batch }) => batch.calls[0]?.route === 'often');
    expect(often?.batch.calls[0]?.path).toBe('/api/v2/workspaces?limit=25');
  });
});
