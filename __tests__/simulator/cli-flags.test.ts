import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commandsOf, type Flag, globalFlagsOf } from '../../simulator/coder/cli/flags.js';
import { parseGoDuration, goDuration } from '../../simulator/coder/cli/go-format.js';
import { csvRecord } from '../../simulator/coder/cli/parse.js';
import { isAtLeast } from '../../simulator/coder/versions.js';
import { fields } from './api-scenario.js';
import { Executables } from './executables.js';
import { explainSkip, hasRecordings, sharedJson, VERSIONS, type Version } from './golden.js';
import { type Ended, runCoder } from './run-coder.js';

// Many processes are started; a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

explainSkip('flags of the CLI');

const executables = new Executables();
beforeAll(() => executables.build([...VERSIONS]), 30_000);
afterAll(() => executables.remove());

/** The table's line for a release: its own era, or all eras together. */
function recordedFlags(version: Version): Record<string, Record<string, unknown>> {
  const eras = Object.values(fields(sharedJson('reference/coder-cli-eras.json'))).map(fields);
  const minor = version.replace(/\.\d+$/, '');
  const own = eras.filter((era) => (era.same_flags_as_releases as string[]).includes(minor));
  const commands: Record<string, Record<string, unknown>> = {};
  for (const era of own.length > 0 ? own : eras) {
    for (const [name, command] of Object.entries(fields(era.commands))) {
      if (!isThere(fields(command), version)) continue;
      const flags = Object.entries(fields(fields(command).flags)).filter(([, flag]) =>
        isThere(fields(flag), version),
      );
      commands[name] = { ...commands[name], ...Object.fromEntries(flags) };
    }
  }
  return commands;
}

function isThere(thing: Record<string, unknown>, version: string): boolean {
  const { since, removed_in: removedIn } = thing;
  if (typeof since === 'string' && (since.startsWith('after') || !isAtLeast(version, since))) return false;
  return typeof removedIn !== 'string' || !isAtLeast(version, removedIn);
}

function asRecorded(flag: Flag, withAge: boolean): Record<string, unknown> {
  return {
    ...(flag.short !== null && { short: flag.short }),
    ...(flag.env !== null && { env: flag.env }),
    ...(flag.default !== null && { default: flag.default }),
    type: flag.type,
    ...(flag.choices.length > 0 && { choices: flag.choices }),
    ...(flag.required && { required: true }),
    ...(flag.requiredByHand && { required_by_hand: true }),
    ...(flag.hidden && { hidden: true }),
    ...(withAge && { since: flag.since }),
    ...(withAge && flag.removedIn !== null && { removed_in: flag.removedIn }),
  };
}

/** Left out: `group` only orders the source, `validated` is not in the parser. */
function stripped(flag: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields(flag)).filter(([key]) => !['group', 'validated'].includes(key)),
  );
}

describe.runIf(hasRecordings)('flag table', () => {
  it.each(VERSIONS)('has the sub-commands and flags of %s', (version) => {
    const recorded = recordedFlags(version);
    const commands = commandsOf(version);
    expect(commands.map(({ name }) => name)).toEqual(Object.keys(recorded).sort());
    for (const { name, flags } of commands) {
      const found = Object.fromEntries(flags.map((flag) => [flag.name, asRecorded(flag, true)]));
      const wanted = Object.fromEntries(
        Object.entries(recorded[name] ?? {}).map(([flag, value]) => [flag, stripped(value)]),
      );
      expect(found, name).toEqual(wanted);
    }
  });

  it.each(['v2.21.3', 'v2.36.0'] as const)('has the global flags of %s', (version) => {
    const eras = Object.values(fields(sharedJson('reference/coder-cli-eras.json'))).map(fields);
    const minor = version.replace(/\.\d+$/, '');
    const era = eras.find((one) => (one.same_flags_as_releases as string[]).includes(minor));
    const found = globalFlagsOf(version).map(({ name, env, type }) => ({
      name,
      env: env ?? undefined,
      type,
    }));
    const wanted = Object.entries(fields(era?.global_flags)).map(([name, flag]) => ({
      name,
      env: fields(flag).env,
      type: fields(flag).type,
    }));
    const byName = (left: { name: string }, right: { name: string }): number =>
      left.name < right.name ? -1 : 1;
    expect(found.sort(byName)).toEqual(wanted.sort(byName));
  });
});

const CREATE = ['exp', 'scaletest', 'create-workspaces'];
/** Nobody listens on port 9, so a run that passes the parser ends there. */
const NOWHERE = { CODER_URL: 'http://127.0.0.1:9', CODER_SESSION_TOKEN: 'x' };

function create(version: Version, args: string[], environment: Record<string, string> = {}): Promise<Ended> {
  return runCoder(executables.of(version), [...CREATE, ...args], {
    environment: { ...NOWHERE, ...environment },
  });
}

describe('help', () => {
  it.each(VERSIONS)(
    'of every sub-command of %s shows its flags and needs no server',
    async (version) => {
      for (const { name, flags } of commandsOf(version)) {
        const ended = await runCoder(executables.of(version), ['exp', 'scaletest', name, '--help']);
        expect(ended.exitCode).toBe(0);
        expect(ended.stdout).toContain(`coder exp scaletest ${name}`);
        for (const flag of flags) {
          expect(ended.stdout.includes(`--${flag.name} `), `${name} --${flag.name}`).toBe(!flag.hidden);
        }
      }
    },
    20_000,
  );
});

describe('parsing', () => {
  it('takes values with and without an equals sign, and short flags', async () => {
    for (const args of [['--count=2'], ['--count', '2'], ['-c', '2'], ['-c2']]) {
      expect((await create('v2.36.0', args)).stderr).toContain('fetch current user');
    }
  });

  it('refuses values of the wrong type', async () => {
    for (const flag of ['--count=two', '--timeout=5', '--connect-mode=carrier', '--no-cleanup=perhaps']) {
      const { stderr, exitCode } = await create('v2.36.0', [flag]);
      expect(stderr).toMatch(
        /^parsing flags \(\[exp scaletest create-workspaces .*\]\) for "coder exp scaletest create-workspaces": /,
      );
      expect(exitCode).toBe(1);
    }
  });

  it('gives a boolean no separate value', async () => {
    // `false` is dropped: the flag is on, and the command runs.
    expect((await create('v2.36.0', ['--no-cleanup', 'false'])).stderr).toContain('fetch current user');
  });

  it('knows days and weeks since v2.29 only', async () => {
    expect((await create('v2.36.0', ['--timeout=1d'])).stderr).toContain('fetch current user');
    expect((await create('v2.21.3', ['--timeout=1d'])).stderr).toContain('invalid duration');
  });

  it('refuses an empty variable of a number since v2.34, even for help', async () => {
    const empty = { CODER_SCALETEST_COUNT: '' };
    expect((await create('v2.36.0', ['--help'], empty)).stderr).toMatch(/^parsing env: /);
    expect((await create('v2.31.0', ['--help'], empty)).exitCode).toBe(0);
  });

  it('refuses flags that the release does not have yet', async () => {
    expect((await create('v2.21.3', ['--max-failures=1'])).stderr).toContain('unknown flag: --max-failures');
    const updates = await runCoder(executables.of('v2.21.3'), ['exp', 'scaletest', 'workspace-updates']);
    expect(updates.stderr).toContain('unrecognized subcommand "workspace-updates"');
  });

  it('adds lists of variable and flag up', async () => {
    const { stderr } = await create('v2.36.0', ['--output=json'], { CODER_SCALETEST_OUTPUTS: 'text' });
    expect(stderr).toContain('fetch current user');
  });

  it('says plainly what is not simulated', async () => {
    const ended = await runCoder(executables.of('v2.36.0'), ['exp', 'scaletest', 'smtp'], {
      environment: NOWHERE,
    });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain('not simulated');
  });

  it('tells its version', async () => {
    const ended = await runCoder(executables.of('v2.36.0'), ['version', '-o', 'json']);
    expect(JSON.parse(ended.stdout)).toMatchObject({ version: 'v2.36.0', slim: false, agpl: false });
  });
});

describe('formats of Go', () => {
  it.each([
    [0n, '0s'],
    [999n, '999ns'],
    [673_833n, '673.833µs'],
    [151_586_243n, '151.586243ms'],
    [5_001_400_212n, '5.001400212s'],
    [98_709_631_494n, '1m38.709631494s'],
    [10_921_500_000_000n, '3h2m1.5s'],
  ])('writes %s nanoseconds as %s', (nanoseconds, text) => {
    expect(goDuration(nanoseconds)).toBe(text);
  });

  it('reads durations', () => {
    expect(parseGoDuration('1h30m', true)).toBe(5_400_000);
    expect(parseGoDuration('100ms', false)).toBe(100);
    expect(parseGoDuration('2w', true)).toBe(1_209_600_000);
    expect(parseGoDuration('2w', false)).toBeNull();
    expect(parseGoDuration('5', true)).toBeNull();
  });

  it('reads CSV lists', () => {
    expect(csvRecord('a=b,c=d')).toEqual(['a=b', 'c=d']);
    expect(csvRecord('"a=b,c",d')).toEqual(['a=b,c', 'd']);
    expect(csvRecord('json:x.json')).toEqual(['json:x.json']);
  });
});
