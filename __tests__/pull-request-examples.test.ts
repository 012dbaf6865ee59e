import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

/*
 * What the two examples make of a pull request, by their own scripts: whatever is required in the branch protection may
 * only be green when the gate passed, or when no file under terraform/ changes.
 */

const FOLDER = path.resolve(import.meta.dirname, '../examples');
const workflow = z.object({
  on: z.unknown(),
  jobs: z.record(
    z.string(),
    z.object({
      if: z.string().optional(),
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      permissions: z.record(z.string(), z.string()).optional(),
      steps: z.array(
        z.object({ id: z.string().optional(), uses: z.string().optional(), run: z.string().optional() }),
      ),
    }),
  ),
});
const example = (name: string): z.infer<typeof workflow> =>
  workflow.parse(parse(readFileSync(path.join(FOLDER, name), 'utf8')));
const pullRequest = example('pull-request.yml');
const forkPullRequest = example('fork-pull-request.yml');

/** The only script of a job, or the one of its step `changes`. */
function scriptOf({ jobs }: z.infer<typeof workflow>, job: string): string {
  const scripts = jobs[job]?.steps.filter(({ run }) => run !== undefined) ?? [];
  const chosen = scripts.length === 1 ? scripts : scripts.filter(({ id }) => id === 'changes');
  expect(chosen).toHaveLength(1);
  return chosen[0]?.run ?? '';
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'pull-request-examples-'));
  folders.push(folder);
  return folder;
}

interface ScriptRun {
  readonly status: number | null;
  readonly output: string;
  readonly text: string;
}

/** As the runner does: `bash -e`, with a file for the outputs. */
function runScript(script: string, cwd: string, env: Readonly<Record<string, string>>): ScriptRun {
  const file = path.join(newFolder(), 'output');
  writeFileSync(file, '');
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd,
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'], GITHUB_OUTPUT: file, ...env },
  });
  return { status, output: readFileSync(file, 'utf8'), text: stdout + stderr };
}

/** Every way in which the two jobs before can end, and whether the required name may be green. */
const ends: readonly (readonly [
  changes: string,
  infrastructure: string,
  gate: string,
  verdict: string,
  green: boolean,
])[] = [
  ['success', 'false', 'skipped', '', true],
  ['success', 'true', 'success', 'pass', true],
  ['success', 'true', 'failure', 'fail', false],
  ['success', 'true', 'failure', 'error', false],
  ['success', 'true', 'failure', 'pass', false],
  ['success', 'true', 'success', 'inconclusive', false],
  ['success', 'true', 'success', '', false],
  ['success', 'true', 'cancelled', 'cancelled', false],
  ['success', 'true', 'skipped', '', false],
  ['success', '', 'skipped', '', false],
  ['failure', '', 'skipped', '', false],
  ['failure', 'false', 'skipped', '', false],
  ['cancelled', '', 'skipped', '', false],
  ['skipped', '', 'skipped', '', false],
];
const asVariables = ([CHANGES, INFRASTRUCTURE, GATE, VERDICT]: (typeof ends)[number]): Record<
  string,
  string
> => ({
  CHANGES,
  INFRASTRUCTURE,
  GATE,
  VERDICT,
});
const title = '%s detection (infrastructure "%s"), %s gate with verdict "%s"';

describe('pull-request.yml', () => {
  it('starts on every pull request, and its required job is never skipped', () => {
    expect(pullRequest.on).toBe('pull_request');
    expect(pullRequest.jobs['scale-test']).toMatchObject({ if: 'always()', needs: ['changes', 'gate'] });
    const conditions = Object.values(pullRequest.jobs).map((job) => job.if ?? '');
    expect(conditions.join()).not.toContain('github.');
  });

  it.each(ends)(`is right about ${title}`, (...end) => {
    const { status } = runScript(scriptOf(pullRequest, 'scale-test'), newFolder(), asVariables(end));
    expect(status === 0).toBe(end[4]);
  });

  const git = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const commit = (cwd: string, change: () => void): void => {
    change();
    git(cwd, 'add', '--all');
    git(cwd, 'commit', '--quiet', '--allow-empty', '--message', 'm');
  };
  /** The merge commit of a pull request into a branch that went on meanwhile. */
  function merged(change: (root: string) => void): string {
    const root = newFolder();
    const write = (name: string, text: string): void => {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    };
    git(root, 'init', '--quiet', '--initial-branch', 'main');
    commit(root, () => {
      write('terraform/main.tf', 'a');
      write('terraform/that-stays.tf', 'b');
      write('README.md', 'a');
    });
    git(root, 'checkout', '--quiet', '-b', 'change');
    commit(root, () => change(root));
    git(root, 'checkout', '--quiet', 'main');
    commit(root, () => write('terraform/other.tf', 'of somebody else'));
    git(root, 'merge', '--quiet', '--no-ff', '--message', 'm', 'change');
    return root;
  }
  const at = (root: string, name: string): string => path.join(root, name);

  it.each<[string, (root: string) => void, string]>([
    ['another file', (root) => writeFileSync(at(root, 'README.md'), 'b'), 'false'],
    ['a name that only begins alike', (root) => writeFileSync(at(root, 'terraform.md'), 'b'), 'false'],
    ['nothing', () => undefined, 'false'],
    ['a file', (root) => writeFileSync(at(root, 'terraform/main.tf'), 'b'), 'true'],
    ['a new file', (root) => writeFileSync(at(root, 'terraform/new.tf'), 'b'), 'true'],
    ['a file that goes', (root) => rmSync(at(root, 'terraform/main.tf')), 'true'],
    ['a file that moves away', (root) => void git(root, 'mv', 'terraform/main.tf', 'main.tf'), 'true'],
  ])('sees what merging would change: %s', (_case, change, infrastructure) => {
    const found = runScript(scriptOf(pullRequest, 'changes'), merged(change), {});
    expect(found).toMatchObject({ status: 0, output: `infrastructure=${infrastructure}\n` });
  });

  it('is red where the change cannot be read', () => {
    const found = runScript(scriptOf(pullRequest, 'changes'), newFolder(), {});
    expect(found.status).not.toBe(0);
    expect(found.output).toBe('');
  });
});

describe('fork-pull-request.yml', () => {
  it('reports whatever happens, and only the jobs without the secrets may', () => {
    const { changes, gate, report } = forkPullRequest.jobs;
    expect(report?.if).toBe("always() && needs.changes.result != 'skipped'");
    expect(changes?.permissions).toEqual({ contents: 'read', statuses: 'write' });
    expect(gate?.permissions).toEqual({ contents: 'read' });
    // A check of this name beside the status would have to be green as well.
    expect(Object.keys(forkPullRequest.jobs)).not.toContain('scale-test');
  });

  /** A `gh` that answers with a file, by the filter of `--jq`, and writes down what it was told. */
  function runWithGh(script: string, answer: string, env: Readonly<Record<string, string>>) {
    const folder = newFolder();
    writeFileSync(path.join(folder, 'answer.json'), answer);
    writeFileSync(
      path.join(folder, 'gh'),
      `#!/usr/bin/env bash
printf '%s\\n' "$@" >> "${folder}/told"
[ -s "${folder}/answer.json" ] || exit 1
while [ $# -gt 0 ]; do if [ "$1" = --jq ]; then exec jq -r "$2" "${folder}/answer.json"; fi; shift; done
`,
    );
    chmodSync(path.join(folder, 'gh'), 0o755);
    const PATH = `${folder}:${process.env['PATH'] ?? ''}`;
    const found = runScript(script, folder, { GITHUB_REPOSITORY: 'o/r', HEAD_SHA: 'abc', ...env, PATH });
    return { ...found, told: readFileSync(path.join(folder, 'told'), 'utf8').split('\n') };
  }

  it.each(ends)(`is right about ${title}`, (...end) => {
    const { status, told } = runWithGh(scriptOf(forkPullRequest, 'report'), '{}', {
      RUN_URL: 'https://example.com',
      ...asVariables(end),
    });
    expect(status).toBe(0);
    expect(told).toContain('context=scale-test');
    expect(told).toContain(`state=${end[4] ? 'success' : 'failure'}`);
  });

  const hasJq = spawnSync('jq', ['--version']).status === 0;
  const files = (...names: string[]): string =>
    JSON.stringify({ files: names.map((filename) => ({ filename })) });
  const moved = { filename: 'main.tf', previous_filename: 'terraform/main.tf' };

  it.skipIf(!hasJq).each([
    ['another file', files('README.md', 'terraform.md'), 'infrastructure=false\n'],
    ['nothing', files(), 'infrastructure=false\n'],
    ['a file', files('README.md', 'terraform/main.tf'), 'infrastructure=true\n'],
    ['a file that moves away', JSON.stringify({ files: [moved] }), 'infrastructure=true\n'],
    [
      'more than GitHub lists',
      files(...Array.from({ length: 300 }, (_, n) => `${n}.md`)),
      'infrastructure=true\n',
    ],
    ['an answer without files', '{}', ''],
    ['no answer', '', ''],
  ])('sees what the commit changes: %s', (_case, answer, output) => {
    const found = runWithGh(scriptOf(forkPullRequest, 'changes'), answer, { DEFAULT_BRANCH: 'main' });
    expect(found.told).toContain('repos/o/r/compare/main...abc');
    expect(found.output).toBe(output);
    expect(found.status === 0).toBe(output !== '');
  });
});
