import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ActionRun,
  node24Path,
  runAction,
  type RunActionOptions,
} from '../../simulator/runner/runner.js';
import { removeThrowawayActions, throwawayAction, type ThrowawayAction } from './throwaway-action.js';

const runs: ActionRun[] = [];

async function run(action: ThrowawayAction, options: Partial<RunActionOptions> = {}): Promise<ActionRun> {
  const finished = await runAction({ actionDirectory: throwawayAction(action), ...options });
  runs.push(finished);
  return finished;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  removeThrowawayActions();
  await Promise.all(runs.splice(0).map((finished) => finished.cleanUp()));
});

describe('inputs and environment', () => {
  it('gives inputs, defaults and resolved expressions as INPUT_ variables', async () => {
    const { main } = await run(
      {
        inputs: [
          '  coder-url: {}',
          '  with space: { default: a b }',
          '  flag: { default: true }',
          "  token: { default: '${{ github.token }}' }",
          "  repository: { default: '${{ github.repository }}' }",
        ].join('\n'),
        main: `for (const [k, v] of Object.entries(process.env)) if (k.startsWith('INPUT_')) console.log(k + '=' + v);`,
      },
      { inputs: { 'coder-url': 'https://coder.example.com' } },
    );
    expect(main.log.toSorted()).toEqual([
      'INPUT_CODER-URL=https://coder.example.com',
      'INPUT_FLAG=true',
      'INPUT_REPOSITORY=octo-org/infrastructure',
      'INPUT_TOKEN=',
      'INPUT_WITH_SPACE=a b',
    ]);
  });

  it('warns about an input that action.yml does not know', async () => {
    const { main } = await run({ main: '' }, { inputs: { gretting: 'hi' } });
    expect(main.annotations).toMatchObject([
      { type: 'warning', message: "Unexpected input(s) 'gretting', valid inputs are ['greeting']" },
    ]);
  });

  it('starts from a clean environment, in the workspace', async () => {
    vi.stubEnv('LEAK_FROM_THE_TEST', 'yes');
    const { main, workspace } = await run(
      { main: `console.log(process.env.LEAK_FROM_THE_TEST, process.env.GIVEN, process.cwd());` },
      { env: { GIVEN: 'given' } },
    );
    expect(main.log).toEqual([`undefined given ${workspace}`]);
  });

  it('writes the event payload', async () => {
    const { main } = await run(
      {
        main: `import { readFileSync } from 'node:fs';
          console.log(process.env.GITHUB_EVENT_NAME, JSON.parse(readFileSync(process.env.GITHUB_EVENT_PATH)).number);`,
      },
      { event: { name: 'pull_request', payload: { number: 7 } } },
    );
    expect(main.log).toEqual(['pull_request 7']);
  });
});

describe('files', () => {
  it('carries outputs, state, environment and path', async () => {
    const finished = await run({
      main: `heredoc('GITHUB_OUTPUT', 'report', 'two\\nlines'); append('GITHUB_OUTPUT', 'plain=a=b\\n');
        heredoc('GITHUB_STATE', 'run', '42'); append('GITHUB_ENV', 'FROM_MAIN=1\\n');
        append('GITHUB_PATH', '/opt/first\\n/opt/second\\n'); append('GITHUB_STEP_SUMMARY', '## Verdict\\n');`,
      post: `console.log(process.env.STATE_run, process.env.FROM_MAIN, process.env.PATH.split(':').slice(0, 2).join());`,
    });
    expect(finished.outputs).toEqual({ report: 'two\nlines', plain: 'a=b' });
    expect(finished.state).toEqual({ run: '42' });
    expect(finished.env).toEqual({ FROM_MAIN: '1' });
    expect(finished.main.summary).toBe('## Verdict\n');
    expect(finished.main.outcome).toBe('success');
    expect(finished.post?.log).toEqual(['42 1 /opt/second,/opt/first']);
    expect(finished.post?.summaryBytes).toBe(0);
  });

  it('fails the step when a file is broken', async () => {
    const { main } = await run({ main: `append('GITHUB_OUTPUT', 'report<<EOF\\nnever closed\\n');` });
    expect(main.outcome).toBe('failure');
    expect(main.annotations[1]?.message).toContain("Matching delimiter not found 'EOF'");
  });

  it('refuses a summary that GitHub would drop', async () => {
    const action = { main: `append('GITHUB_STEP_SUMMARY', 'x'.repeat(1024 * 1024 + 1));` };
    await expect(run(action)).rejects.toThrow('The job summary of main has 1048577 bytes');
  });
});

describe('workflow commands', () => {
  it('turns commands into annotations and groups', async () => {
    const { main } = await run({
      main: `console.log('::error title=Gate%3A failed,file=a.yml,line=3,col=5::P95%25 is%0Atoo high');
        console.log('::group::Plan'); console.log('inside'); console.log('::endgroup::');
        console.log('::debug::hidden'); console.log('##[warning]from a child'); console.log('::notacommand::x');`,
    });
    expect(main.annotations).toEqual([
      { type: 'error', title: 'Gate: failed', file: 'a.yml', line: 3, col: 5, message: 'P95% is\ntoo high' },
      { type: 'warning', message: 'from a child' },
    ]);
    expect(main.groups).toEqual(['Plan']);
    expect(main.unclosedGroups).toBe(0);
    expect(main.log).toEqual([
      '##[error]P95% is',
      'too high',
      '##[group]Plan',
      'inside',
      '##[endgroup]',
      '##[warning]from a child',
      '::notacommand::x',
    ]);
  });

  it('keeps ten annotations of a type and cuts their messages', async () => {
    const { main } = await run({
      main: `for (let i = 0; i < 12; i++) console.log('::error::' + 'x'.repeat(5000)); console.log('::notice::n');`,
    });
    expect(main.annotations).toHaveLength(11);
    expect(main.droppedAnnotations).toBe(2);
    expect(main.annotations[0]?.message).toHaveLength(4096);
  });

  it('obeys nothing while commands are stopped', async () => {
    const { main } = await run({
      main: `console.log('::stop-commands::tok'); console.log('::error::no'); console.log('::tok::'); console.log('::error::yes');`,
    });
    expect(main.annotations).toEqual([{ type: 'error', message: 'yes' }]);
  });

  it('masks a secret from its mask on, in every spelling, in both steps and the summary', async () => {
    const { main, post } = await run(
      {
        main: `console.log('early s3cr"et'); console.log('::add-mask::s3cr"et'); console.log('late s3cr"et');
        console.log(JSON.stringify('s3cr"et'), encodeURIComponent('s3cr"et'), Buffer.from('s3cr"et').toString('base64'));
        console.log('::error::leak s3cr"et'); append('GITHUB_STEP_SUMMARY', 'sum s3cr"et\\n');`,
        post: `console.log('post s3cr"et given-secret');`,
      },
      { secrets: ['given-secret'] },
    );
    expect(main.log).toEqual(['early s3cr"et', 'late ***', '"***" *** ***', '##[error]leak ***']);
    expect(main.rawOutput).toContain('late s3cr"et');
    expect(main.annotations[0]?.message).toBe('leak ***');
    expect(main.summary).toBe('sum ***\n');
    expect(post?.log).toEqual(['post *** ***']);
  });
});

describe('ends', () => {
  it('runs post after a failure and keeps what was written', async () => {
    const finished = await run({
      main: `heredoc('GITHUB_OUTPUT', 'verdict', 'fail'); process.exitCode = 3;`,
      post: `console.log('post');`,
    });
    expect(finished.main).toMatchObject({ exitCode: 3, signal: null, outcome: 'failure' });
    expect(finished.outputs).toEqual({ verdict: 'fail' });
    expect(finished.post?.outcome).toBe('success');
  });

  it('obeys post-if and runPost', async () => {
    const action = { main: 'process.exitCode = 1;', post: '' };
    expect((await run({ ...action, postIf: 'success()' })).post).toBeUndefined();
    expect((await run(action, { runPost: false })).post).toBeUndefined();
    expect((await run({ ...action, postIf: 'failure()' })).post?.exitCode).toBe(0);
  });

  it('cancels with SIGINT, SIGTERM, SIGKILL to the node process only', async () => {
    const { main, post, orphans } = await run(
      {
        main: `import { spawn } from 'node:child_process';
          spawn('sleep', ['60'], { stdio: 'ignore' });
          process.on('SIGINT', () => console.log('got SIGINT')); process.on('SIGTERM', () => console.log('got SIGTERM'));
          append('GITHUB_STATE', 'run=1\\n'); console.log('load started'); setInterval(() => {}, 1000);`,
        post: `console.log('post', process.env.STATE_run);`,
      },
      {
        signals: [{ signal: 'SIGINT', whenLogMatches: /load started/ }],
        cancelPath: { sigtermAfterMs: 200, sigkillAfterMs: 100 },
      },
    );
    expect(main).toMatchObject({ exitCode: null, signal: 'SIGKILL', outcome: 'cancelled' });
    expect(main.log).toEqual(['load started', 'got SIGINT', 'got SIGTERM']);
    expect(main.signalsSent.map(({ signal }) => signal)).toEqual(['SIGINT', 'SIGTERM', 'SIGKILL']);
    expect(post?.log).toEqual(['post 1']);
    expect(orphans.map(({ command }) => command)).toEqual(['sleep 60']);
  });

  it('sends no rougher signal to an action that ends in time', async () => {
    const { main } = await run(
      {
        main: `process.on('SIGINT', () => process.exit(1)); console.log('ready'); setInterval(() => {}, 1000);`,
      },
      { signals: [{ signal: 'SIGINT', whenLogMatches: /ready/ }] },
    );
    expect(main).toMatchObject({ exitCode: 1, signal: null, outcome: 'cancelled' });
    expect(main.signalsSent).toHaveLength(1);
  });

  it('ends a step over its time and calls it failed', async () => {
    const { main } = await run({ main: 'setInterval(() => {}, 1000);' }, { timeoutMs: 300 });
    expect(main).toMatchObject({ signal: 'SIGINT', timedOut: true, outcome: 'failure' });
  });

  it('streams the log and removes its folders', async () => {
    const seen: string[] = [];
    const finished = await run(
      { main: `console.log('a'); console.error('b');`, post: `console.log('c');` },
      { onLog: (line, step) => seen.push(`${step} ${line}`) },
    );
    expect(seen.toSorted()).toEqual(['main a', 'main b', 'post c']);
    await finished.cleanUp();
    expect(existsSync(finished.workspace)).toBe(false);
  });

  it.skipIf(node24Path() === undefined)('runs with node 24', async () => {
    const { main } = await run({ main: 'console.log(process.version);' }, { nodePath: node24Path() ?? '' });
    expect(main.log[0]).toMatch(/^v24\./);
  });
});
