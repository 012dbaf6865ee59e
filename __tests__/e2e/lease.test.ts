import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun, RunActionOptions } from '../../simulator/runner/runner.js';
import { endTaker, leaseTokens, letTimePass, LOCK, locks, signs, takeOver } from '../support/leases.js';
import {
  annotationsOf,
  configFile,
  errorTexts,
  expectNothingLeft,
  expectOutcome,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  outcomeOf,
  readJson,
  reasonOf,
  remaining,
  spread,
  summaryOf,
  verdictOf,
  type E2eWorld,
} from './support.js';

const api = { disableRateLimits: false };
const slow: Partial<DeploymentOptions> = {
  ...api,
  templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } },
};
/** Long enough for another run to come in the meantime. */
const lasting: Partial<DeploymentOptions> = {
  ...api,
  templateOverrides: { 'pod-swdev': { startSeconds: spread(10) } },
};
const small = configFile({ pods: 2, ec2: 0 });
const LOADING = /pod_workspaces: 0 of 2 built, 2 building/;
const urlOf = (run: number): string =>
  `https://github.com/octo-org/infrastructure/actions/runs/${run}/attempts/1`;
const asRun = (run: number, options: Partial<RunActionOptions> = {}): Partial<RunActionOptions> => ({
  ...options,
  env: { GITHUB_RUN_ID: String(run), ...options.env },
});
const expectLeaseFree = (world: E2eWorld): void => expect(leaseTokens(world.coder)).toEqual([]);

/** A run that was killed with its runner: no post step either. */
async function killedRun(world: E2eWorld, run: number): Promise<ActionRun> {
  const killed = await world.gate(
    small,
    asRun(run, { runPost: false, signals: [{ signal: 'SIGKILL', whenLogMatches: LOADING }] }),
  );
  expect(killed.main.signal).toBe('SIGKILL');
  expect(remaining(world).workspaces).toHaveLength(2);
  expect(locks(world.coder)).toHaveLength(1);
  return killed;
}

/** Begins a run and gives it once its load is under way. */
async function loadingRun(world: E2eWorld, options: Partial<RunActionOptions>) {
  let loading = (): void => undefined;
  const underWay = new Promise<void>((resolve) => (loading = resolve));
  const ended = world.gate(small, {
    ...options,
    onLog: (line) => {
      if (LOADING.test(line)) loading();
    },
  });
  await Promise.race([underWay, ended]);
  return { ended };
}

describe.concurrent('two gates at once', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('end with one that runs and one that stops and says who holds the lease', () =>
    inWorld(lasting, async (world) => {
      const runs = await Promise.all([world.gate(small, asRun(1)), world.gate(small, asRun(2))]);
      const winner = runs.findIndex((run) => verdictOf(run) === 'pass');
      const [first, second] = winner === 0 ? runs : [runs[1], runs[0]];
      expectOutcome(first, 'pass', 0);
      expectOutcome(second, 'error', 1);
      const holder = urlOf(winner + 1);
      for (const text of [reasonOf(second), errorTexts(second), summaryOf(second)]) {
        expect(text).toContain(`another scale test holds the lease of this deployment: ${holder}, since 20`);
        expect(text).toContain('Wait for it with "lease-wait"');
      }
      expect(second.main.summary).toMatch(/^### The scale test was not started/);
      // Only the first made anything, and both of its workspaces lived to be measured.
      expect(world.coder.state.workspaces.size).toBe(2);
      expect(readJson(first, 'metrics.json')).toBeDefined();
      expect(JSON.parse(first.outputs['metrics'] ?? '{}')).toMatchObject({
        'create_workspaces.all.success_rate.value': 1,
      });
      expectNothingLeft(world);
      expectLeaseFree(world);
    }));

  it('run one after the other with "lease-wait"', () =>
    inWorld(lasting, async (world) => {
      const inputs = { 'lease-wait': '90s' };
      const runs = await Promise.all([
        world.gate(small, asRun(1, { inputs })),
        world.gate(small, asRun(2, { inputs })),
      ]);
      for (const run of runs) expectOutcome(run, 'pass', 0);
      const waits = runs.map((run) => logOf(run).match(/Waiting at most 2 min more: another scale test .*/g));
      expect(waits.filter((lines) => lines !== null)).toHaveLength(1);
      const holder = urlOf(waits[0] === null ? 1 : 2);
      expect(waits.flat().join('\n')).toContain(holder);
      expect(world.coder.state.workspaces.size).toBe(4);
      expectNothingLeft(world);
      expectLeaseFree(world);
    }));

  it('with different users keep apart as well', () =>
    inWorld(lasting, async (world) => {
      const member = world.coder.state.userByName(world.coder.memberUsername);
      if (member) member.roles = ['owner'];
      const { ended } = await loadingRun(world, asRun(1));
      const inputs = { 'coder-session-token': world.coder.memberToken, leftovers: 'clean' };
      const second = await world.gate(small, asRun(2, { inputs }));
      expectOutcome(second, 'error', 1);
      expect(reasonOf(second)).toContain(`${urlOf(1)}, as the user "ci-admin", since 20`);
      expectOutcome(await ended, 'pass', 0);
      expectLeaseFree(world);
    }));

  it('with "leftovers: clean" spare each other’s workspaces, and so does "mode: cleanup", which says so', () =>
    inWorld(lasting, async (world) => {
      const { ended } = await loadingRun(world, asRun(1));
      // At the same time, so that the first is still at work when the last of them looks.
      const [janitor, preflight, cleaner] = await Promise.all([
        world.run(undefined, asRun(2, { inputs: { mode: 'cleanup' } })),
        world.gate(small, asRun(3, { inputs: { mode: 'preflight' } })),
        world.gate(small, asRun(4, { inputs: { leftovers: 'clean' } })),
      ]);
      expect(outcomeOf(janitor), logOf(janitor)).toEqual({
        exitCode: 0,
        post: 0,
        verdict: undefined,
        orphans: [],
      });
      expect(reasonOf(janitor)).toContain(
        `nothing was removed, because another scale test holds the lease of this deployment: ${urlOf(1)}`,
      );
      expect(annotationsOf(janitor, 'warning').map(({ message }) => message)).toEqual([reasonOf(janitor)]);
      expect(summaryOf(janitor)).toMatch(/^### Scale-test clean-up did nothing/);
      expect(summaryOf(preflight)).toContain(
        `another scale test holds the lease of this deployment: ${urlOf(1)}`,
      );
      expectOutcome(cleaner, 'error', 1);
      const first = await ended;
      expectOutcome(first, 'pass', 0);
      expect(world.coder.state.workspaces.size).toBe(2);
      expectLeaseFree(world);
    }));
});

describe.concurrent(
  'the lease of a run that was killed with its runner',
  { timeout: LONGEST_SCENARIO_MS },
  () => {
    it('keeps the next one away for five minutes, which names the dead; then it is taken over', () =>
      inWorld(slow, async (world) => {
        await killedRun(world, 1);
        const early = await world.gate(small, asRun(2, { inputs: { leftovers: 'clean' } }));
        expectOutcome(early, 'error', 1);
        expect(reasonOf(early)).toContain(`${urlOf(1)}, since 20`);
        expect(reasonOf(early)).toContain('the lease is free five minutes after its last sign of life');
        expect(remaining(world).workspaces).toHaveLength(2);

        letTimePass(world.coder, 301);
        world.coder.options.templateOverrides = {};
        const later = await world.gate(small, asRun(3, { inputs: { leftovers: 'clean' } }));
        expectOutcome(later, 'pass', 0);
        expect(logOf(later)).toMatch(/The lease of https:.*\/runs\/1\/attempts\/1 since .* is taken over/);
        expectNothingLeft(world);
        expectLeaseFree(world);
      }));

    it('is free for the janitor after five minutes, which removes what the dead run left', () =>
      inWorld(slow, async (world) => {
        await killedRun(world, 1);
        const janitor = (run: number) => world.run(undefined, asRun(run, { inputs: { mode: 'cleanup' } }));
        const early = await janitor(2);
        expect(early.main.exitCode).toBe(0);
        expect(reasonOf(early)).toContain(`nothing was removed, because another scale test`);
        expect(remaining(world).workspaces).toHaveLength(2);
        letTimePass(world.coder, 301);
        const later = await janitor(3);
        expect(later.main.exitCode, logOf(later)).toBe(0);
        expect(reasonOf(later)).toBe('2 workspaces and 2 users were removed; nothing is left');
        expectNothingLeft(world);
        expectLeaseFree(world);
      }));

    it('is taken over by exactly one of two that come at once', () =>
      inWorld(slow, async (world) => {
        await killedRun(world, 1);
        letTimePass(world.coder, 301);
        world.coder.options.templateOverrides = { 'pod-swdev': { startSeconds: spread(5) } };
        const inputs = { leftovers: 'clean' };
        const runs = await Promise.all([2, 3].map((run) => world.gate(small, asRun(run, { inputs }))));
        expect(runs.map(verdictOf).sort()).toEqual(['error', 'pass']);
        expectNothingLeft(world);
        expectLeaseFree(world);
      }));
  },
);

describe.concurrent('the lease of a run that ended early', { timeout: LONGEST_SCENARIO_MS }, () => {
  const signals = (signal: 'SIGINT' | 'SIGKILL', whenLogMatches: RegExp, afterMs = 0) => ({
    signals: [{ signal, whenLogMatches, afterMs }],
  });
  it.each([
    ['cancelled in the middle of the load', signals('SIGINT', LOADING)],
    ['killed in the middle of the load', signals('SIGKILL', LOADING)],
    ['killed after READY', signals('SIGKILL', /^::group::Readiness/)],
  ])('%s is released by post', (_, options) =>
    inWorld(slow, async (world) => {
      const run = await world.gate(small, options);
      expect(run.main.exitCode).not.toBe(0);
      expect(run.post?.exitCode, logOf(run)).toBe(0);
      expectNothingLeft(world);
      expectLeaseFree(world);
    }),
  );

  /** The first secret that is masked after the owner's own token is the lock's. */
  const lockIsMade = (world: E2eWorld): RegExp => new RegExp(`^::add-mask::(?!${world.coder.ownerToken})`);

  it('cancelled as soon as the lock is made is released', () =>
    inWorld({ ...slow, latencySeconds: 0.3 }, async (world) => {
      const run = await world.gate(small, signals('SIGINT', lockIsMade(world)));
      expectOutcome(run, 'cancelled', 1);
      expectLeaseFree(world);
    }));

  it('killed as soon as the lock is made is released, or ends by itself', () =>
    inWorld(api, async (world) => {
      const run = await world.gate(small, signals('SIGKILL', lockIsMade(world)));
      expect(run.main.signal).toBe('SIGKILL');
      letTimePass(world.coder, 301);
      expectOutcome(await world.gate(small), 'pass', 0);
      expectLeaseFree(world);
    }));

  it('is released when READY refuses', () =>
    inWorld(api, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.gate(small);
      expectOutcome(run, 'error', 1);
      expect(run.post?.log).toEqual(['main left nothing to do']);
      expectLeaseFree(world);
    }));

  it('is not taken for modes plan and preflight', () =>
    inWorld(api, async (world) => {
      for (const mode of ['plan', 'preflight']) {
        const run = await world.gate(small, { inputs: { mode } });
        expect(run.main.exitCode, logOf(run)).toBe(0);
        if (mode === 'preflight') expect(summaryOf(run)).toContain('| lease | ok | free |');
      }
      expect(world.coder.state.requestCounts.get('POST /api/v2/users/{user}/keys/tokens')).toBeUndefined();
    }));

  it('that another run has taken over is not released by post, which removes nothing', () =>
    inWorld(slow, async (world) => {
      const run = await world.gate(small, {
        ...signals('SIGKILL', LOADING),
        onLog: (line) => {
          // As if the runner had stood still for long, and another run had come.
          if (LOADING.test(line)) takeOver(world.coder, urlOf(7));
        },
      });
      expect(run.post?.exitCode).toBe(1);
      expect(errorTexts(run)).toContain(
        `nothing was removed, because another scale test holds the lease of this deployment: ${urlOf(7)}`,
      );
      expect(remaining(world).workspaces).toHaveLength(2);
      expect(locks(world.coder).map(({ id }) => id)).toEqual(['othersLock']);
      expect(signs(world.coder)).toHaveLength(1);
    }));

  it.each(['gate', 'SIGKILL'])(
    'that was taken over by a run which has ended is not taken again to delete what that run kept (%s)',
    (how) =>
      inWorld(lasting, async (world) => {
        const run = await world.gate(small, {
          ...(how === 'SIGKILL' && signals('SIGKILL', LOADING)),
          onLog: (line) => {
            if (!LOADING.test(line)) return;
            takeOver(world.coder, urlOf(7));
            endTaker(world.coder);
          },
        });
        expect(run.post?.exitCode, logOf(run)).toBe(1);
        expect(errorTexts(run)).toContain('the lease of this run was taken over or removed while it ran');
        expect(remaining(world).workspaces).toHaveLength(2);
        expectLeaseFree(world);
      }),
  );

  it.each(['gate', 'run'])(
    'and was taken over in the middle: red, and nothing is removed (mode %s)',
    (mode) =>
      inWorld(lasting, async (world) => {
        const run = await world.gate(small, {
          inputs: { mode },
          onLog: (line) => {
            if (LOADING.test(line)) takeOver(world.coder, urlOf(7));
          },
        });
        expect(outcomeOf(run)).toMatchObject({ verdict: 'error', exitCode: 1, post: 1 });
        expect(reasonOf(run)).toMatch(
          /^the lease of this run was taken over by https:.*\/runs\/7\/.* so what was measured may be another test's$/,
        );
        expect(summaryOf(run)).toContain(
          'Nothing more is removed, because the lease of this run was taken over',
        );
        expect(remaining(world).workspaces).toHaveLength(2);
        expect(locks(world.coder).map(({ id }) => id)).toEqual(['othersLock']);
      }),
  );
});

describe.concurrent(
  'a deployment that does not let the lease be taken',
  { timeout: LONGEST_SCENARIO_MS },
  () => {
    it('keeps the load from starting, with what it wants and every other reason', () =>
      inWorld({ ...api, statusOverride: { 'POST /api/v2/users/{user}/keys/tokens': 403 } }, async (world) => {
        world.coder.seedLeftovers(1);
        const run = await world.gate(small);
        expectOutcome(run, 'error', 1);
        expect(reasonOf(run)).toMatch(
          /could not be taken: POST .*answered 403.*API tokens of the signed-in user, which it has to be allowed/,
        );
        expect(reasonOf(run)).toContain('1 workspaces and 1 users of an earlier scale test are there');
        const janitor = await world.run(undefined, { inputs: { mode: 'cleanup' } });
        expectOutcome(janitor, 'error', 1);
        expect(remaining(world).workspaces).toHaveLength(1);
      }));

    it.each(['v2.21.3', 'v2.31.0'])('%s lets it be taken, and keeps no secret of it anywhere', (version) =>
      inWorld({ ...lasting, version }, async (world) => {
        let values: string[] = [];
        const run = await world.gate(small, {
          onLog: (line) => {
            if (LOADING.test(line)) values = leaseTokens(world.coder).map(({ secret }) => secret);
          },
        });
        expectOutcome(run, 'pass', 0);
        expect(values).toHaveLength(2);
        const masked = run.main.rawOutput.split('\n').filter((line) => !line.startsWith('::add-mask::'));
        for (const value of values) {
          expect(masked.join('\n')).not.toContain(value);
          expect(JSON.stringify(run.state)).not.toContain(value);
        }
        expect(run.state['lease']).toBe('');
        expect(run.main.rawOutput).not.toContain(LOCK);
        expectLeaseFree(world);
      }),
    );
  },
);
