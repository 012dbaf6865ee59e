import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumOf, workspaceTime } from '../../src/measure/workspace-time.js';
import { agentOf, at, buildOf, workspaceOf } from '../support/observed.js';
import { runOf, timingsOf } from '../support/times.js';

const TIMING = { queue: 30, build: 20, agent: 4, scripts: 5 };
const STAGES = { init: [31, 33], plan: [34, 37], apply: [38, 46], graph: [47, 48] } as const;

describe('the time of a workspace', () => {
  it('is told apart into the stages, and what the driver has beyond the server', () => {
    const time = workspaceTime(workspaceOf(TIMING), {
      run: runOf(0, 57),
      timings: timingsOf('build', STAGES),
      ownerCreatedAt: at(-2),
    });
    expect(time).toMatchObject({ total: 57, driverSpan: 57, serverSpan: 54, build: 1, buildId: 'build' });
    expect(time?.parts).toEqual({
      user: 2,
      queue: 30,
      init: 2,
      plan: 3,
      apply: 8,
      graph: 1,
      between: 6,
      agent: 4,
      client: 1,
    });
  });

  it('keeps a build whole whose stages are not known: they are not zero', () => {
    const { parts } = workspaceTime(workspaceOf(TIMING), { run: runOf(0, 60) }) ?? {};
    expect(parts).toEqual({ queue: 30, build: 20, agent: 4, client: 6 });
    const empty = workspaceTime(workspaceOf(TIMING), { timings: timingsOf('build', {}) });
    expect(empty?.parts).toEqual({ queue: 30, build: 20, agent: 4 });
  });

  it('knows fewer stages of servers that tell fewer', () => {
    const timings = timingsOf('build', { init: [31, 32], plan: [40, 41] });
    expect(workspaceTime(workspaceOf(TIMING), { timings })?.parts).toEqual({
      queue: 30,
      init: 1,
      plan: 1,
      between: 18,
      agent: 4,
    });
  });

  it('counts nothing twice where stages overlap', () => {
    const timings = timingsOf('build', { init: [30, 40], plan: [35, 45], graph: [36, 38] });
    expect(workspaceTime(workspaceOf(TIMING), { timings })?.parts).toMatchObject({
      init: 10,
      plan: 5,
      graph: 0,
      between: 5,
    });
  });

  it('takes lengths from a provisioner whose clock is an hour off', () => {
    const timings = timingsOf('build', { init: [3631, 3633], apply: [3638, 3646] });
    expect(workspaceTime(workspaceOf(TIMING), { timings })?.parts).toMatchObject({
      init: 2,
      apply: 8,
      between: 10,
    });
  });

  it('shows attempts that failed as time of their own', () => {
    const second = { begin: 100, queue: 3, build: 7, agent: 2 };
    const builds = [
      buildOf({ build: 50 }, { status: 'failed', id: 'first' }),
      buildOf(second, { number: 2, id: 'second' }),
    ];
    const time = workspaceTime(workspaceOf({}, { builds, agents: [agentOf(second)] }), {});
    expect(time).toMatchObject({ build: 2, buildId: 'second', total: 112 });
    expect(time?.parts).toEqual({ attempts: 100, queue: 3, build: 7, agent: 2 });
  });

  it('lasts until the slowest agent is connected', () => {
    const agents = [agentOf(TIMING, { id: 'a' }), agentOf({ ...TIMING, agent: 11 }, { id: 'b' })];
    expect(workspaceTime(workspaceOf(TIMING, { agents }), {})?.parts.agent).toBe(11);
  });

  it.each([
    ['was not built', workspaceOf({}, { builds: [buildOf({}, { status: 'failed' })] })],
    ['has no build', workspaceOf({}, { builds: [] })],
    ['has no agent', workspaceOf({}, { agents: [] })],
    [
      'has an agent that never came',
      workspaceOf(
        {},
        {
          agents: [
            agentOf(),
            { id: 'b', startScripts: [], status: 'connecting', createdAt: at(11) },
            agentOf({}, { id: 'c' }),
          ],
        },
      ),
    ],
  ])('is unknown for a workspace that %s', (_, workspace) => {
    expect(workspaceTime(workspace, { run: runOf(0, 50) })).toBeUndefined();
  });

  it('does not become negative where the server’s span is the longer one', () => {
    const time = workspaceTime(workspaceOf(TIMING), { run: runOf(0, 53.9), ownerCreatedAt: at(-2) });
    expect(time).toMatchObject({ driverSpan: 53.9, serverSpan: 54, total: 54 });
    expect(time?.parts).toMatchObject({ user: 0, client: 0 });
  });

  it('adds up to the driver’s span, whatever the parts', () => {
    const length = fc.integer({ min: 0, max: 300_000 }).map((ms) => ms / 1000);
    fc.assert(
      fc.property(
        fc.record({ queue: length, build: length, agent: length }),
        fc.array(length, { minLength: 8, maxLength: 8 }),
        fc.record({ beyond: length, user: length }),
        (timing, [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0], { beyond, user }) => {
          const extent = (x: number, y: number) => [Math.min(x, y), Math.max(x, y)] as const;
          const extents = {
            init: extent(a, b),
            plan: extent(c, d),
            graph: extent(e, f),
            apply: extent(g, h),
          };
          // What the provisioner's stages span fits into the build, as with one clock it does.
          const covered = Math.max(a, b, c, d, e, f, g, h) - Math.min(a, b, c, d, e, f, g, h);
          const long = { ...timing, build: timing.build + covered };
          const duration = long.queue + long.build + long.agent + beyond;
          const time = workspaceTime(workspaceOf(long), {
            run: runOf(0, duration),
            timings: timingsOf('build', extents),
            ownerCreatedAt: at(-user),
          });
          expect(time?.total).toBeCloseTo(duration, 6);
          for (const [stage, [from, to]] of Object.entries(extents)) {
            const own = time?.parts[stage as keyof typeof extents] ?? Number.NaN;
            expect(own).toBeGreaterThanOrEqual(0);
            expect(own).toBeLessThanOrEqual(to - from + 1e-6);
          }
          for (const value of Object.values(time?.parts ?? {})) expect(value).toBeGreaterThanOrEqual(0);
          expect(sumOf(time?.parts ?? {})).toBe(time?.total);
        },
      ),
    );
  });
});

describe('start-up scripts', () => {
  const scripts = (count: number, blocksLogin = false) => ({
    agents: [
      agentOf(TIMING, {
        id: 'agent',
        startScripts: Array.from({ length: count }, (_, index) => ({ name: `script ${index}`, blocksLogin })),
      }),
    ],
  });

  it('last from the first one’s beginning to the last one’s end, and are no part of the time', () => {
    const timings = timingsOf('build', STAGES, [
      ['agent', 55, 60],
      ['agent', 56, 90],
    ]);
    const time = workspaceTime(workspaceOf(TIMING, scripts(2)), { timings });
    expect(time).toMatchObject({ scripts: 35, total: 54 });
    expect(time?.scriptsBlockLogin).toBeUndefined();
  });

  it('say when nobody gets in before they are done', () => {
    const timings = timingsOf('build', STAGES, [['agent', 55, 60]]);
    expect(workspaceTime(workspaceOf(TIMING, scripts(1, true)), { timings })?.scriptsBlockLogin).toBe(true);
  });

  it.each([
    ['none is there', 0, []],
    ['one has not ended yet', 2, [['agent', 55, 60] as const]],
  ])('have no time when %s', (_, planned, ended) => {
    const time = workspaceTime(workspaceOf(TIMING, scripts(planned)), {
      timings: timingsOf('build', STAGES, ended),
    });
    expect(time?.scripts).toBeUndefined();
  });

  it('of several agents, the longest counts', () => {
    const agents = ['a', 'b'].map((id) => agentOf(TIMING, { id }));
    const timings = timingsOf('build', STAGES, [
      ['a', 55, 60],
      ['b', 100, 112],
    ]);
    expect(workspaceTime(workspaceOf(TIMING, { agents }), { timings })?.scripts).toBe(12);
  });
});
