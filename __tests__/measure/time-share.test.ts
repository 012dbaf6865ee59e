import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildShare, timeShare, workspaceTimes } from '../../src/measure/time-share.js';
import { retriesOf } from '../../src/measure/retries.js';
import { agentOf, at, buildOf, workspaceOf } from '../support/observed.js';
import { groupOf, NO_TIMINGS, numbered, runOf, timingsOf } from '../support/times.js';

/** A hundred workspaces: number i waits i seconds, is built in 10 s and connected in 2 s; the client adds one. */
const HUNDRED = Array.from({ length: 100 }, (_, index) =>
  numbered(index, { queue: index, build: 10, agent: 2 }),
);
const RUNS = HUNDRED.map((_, index) => runOf(index, index + 13));

describe('timeShare', () => {
  it('looks at the workspaces at or above the P95 of the driver’s clock', () => {
    const share = timeShare(groupOf(RUNS), HUNDRED, NO_TIMINGS);
    // Rank 95 of 100: number 94, with 107 s.
    expect(share).toMatchObject({
      group: 'pods',
      clock: 'driver',
      p95: 107,
      planned: 100,
      created: 100,
      failed: 0,
      unmatched: 0,
      slow: 6,
      withoutStages: 6,
    });
    const queue = 94 + 95 + 96 + 97 + 98 + 99;
    expect(share?.shares.queue).toBeCloseTo(queue / (queue + 6 * 13), 12);
    expect(share?.shares.build).toBeCloseTo(60 / (queue + 6 * 13), 12);
  });

  it('names the ten slowest, the slowest first', () => {
    const { slowest = [] } = timeShare(groupOf(RUNS), HUNDRED, NO_TIMINGS) ?? {};
    expect(slowest.map(({ workspace }) => workspace)).toEqual(
      [99, 98, 97, 96, 95, 94, 93, 92, 91, 90].map((index) => `scaletest-AbCdEfGh-${index}`),
    );
  });

  it('takes the slowest one alone where there are less than twenty', () => {
    const share = timeShare(groupOf(RUNS.slice(0, 8)), HUNDRED.slice(0, 8), NO_TIMINGS);
    expect(share).toMatchObject({ p95: 20, slow: 1 });
    expect(share?.shares.queue).toBeCloseTo(7 / 20, 12);
  });

  it('adds the stages where they are known, and says of how many they are not', () => {
    const timings = {
      builds: [timingsOf('build-99', { apply: [0, 8] }), timingsOf('build-98', { apply: [0, 8] })],
      ownersCreatedAt: {},
    };
    const share = timeShare(groupOf(RUNS), HUNDRED, timings);
    expect(share?.withoutStages).toBe(4);
    const total = 94 + 95 + 96 + 97 + 98 + 99 + 6 * 13;
    expect(share?.shares.apply).toBeCloseTo(16 / total, 12);
    expect(share?.shares.between).toBeCloseTo(4 / total, 12);
    expect(share?.shares.build).toBeCloseTo(40 / total, 12);
    expect(buildShare(share?.shares ?? {})).toBeCloseTo(60 / total, 12);
  });

  it('says that the P95 falls on failed runs, and looks at the slowest of the others', () => {
    const runs = RUNS.map((run, index) => (index < 90 ? run : { ...run, error: 'timeout' }));
    const waiting = HUNDRED.map((workspace, index) =>
      index < 94
        ? workspace
        : {
            ...workspace,
            agents: [],
            builds: [{ id: 'b', number: 1, status: 'pending', createdAt: at(0) }],
          },
    );
    const share = timeShare(groupOf(runs), waiting, NO_TIMINGS);
    expect(share?.p95).toBeUndefined();
    // Rank 86 of 90: number 85.
    expect(share).toMatchObject({ failed: 10, created: 90, slow: 5, stillQueued: 6 });
  });

  it('counts a build among the waiting that the server gave up on', () => {
    const error =
      'Coder: Build has been detected as pending for 30 minutes and has been terminated by the reaper.';
    const given = workspaceOf({}, { builds: [buildOf({}, { status: 'failed', error })], agents: [] });
    expect(timeShare(groupOf(RUNS, 101), [...HUNDRED, given], NO_TIMINGS)?.stillQueued).toBe(1);
  });

  it('takes the server’s clock where no run is known, as after a cancel', () => {
    const share = timeShare(groupOf({ unusable: 'cancelled' }, 100), HUNDRED, NO_TIMINGS);
    expect(share).toMatchObject({ clock: 'server', p95: 106, slow: 6 });
    expect(share?.shares.client).toBeUndefined();
    expect(share?.clocks).toBeUndefined();
  });

  it('takes a run for no workspace whose number another has too', () => {
    const twins = [...HUNDRED, numbered(99, { queue: 1000 }, { name: 'scaletest-Another0-99' })];
    const share = timeShare(groupOf(RUNS), twins, NO_TIMINGS);
    expect(share).toMatchObject({ created: 99, unmatched: 1, slow: 5 });
  });

  it('is nothing when nothing was created', () => {
    expect(timeShare(groupOf([]), [], NO_TIMINGS)).toBeUndefined();
    const failed = workspaceOf({}, { builds: [buildOf({}, { status: 'failed' })], agents: [] });
    expect(timeShare(groupOf([runOf(0, 3, { error: 'x' })]), [failed], NO_TIMINGS)).toBeUndefined();
  });

  it('compares the clocks, and names what lies between them', () => {
    const ownersCreatedAt = Object.fromEntries(HUNDRED.map(({ owner }) => [owner, at(-0.4)]));
    const runs = RUNS.map((run, index) => runOf(index, run.duration / 1000 + (index === 7 ? 5 : 0)));
    const { clocks } = timeShare(groupOf(runs), HUNDRED, { builds: [], ownersCreatedAt }) ?? {};
    expect(clocks?.workspaces).toBe(100);
    expect(clocks?.gap.median).toBeCloseTo(1, 9);
    expect(clocks?.gap.largest).toBeCloseTo(6, 9);
    expect(clocks?.gap.smallest).toBeCloseTo(1, 9);
    expect(clocks?.user).toBeCloseTo(0.4, 9);
    expect(clocks?.client).toBeCloseTo(0.6, 9);
  });

  it('shows a server’s span that is the longer one', () => {
    const runs = RUNS.map((run, index) => runOf(index, run.duration / 1000 - 1.5));
    expect(timeShare(groupOf(runs), HUNDRED, NO_TIMINGS)?.clocks?.gap.smallest).toBeCloseTo(-0.5, 9);
  });

  it('shares add up to one, and the slow ones are those at or above the P95', () => {
    const length = fc.integer({ min: 1, max: 100_000 }).map((ms) => ms / 1000);
    fc.assert(
      fc.property(
        fc.array(fc.record({ queue: length, build: length, agent: length, client: length }), {
          minLength: 1,
          maxLength: 80,
        }),
        fc.integer({ min: 0, max: 10 }),
        (all, failed) => {
          const runs = all.map(({ queue, build, agent, client }, index) =>
            runOf(index, queue + build + agent + client),
          );
          const workspaces = all.map((timing, index) => numbered(index, timing));
          const share = timeShare(groupOf(runs, runs.length + failed), workspaces, NO_TIMINGS);
          expect(Object.values(share?.shares ?? {}).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
          const planned = all.length + failed;
          const limit = share?.p95;
          if (limit === undefined) expect(Math.ceil(0.95 * planned - 1e-9)).toBeGreaterThan(all.length);
          else {
            const seconds = runs.map(({ duration }) => duration / 1000);
            expect(share?.slow).toBe(seconds.filter((one) => one >= limit).length);
            expect(seconds.filter((one) => one < limit).length).toBeLessThan(0.95 * planned);
          }
        },
      ),
    );
  });
});

describe('workspaceTimes', () => {
  it('gives every workspace that was created, the slowest first', () => {
    const times = workspaceTimes(groupOf(RUNS), [...HUNDRED].reverse(), NO_TIMINGS);
    expect(times).toHaveLength(100);
    expect(times.map(({ total }) => total)).toEqual(RUNS.map(({ duration }) => duration / 1000).reverse());
  });
});

describe('retriesOf', () => {
  const attempts = (...statuses: string[]) =>
    workspaceOf(
      {},
      {
        agents: [agentOf()],
        builds: statuses.map((status, index) =>
          buildOf(
            {},
            {
              number: index + 1,
              status,
              ...(status === 'failed' && { error: 'terraform apply: exit status 1' }),
            },
          ),
        ),
      },
    );

  it('counts what was tried again, and why, also where it did not help', () => {
    expect(
      retriesOf([
        attempts('succeeded'),
        attempts('failed', 'succeeded'),
        attempts('failed', 'failed', 'succeeded'),
        attempts('failed', 'failed'),
        attempts('failed'),
      ]),
    ).toEqual({
      workspaces: 3,
      succeeded: 2,
      causes: [{ summary: 'terraform apply: exit status 1', count: 4 }],
    });
  });

  it('is nothing where nothing was tried again', () => {
    expect(retriesOf([attempts('succeeded'), attempts('failed')])).toBeUndefined();
  });
});
