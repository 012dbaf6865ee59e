import { describe, expect, it, vi } from 'vitest';
import { dashboardMix } from '../../src/load/mix-data.js';
import { planRates } from '../../src/load/rate-plan.js';
import { scheduleProbe, scheduleVisits, type Schedule } from '../../src/load/schedule.js';
import { milliseconds } from '../../src/units.js';
import { RateLimiter } from '../../simulator/coder/rate-limits.js';

const visits = (users: number): Schedule =>
  scheduleVisits({ mix: dashboardMix, users, duration: milliseconds(300_000), seed: 1 });

/** Calls to one path at these times, in milliseconds. */
const callsAt = (times: readonly number[], path = '/api/v2/a?q=1'): Schedule => ({
  version: 'test',
  seed: 1,
  users: 1,
  durationMs: milliseconds(600_000),
  routes: [],
  arrivals: times.map((atMs) => ({
    atMs,
    user: 0,
    warmUp: false,
    batch: { afterMs: 0, calls: [{ route: 'a', path, waitsFor: [] }] },
  })),
});

describe('the rate plan', () => {
  it('counts an even rate as itself', () => {
    const even = callsAt(Array.from({ length: 600 }, (_none, index) => index * 500));
    const { paths } = planRates(even, { perMinute: 512, perUser: true });
    expect(paths).toHaveLength(1);
    expect(paths[0]?.path).toBe('/api/v2/a');
    expect(Math.abs((paths[0]?.peakPerMinute ?? 0) - 120)).toBeLessThanOrEqual(1);
  });

  it('counts what the limiter counts across two minutes, more than any true minute', () => {
    // 100 early in one minute, 100 early in the next: the limiter takes the first hundred as spread over its minute.
    const burst = (start: number) => Array.from({ length: 100 }, (_none, index) => start + index);
    const { paths } = planRates(callsAt([...burst(0), ...burst(60_000)]), { perMinute: 512, perUser: true });
    expect(paths[0]?.peakPerMinute).toBe(200);
  });

  it('shares a bucket per path between the users of one address, or gives each its own', () => {
    const schedule = visits(50);
    const shared = planRates(schedule, { perMinute: 512, perUser: false });
    const own = planRates(schedule, { perMinute: 512, perUser: true });
    const of = ({ paths }: typeof own, path: string) =>
      paths.find((one) => one.path === path)?.peakPerMinute ?? 0;
    expect(of(shared, '/api/v2/authcheck')).toBeGreaterThan(20 * of(own, '/api/v2/authcheck') * 0.3);
    // A path that holds an id of the user's own is its own in every version.
    const build = '/api/v2/workspacebuilds/{build}/parameters';
    expect(of(shared, build)).toBe(of(own, build));
    expect(shared.refusal).toBeUndefined();
    expect(own.refusal).toBeUndefined();
  });

  it('does not limit HTML and latency-check', () => {
    const { paths } = planRates(visits(5), { perMinute: 512, perUser: true });
    expect(paths.filter(({ path }) => !path.startsWith('/api/'))).toEqual([]);
  });

  it('refuses with the arithmetic, and says how many users fit', () => {
    const { refusal } = planRates(visits(400), { perMinute: 512, perUser: false });
    expect(refusal).toMatch(
      /^The plan would measure the rate limiter: 400 users would send \d+ calls to \/api\/v2\/\S+ in the busiest minute, and the deployment takes 512 a minute per address and path \(all users of one runner share it up to v2\.31\), of which 460 can be planned\. At most about \d+ users fit/,
    );
    const fitting = Number(/about (\d+) users/.exec(refusal ?? '')?.[1]);
    expect(
      planRates(visits(Math.floor(fitting * 0.9)), { perMinute: 512, perUser: false }).refusal,
    ).toBeUndefined();
    expect(planRates(visits(400), { perMinute: 512, perUser: true }).refusal).toBeUndefined();
  });

  it('counts the opening of each user’s WebSocket', () => {
    const { paths } = planRates(visits(30), { perMinute: 512, perUser: false });
    const inbox = paths.find(({ path }) => path === '/api/v2/notifications/inbox/watch');
    expect(inbox?.peakPerMinute).toBe(30);
  });

  it('adds what the other suites send', () => {
    const others = { '/api/v2/workspaces': 450 };
    const { refusal, paths } = planRates(visits(20), { perMinute: 512, perUser: false, others });
    expect(paths[0]?.path).toBe('/api/v2/workspaces');
    expect(refusal).toContain('calls and 450 of the other suites to /api/v2/workspaces');
  });

  it('lets everything pass when the limiter is off', () => {
    expect(planRates(visits(400), { perMinute: 0, perUser: false }).refusal).toBeUndefined();
  });

  it('refuses a probe that is too fast for its one path', () => {
    const probe = scheduleProbe({
      routes: [{ id: 'me', path: '/api/v2/users/me' }],
      rate: 10,
      duration: milliseconds(120_000),
      seed: 1,
      users: 1,
    });
    expect(planRates(probe, { perMinute: 512, perUser: true }).refusal).toContain('Lower "rate"');
  });

  it('is what the limiter of the simulated server counts', () => {
    const schedule = scheduleProbe({
      routes: [{ id: 'me', path: '/api/v2/users/me' }],
      rate: 3,
      duration: milliseconds(180_000),
      seed: 5,
      users: 1,
    });
    const peak = planRates(schedule, { perMinute: 512, perUser: true }).paths[0]?.peakPerMinute ?? 0;
    const minute = 60_000;
    const refusedWith = (limit: number, shift: number): number => {
      const limiter = new RateLimiter();
      let refused = 0;
      for (const { atMs, user } of schedule.arrivals) {
        if (user === undefined) continue;
        const begin = Math.ceil(performance.timeOrigin / minute) * minute - performance.timeOrigin;
        vi.spyOn(performance, 'now').mockReturnValue(begin + shift + atMs);
        if (limiter.count('key', limit) instanceof Error) refused += 1;
        vi.restoreAllMocks();
      }
      return refused;
    };
    const shifts = Array.from({ length: 12 }, (_none, index) => index * 5_000);
    expect(shifts.map((shift) => refusedWith(peak, shift))).toEqual(shifts.map(() => 0));
    expect(shifts.some((shift) => refusedWith(peak - 1, shift) > 0)).toBe(true);
  });
});
