import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lintRepository } from '../scripts/lint-workflows.js';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const action = `name: gate
description: d
inputs: { mode: { description: m } }
outputs: { verdict: { description: v } }
runs: { using: node24, main: dist/index.js, post: dist/index.js }
`;
const sha = '0123456789abcdef0123456789abcdef01234567';
const workflow = `on: push
permissions: { contents: read }
jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@${sha} # v1
        with: { persist-credentials: false }
      - uses: ./
        id: gate
        with: { mode: plan }
      - run: echo "$VERDICT"
        env: { VERDICT: "\${{ steps.gate.outputs.verdict }}" }
`;

/** The messages for a repository of a few files. */
function lint(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'lint-workflows-'));
  folders.push(root);
  for (const [name, text] of Object.entries({ 'action.yml': action, 'dist/index.js': '', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return lintRepository(root).problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

const ci = (text: string): string[] => lint({ '.github/workflows/ci.yml': text });

describe('this repository', () => {
  it('has valid metadata, workflows and examples', () => {
    const { problems, checked, notes } = lintRepository(join(import.meta.dirname, '..'));
    for (const note of notes) console.info(note);
    expect(checked).toContain('.github/workflows/ci.yml');
    expect(problems).toEqual([]);
  });
});

describe('the check itself', () => {
  it('accepts a good repository', () => {
    expect(lint({ '.github/workflows/ci.yml': workflow, 'examples/weekly.yml': workflow })).toEqual([]);
  });

  it.each(['g', '{ group: g, queue: max, cancel-in-progress: false }', '{ group: g, queue: single }'])(
    'accepts the concurrency group %s',
    (group) => {
      expect(ci(workflow.replace('jobs:', `concurrency: ${group}\njobs:`))).toEqual([]);
    },
  );

  it.each([
    [
      'an unknown input',
      workflow.replace('mode: plan', 'mod: plan'),
      '12: Unknown key "mod" in the inputs of this action.',
    ],
    [
      'an unknown output',
      workflow.replace('outputs.verdict', "outputs['verdct']"),
      '14: The action has no output "verdct" (steps.gate).',
    ],
    [
      'no timeout',
      workflow.replace('    timeout-minutes: 5\n', ''),
      '5: Job "gate" has no "timeout-minutes".',
    ],
    [
      'no permissions',
      workflow.replace('permissions: { contents: read }\n', ''),
      '1: The workflow has no "permissions".',
    ],
    ['an unknown key', workflow.replace('runs-on', 'run-on'), '5: Unknown key "run-on" in job "gate".'],
    [
      'an action by its tag',
      workflow.replace(`@${sha}`, '@v7'),
      '8: "actions/checkout@v7" is not pinned by a full commit SHA.',
    ],
    [
      'kept credentials',
      workflow.replace('persist-credentials: false', 'fetch-depth: 0'),
      '8: The checkout leaves credentials behind',
    ],
    [
      'text of the event in a script',
      workflow.replace('echo "$VERDICT"', 'echo "${{ github.event.pull_request.title }}"'),
      '13: Text of the event inside a script is code',
    ],
    [
      'an unknown key of a concurrency group',
      workflow.replace('jobs:', 'concurrency: { group: g, queues: max }\njobs:'),
      '3: Unknown key "queues" in a concurrency group.',
    ],
    [
      'a queue of another length',
      workflow.replace('jobs:', 'concurrency: { group: g, queue: 5 }\njobs:'),
      '3: "queue" is "single" or "max", not "5".',
    ],
    [
      'a queue of a group that cancels',
      workflow.replace(
        'runs-on',
        'concurrency: { group: g, queue: max, cancel-in-progress: true }\n    runs-on',
      ),
      '5: GitHub refuses "queue: max" with "cancel-in-progress: true".',
    ],
    ['broken YAML', workflow.replace('jobs:', 'jobs: ]'), '3: '],
  ])('finds %s', (_case, text, problem) => {
    expect(ci(text).join('\n')).toContain(`.github/workflows/ci.yml:${problem}`);
  });

  it.each([
    ['another runtime', action.replace('node24', 'node20'), '5: runs.using must be node24.'],
    [
      'a missing script',
      action.replace('post: dist/index.js', 'post: dist/post.js'),
      '5: runs.post: there is no file dist/post.js.',
    ],
    [
      'an input without a meaning',
      action.replace('{ description: m }', '{ default: m }'),
      '3: Input "mode" has no "description".',
    ],
  ])('finds %s in action.yml', (_case, text, problem) => {
    expect(lint({ 'action.yml': text })).toContain(`action.yml:${problem}`);
  });

  it('reads the YAML of the documentation', () => {
    const readme =
      '# Use\n\n```yaml\n- uses: some-org/coder-scaletest-gate@v1\n  with:\n    modes: gate\n```\n';
    expect(lint({ 'README.md': readme })).toEqual([
      'README.md:6: Unknown key "modes" in the inputs of this action.',
    ]);
  });

  it('says what is not there yet', () => {
    const root = mkdtempSync(join(tmpdir(), 'lint-workflows-'));
    folders.push(root);
    expect(lintRepository(root)).toEqual({
      problems: [],
      checked: [],
      notes: [
        'There is no action.yml yet: inputs and outputs of the action are not checked.',
        'There is no folder .github/ yet.',
        'There is no folder examples/ yet.',
      ],
    });
  });
});
