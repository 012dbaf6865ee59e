import { describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
import { letTimePass } from '../support/leases.js';
import {
  configFile,
  errorTexts,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  outcomeOf,
  readJson,
  reasonOf,
  remaining,
  spread,
  verdictOf,
  type E2eWorld,
} from './support.js';

const api = { disableRateLimits: false };
const small = configFile({ pods: 2, ec2: 0 });

/** A call as the owner, beside the gate. */
async function asOwner({ coder }: E2eWorld, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${coder.url}/api/v2${path}`, {
    method: 'POST',
    headers: { 'Coder-Session-Token': coder.ownerToken, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as Record<string, unknown>;
}

/** Workspaces and a user of people: their names only look a little like the test's. */
async function addPeoplesThings(world: E2eWorld): Promise<string[]> {
  const template = [...world.coder.state.templates.values()].find(
    ({ options }) => options.name === 'pod-swdev',
  );
  const names = ['dev', 'my-scaletest-1', 'scaletests', 'notscaletest-abc-1'];
  for (const name of names) await asOwner(world, '/users/me/workspaces', { template_id: template?.id, name });
  return names;
}

const names = (world: E2eWorld): string[] =>
  world.coder.state
    .liveWorkspaces()
    .map(({ name }) => name)
    .sort();

describe.concurrent('what an earlier test left', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('keeps the load from starting, with names and age', () =>
    inWorld(api, async (world) => {
      world.coder.seedLeftovers(2);
      const [first] = world.coder.state.liveWorkspaces();
      if (first) first.createdAt -= 3 * 3_600_000;
      const run = await world.gate(small);
      expectOutcome(run, 'error', 1);
      for (const text of [reasonOf(run), errorTexts(run)]) {
        expect(text).toMatch(/2 workspaces and 2 users of an earlier scale test are there: /);
        expect(text).toMatch(new RegExp(`scaletest-.*/${first?.name ?? '-'} \\(3 h old\\)`));
        expect(text).toMatch(/remove them with "mode: cleanup", or set "leftovers: clean"/);
      }
      expect(run.main.summary).toContain('3 h old');
      expect(remaining(world).workspaces).toHaveLength(2);
      expect(world.coder.state.workspaces.size).toBe(2);
    }));

  it('is removed first with "leftovers: clean"; what is others’ survives', () =>
    inWorld(api, async (world) => {
      const others = await addPeoplesThings(world);
      world.coder.seedLeftovers(3);
      const run = await world.gate(small, { inputs: { leftovers: 'clean' } });
      expectOutcome(run, 'pass', 0);
      expect(run.main.log).toContain(
        'Leftovers of an earlier test: 3 workspaces and 3 users were removed; nothing is left',
      );
      expect(run.main.summary).toContain('they will be removed first');
      expect(names(world)).toEqual([...others].sort());
      expect(remaining(world).users).toEqual([]);
      expect(readJson(run, 'leftovers.json')).toMatchObject({ deletedWorkspaces: 2, deletedUsers: 2 });
    }));

  it('that "leftovers: clean" cannot remove keeps the load from starting', () =>
    inWorld({ ...api, failDeleteShare: 1 }, async (world) => {
      world.coder.seedLeftovers(1);
      const [name] = remaining(world).workspaces;
      const run = await world.gate(small, { inputs: { leftovers: 'clean' } });
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toMatch(
        /the leftovers could not be removed: .*1 workspaces and 1 users are left/,
      );
      expect(run.main.summary).toContain(name);
      expect(world.coder.state.workspaces.size).toBe(1);
    }));

  it('is removed by "mode: cleanup", which needs no config and reports it; what is others’ survives', () =>
    inWorld(api, async (world) => {
      const others = await addPeoplesThings(world);
      world.coder.seedLeftovers(4);
      // A workspace of the owner's own, made by a test with "owner: token-user".
      const template = [...world.coder.state.templates.values()][0];
      await asOwner(world, '/users/me/workspaces', {
        template_id: template?.id,
        name: 'scaletest-Ab3dEf9h-0',
      });
      const run = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expect(outcomeOf(run), logOf(run)).toEqual({ exitCode: 0, post: 0, verdict: undefined, orphans: [] });
      expect(reasonOf(run)).toBe('5 workspaces and 4 users were removed; nothing is left');
      expect(run.main.summary).toMatch(/^### Scale-test clean-up of `http:\/\/127/);
      expect(run.main.summary).toContain('5 workspaces and 4 users were removed; nothing is left');
      expect(names(world)).toEqual([...others].sort());
      expect(remaining(world).users).toEqual([]);
      expect(world.coder.state.liveUsers()).toHaveLength(2);
      expect(world.releases.requests).toEqual([]);
    }));

  it('may be nothing', () =>
    inWorld(api, async (world) => {
      const run = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expect(outcomeOf(run)).toEqual({ exitCode: 0, post: 0, verdict: undefined, orphans: [] });
      expect(reasonOf(run)).toBe('0 workspaces and 0 users were removed; nothing is left');
    }));

  it('is named when "mode: cleanup" cannot remove it', () =>
    inWorld({ ...api, failDeleteShare: 1 }, async (world) => {
      world.coder.seedLeftovers(1);
      const [name] = remaining(world).workspaces;
      const run = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toContain('1 workspaces and 1 users are left');
      expect(reasonOf(run)).toContain(name);
      expect(errorTexts(run)).toContain(name);
      expect(run.main.summary).toMatch(/\| Left \| Created \| Why \|/);
      expect(run.main.summary).toContain('its deletion is failed');
    }));

  const deletionsAsked = ({ coder }: E2eWorld): number =>
    [...coder.state.builds.values()].filter(({ transition }) => transition === 'delete').length;
  const orphaning = configFile({ pods: 1, ec2: 0, more: ['cleanup: { orphan: true }'] });

  it.each([
    ['is orphaned by "mode: cleanup" when the config that the input names says so', true],
    ['is not orphaned when the input "config" names none', false],
  ])('%s', (_, isNamed) =>
    inWorld({ ...api, failDeleteShare: 1 }, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.run(orphaning, {
        inputs: { mode: 'cleanup', ...(isNamed && { config: 'scaletest-config.yaml' }) },
      });
      expectOutcome(run, 'error', 1);
      // Three tries come before it.
      expect(deletionsAsked(world)).toBe(isNamed ? 4 : 3);
    }),
  );

  it.each([
    [
      'that is not there',
      'nowhere.yaml',
      /the config file "nowhere\.yaml" \(input "config"\) cannot be read/,
    ],
    ['with a mistake', 'scaletest-config.yaml', /unknown key "orphans" in cleanup; did you mean "orphan"\?/],
  ])('is not removed by "mode: cleanup" with a config %s', (_, config, says) =>
    inWorld(api, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.run(orphaning.replace('orphan:', 'orphans:'), {
        inputs: { mode: 'cleanup', config },
      });
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toMatch(says);
      expect(remaining(world).workspaces).toHaveLength(1);
    }),
  );

  it('asks for nothing but credentials when "mode: cleanup" has none', () =>
    inWorld(api, async (world) => {
      const run = await world.run(undefined, { inputs: { mode: 'cleanup', 'coder-session-token': '' } });
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toMatch(/^mode "cleanup" needs an owner's credentials: [^·]*$/);
      expect(reasonOf(run)).not.toContain('config file');
    }));

  it('is not removed for a member', () =>
    inWorld(api, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.run(undefined, {
        inputs: { mode: 'cleanup', 'coder-session-token': world.coder.memberToken },
      });
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toContain(
        `the user "ordinary-member" is not an owner; clean-up needs an owner's token`,
      );
      expect(remaining(world).workspaces).toHaveLength(1);
    }));
});

describe.concurrent('the clean-up policy', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('"never" leaves everything, also in post, and says how to remove it', () =>
    inWorld(api, async (world) => {
      const run = await world.gate(small, { inputs: { cleanup: 'never' } });
      expectOutcome(run, 'pass', 0);
      expect(run.main.summary).toContain(
        'Nothing was removed (cleanup: never). Use mode "cleanup" when you are done.',
      );
      expect(run.post?.log).toEqual(['main left nothing to do']);
      expect(remaining(world).workspaces).toHaveLength(2);
      expect(remaining(world).users).toHaveLength(2);
      const janitor = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expect(janitor.main.exitCode).toBe(0);
      expectNothingLeft(world);
    }));

  it('"on-success" removes everything after a pass', () =>
    inWorld(api, async (world) => {
      const run = await world.gate(small, { inputs: { cleanup: 'on-success' } });
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
    }));

  it('"on-success" leaves everything after a failure, also in post', () =>
    inWorld({ ...api, templateOverrides: { 'pod-swdev': { failingShare: 1 } } }, async (world) => {
      const run = await world.gate(small, { inputs: { cleanup: 'on-success' } });
      expectOutcome(run, 'fail', 1);
      expect(run.main.summary).toContain('because not everything passed (cleanup: on-success)');
      expect(run.post?.log).toEqual(['main left nothing to do']);
      expect(remaining(world).workspaces).toHaveLength(2);
    }));
});

describe.concurrent('a workspace that cannot be deleted', { timeout: LONGEST_SCENARIO_MS }, () => {
  const expectNamed = (run: ActionRun, world: E2eWorld): void => {
    expect(outcomeOf(run), logOf(run)).toMatchObject({ exitCode: 1, verdict: 'fail', post: 1 });
    expect(failedCriteria(run)).toEqual(['cleanup-leftover-workspaces', 'cleanup-leftover-users']);
    const [name] = remaining(world).workspaces;
    expect(name).toMatch(/^scaletest-/);
    expect(run.main.summary).toContain(name);
    expect(run.main.summary).toContain('but these are left');
    expect(errorTexts(run)).toContain('cleanup-leftover-workspaces: fail');
    expect(JSON.stringify(readJson(run, 'leftovers.json'))).toContain(name);
  };

  it('is never green: named in summary and results, and post fails its own step', () =>
    inWorld({ ...api, failDeleteShare: 1 }, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }));
      expectNamed(run, world);
      expect(errorTexts(run)).toMatch(
        /Scale-test clean-up: 0 workspaces and 0 users were removed, but 1 workspaces and 1 users are left: .*Run the gate with "mode: cleanup"/,
      );
      // Post changes no verdict of main.
      expect(verdictOf(run)).toBe('fail');
    }));

  it('does not keep the others from being deleted, and a failed deletion is tried again', () =>
    inWorld({ ...api, failDeleteShare: 0.4, seed: 5 }, async (world) => {
      const run = await world.gate(configFile({ pods: 6, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      // Some had to be asked for again, or this would prove nothing.
      const deletions = [...world.coder.state.builds.values()].filter(
        ({ transition }) => transition === 'delete',
      );
      expect(deletions.length).toBeGreaterThan(6);
    }));
});

describe.concurrent('a deployment that stops answering', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('for a moment during the clean-up does no harm', () =>
    inWorld({ ...api, templateOverrides: { 'pod-swdev': { deleteSeconds: spread(2) } } }, async (world) => {
      const { options } = world.coder;
      let outages = 0;
      const run = await world.gate(small, {
        onLog: (line) => {
          if (!line.startsWith('clean-up: 2 workspaces')) return;
          outages += 1;
          options.apiDown = true;
          setTimeout(() => (options.apiDown = false), 2500);
        },
      });
      expect(outages).toBe(1);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
    }));

  it('before post fails the step of post, which says what to do', () =>
    inWorld({ ...api, templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } } }, async (world) => {
      const { options } = world.coder;
      const run = await world.gate(small, {
        signals: [{ signal: 'SIGINT', whenLogMatches: /pod_workspaces: 0 of 2 built, 2 building/ }],
        onLog: (line) => {
          if (line.startsWith('Verdict: cancelled')) options.forbidAll = true;
        },
      });
      expectOutcome(run, 'cancelled', 1, 1);
      expect(errorTexts(run)).toMatch(
        /Scale-test clean-up: .*answered .* with 403 .*Run the gate with "mode: cleanup" to remove what is left/,
      );
      expect(remaining(world).workspaces).toHaveLength(2);
      options.forbidAll = false;
      // Neither could post release the lease, which ends by itself.
      letTimePass(world.coder, 301);
      const janitor = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expect(janitor.main.exitCode, logOf(janitor)).toBe(0);
      expectNothingLeft(world);
    }));
});
