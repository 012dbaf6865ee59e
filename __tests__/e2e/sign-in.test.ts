import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  configFile,
  errorTexts,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  reasonOf,
  remaining,
  spread,
  type E2eWorld,
} from './support.js';

const passwordOf = ({ coder }: E2eWorld, changes: Record<string, string> = {}): Record<string, string> => ({
  'coder-session-token': '',
  'coder-email': coder.ownerEmail,
  'coder-password': coder.ownerPassword,
  ...changes,
});

function filesOf({ outputs }: ActionRun): readonly string[] {
  const entries = readdirSync(outputs['results-dir'] ?? '', { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(8);
  return files.map(({ parentPath, name }) => path.join(parentPath, name));
}

const sessions = ({ coder }: E2eWorld): unknown[] =>
  [...coder.state.tokens.values()].filter(({ loginType }) => loginType === 'password');

describe.concurrent('signing in with a password', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([{ driver: 'cli', limitsOff: true } as const, { driver: 'api', limitsOff: false } as const])(
    'passes with the driver $driver; the session is ended and no secret is kept',
    ({ driver, limitsOff }) =>
      inWorld({ disableRateLimits: limitsOff }, async (world) => {
        const { ownerPassword } = world.coder;
        // A password has no shape to be known by, so the inputs say it once more.
        const subject = `the release after ${ownerPassword}`;
        const run = await world.gate(configFile(), { inputs: passwordOf(world, { subject }) });
        expectOutcome(run, 'pass', 0);
        expect(run.main.summary).toContain('the release after ***');
        expectNothingLeft(world);
        expect(readJson(run, 'readiness.json')).toMatchObject({ driver: { driver } });
        expect(sessions(world)).toEqual([]);
        expect(world.coder.state.requestCounts.get('POST /api/v2/users/logout')).toBe(1);
        const printed = run.main.rawOutput
          .split('\n')
          .filter((line) => !line.startsWith('::add-mask::'))
          .join('\n');
        for (const text of [
          JSON.stringify(run.state),
          JSON.stringify(run.outputs),
          printed,
          run.main.summary,
          ...filesOf(run).map((file) => readFileSync(file, 'utf8')),
        ])
          expect(text).not.toContain(ownerPassword);
        expect(run.main.rawOutput).toContain(`::add-mask::${ownerPassword}`);
      }),
  );

  it('ends the session of a main that was killed, by its id', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } } }, async (world) => {
      const run = await world.gate(configFile(), {
        inputs: passwordOf(world),
        signals: [{ signal: 'SIGKILL', whenLogMatches: /pod_workspaces: \d of \d built/ }],
      });
      expect(run.main.signal).toBe('SIGKILL');
      expect(run.post?.exitCode, logOf(run)).toBe(0);
      expect(run.post?.log.join('\n')).toContain("main's session was ended");
      expectNothingLeft(world);
      expect(sessions(world)).toEqual([]);
    }));

  it('says so when the password is wrong', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile(), {
        inputs: passwordOf(world, { 'coder-password': 'not-the-password' }),
      });
      expectRefusal(
        run,
        world,
        /signing in with "coder-email" and "coder-password" failed: .* Give an owner's password login, or a token/,
      );
    }));

  it('ends the session of a member who may not run the test', () =>
    inWorld({}, async (world) => {
      const email = 'member@example.com';
      const inputs = passwordOf(world, {
        'coder-email': email,
        'coder-password': 'another-Horse-battery-9',
      });
      const run = await world.gate(configFile(), { inputs });
      expectRefusal(run, world, /the user "ordinary-member" is an ordinary member/);
      expect(sessions(world)).toEqual([]);
      const janitor = await world.gate(undefined, { inputs: { ...inputs, mode: 'cleanup' } });
      expectOutcome(janitor, 'error', 1);
      expect(reasonOf(janitor)).toContain('the user "ordinary-member" is not an owner');
      expect(sessions(world)).toEqual([]);
    }));

  it('masks the token that was given', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      expect(run.main.rawOutput).toContain(`::add-mask::${world.coder.ownerToken}`);
      expect(logOf(run)).not.toContain(world.coder.ownerToken);
    }));
});

describe.concurrent('password login that is off', { timeout: LONGEST_SCENARIO_MS }, () => {
  const off = { passwordAuthDisabled: true };

  it('is refused, with the way out', () =>
    inWorld(off, async (world) => {
      const run = await world.gate(configFile());
      expectRefusal(
        run,
        world,
        /password login is off, so scale-test users cannot be made; set "owner: token-user" in create_workspaces/,
      );
      expect(errorTexts(run)).toContain('Scale test not started');
    }));

  it.each([{ driver: 'cli', limitsOff: true } as const, { driver: 'api', limitsOff: false } as const])(
    'lets the token’s own user own the workspaces (driver $driver)',
    ({ driver, limitsOff }) =>
      inWorld({ ...off, disableRateLimits: limitsOff }, async (world) => {
        const config = configFile({ suite: ['owner: token-user', `driver: ${driver}`] });
        const run = await world.gate(config);
        expectOutcome(run, 'pass', 0);
        expect(remaining(world)).toEqual({ workspaces: [], users: [] });
        // No user was made, and the owner itself is still there.
        expect(world.coder.state.users.size).toBe(2);
        expect(world.coder.state.liveUsers()).toHaveLength(2);
        expect(world.coder.state.notificationCount).toBe(0);
        const owners = new Set([...world.coder.state.workspaces.values()].map(({ ownerId }) => ownerId));
        expect(owners).toEqual(new Set([world.coder.state.userByName('ci-admin')?.id]));
        expect(world.coder.state.workspaces.size).toBe(3);
      }),
  );
});
