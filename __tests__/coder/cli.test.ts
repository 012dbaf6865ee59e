import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childEnvironment, inspectCli } from '../../src/coder/cli.js';
import { InstallError } from '../../src/coder/release.js';
import { runShortCommand } from '../../src/github/tools.js';

const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' };
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'cli-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function script(name: string, body: string): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

const version = (json: string): string => `if [ "$1" = version ]; then echo '${json}'; exit 0; fi`;
const help = (flags: string): string =>
  `if [ "$3" = create-workspaces ]; then printf 'USAGE:\\n  coder exp scaletest create-workspaces [flags]\\n\\n${flags}\\n'; exit 0; fi\nexit 1`;
const inspect = (file: string, flags: readonly string[] = ['--count', '--no-cleanup']) =>
  inspectCli(file, [{ suite: 'create-workspaces', flags }], runShortCommand, ENVIRONMENT);
const FLAGS = '      --count int\\n      --no-cleanup bool\\n';

async function refusal(file: string, flags?: readonly string[]): Promise<string> {
  const thrown: unknown = await inspect(file, flags).catch((reason: unknown) => reason);
  expect(thrown).toBeInstanceOf(InstallError);
  return (thrown as Error).message;
}

describe('inspectCli', () => {
  it('takes a full CLI that has the suite and its flags', async () => {
    const file = await script('good', `${version('{"version":"v2.36.0+abc","slim":false}')}\n${help(FLAGS)}`);
    await expect(inspect(file)).resolves.toMatchObject({
      path: file,
      versionText: 'v2.36.0+abc',
      version: { release: '2.36.0' },
    });
  });

  it('refuses the slim build', async () => {
    const file = await script('slim', version('{"version":"v2.36.0","slim":true}'));
    expect(await refusal(file)).toMatch(/slim build of Coder v2.36.0, which has no scale tests/);
  });

  it('refuses one without the suite', async () => {
    const file = await script('old', `${version('{"version":"v2.7.0"}')}\nexit 1`);
    expect(await refusal(file)).toMatch(/v2.7.0 at .*old has no "exp scaletest create-workspaces"/);
  });

  it('refuses an old one that shows its parent’s help and exits with 0', async () => {
    const file = await script(
      'parent',
      `${version('{"version":"v2.9.0"}')}\necho 'coder exp scaletest <subcommand>'\nexit 0`,
    );
    expect(await refusal(file)).toMatch(/has no "exp scaletest create-workspaces"/);
  });

  it('names the flags that are missing, and does not take a longer flag for one', async () => {
    const file = await script(
      'flags',
      `${version('{"version":"v2.20.0"}')}\n${help('      --count-all int\\n      --no-cleanup\\n')}`,
    );
    expect(await refusal(file)).toMatch(/v2.20.0 has no --count in "exp scaletest create-workspaces"/);
  });

  it.each([
    ['a program that is something else', 'echo hello'],
    ['one that fails', 'echo "no such thing" >&2; exit 3'],
    ['one whose answer has no version', 'echo "{}"'],
  ])('refuses %s', async (_, body) => {
    expect(await refusal(await script('other', body))).toMatch(
      /is no Coder CLI: "coder version" exited with/,
    );
  });

  it('says why a program cannot be run', async () => {
    expect(await refusal(path.join(directory, 'missing'))).toMatch(/missing cannot be run: .+/);
    const file = path.join(directory, 'text');
    await writeFile(file, 'x');
    expect(await refusal(file)).toMatch(/text cannot be run: .+/);
  });
});

describe('childEnvironment', () => {
  it('passes on what a child needs and nothing of the runner’s', () => {
    const own = {
      PATH: '/bin',
      HOME: '/home/x',
      LANG: 'C',
      GITHUB_TOKEN: 'secret',
      ACTIONS_RUNTIME_TOKEN: 'secret',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
      INPUT_PASSWORD: 'secret',
      CODER_URL: 'http://elsewhere',
      CODER_SCALETEST_NO_CLEANUP: 'true',
      TMPDIR: '',
    };
    expect(childEnvironment(own, { CODER_URL: 'http://here' })).toEqual({
      PATH: '/bin',
      HOME: '/home/x',
      LANG: 'C',
      CODER_URL: 'http://here',
    });
  });

  it('never has an empty variable: newer CLIs take it for a value', () => {
    expect(childEnvironment({ PATH: '', HOME: undefined })).toEqual({});
  });
});
