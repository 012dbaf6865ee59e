import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { CliBehaviour, CoderDeployment, DeploymentOptions } from '../../simulator/coder/server.js';
import { freePort } from '../../src/run/metrics-page.js';
import { startQuickServer } from './api-scenario.js';
import { cliRecording, explainSkip, hasRecordings, sharedText } from './golden.js';
import { runCoder, startCoder, type Ended } from './run-coder.js';
import { useSimulatedCli } from './simulated-cli.js';

explainSkip('recordings of the other suites');

const VERSION = 'v2.36.0';
const simulated = useSimulatedCli([VERSION], 'suite.json');

interface SuiteOptions {
  readonly cli?: Partial<CliBehaviour>;
  readonly deployment?: Partial<DeploymentOptions>;
}

async function argumentsOf(suite: string, flags: readonly string[]): Promise<string[]> {
  const port = await freePort();
  const page = [`--scaletest-prometheus-address=127.0.0.1:${port}`, '--scaletest-prometheus-wait=1s'];
  return [
    'exp',
    'scaletest',
    suite,
    ...flags,
    ...(suite === 'autostart' ? [] : page),
    `--output=json:${simulated.file}`,
  ];
}

async function serve({ cli = {}, deployment: changes = {} }: SuiteOptions): Promise<CoderDeployment> {
  const deployment = await startQuickServer(VERSION, false);
  simulated.deployment = deployment;
  Object.assign(deployment.options, { ...changes, cli: { pollScale: 0.2, ...cli } });
  return deployment;
}

async function run(suite: string, flags: readonly string[], options: SuiteOptions = {}): Promise<Ended> {
  return runCoder(simulated.executables.of(VERSION), await argumentsOf(suite, flags), {
    deployment: await serve(options),
  });
}

interface Document {
  readonly runs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const written = (): Document => JSON.parse(readFileSync(simulated.file, 'utf8')) as Document;
const recorded = (name: string): Document =>
  JSON.parse(sharedText(`golden/${VERSION}/cli/${name}.json`)) as Document;

/** Keys in order with the kinds of their values; names, ids and times are whatever they are. */
function shapeOf(value: unknown): unknown {
  if (typeof value === 'string') return /^\d+(\.\d+)?(µs|ms|s)$/.test(value) ? 'duration' : 'text';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}$/, '<id>').replace(/^scaletest-[0-9A-Za-z]{8}-\d+$/, '<name>'),
      shapeOf(one),
    ]),
  );
}
const runShapes = ({ runs }: Document): unknown =>
  Object.entries(runs).map(([key, one]) => [key, shapeOf(one)]);
const lines = (text: string): string[] =>
  text
    .replace(/elapsed: \S+\)/, 'elapsed: <time>)')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/g, '<time>')
    .replace(/addr=\S+/g, 'addr=<address>')
    .split('\n');

const UPDATES = ['--workspace-count=4', '--power-user-workspaces=2', '--template=pod-swdev'];
const AUTOSTART = ['--workspace-count=2', '--template=pod-swdev'];
const BRIDGE = [
  '--concurrent-users=2',
  '--provider=completions',
  '--request-count=3',
  '--upstream-url=http://127.0.0.1:8099/v1/chat/completions',
];

describe.skipIf(!hasRecordings)('the other suites are as recorded', () => {
  it.each<[string, string, readonly string[], SuiteOptions]>([
    ['notifications', 'notifications', ['--user-count=5'], {}],
    ['workspace-updates', 'workspace-updates', UPDATES, {}],
    ['autostart', 'autostart', AUTOSTART, { deployment: { experiments: ['workspace-build-updates'] } }],
    ['bridge', 'bridge', BRIDGE, {}],
    ['task-status', 'task-status-no-external-agent', ['--count=2', '--baseline-duration=2s'], {}],
  ])('%s: result file, stderr and exit code', async (suite, name, flags, options) => {
    const ended = await run(suite, flags, options);
    const recording = cliRecording(VERSION, name);
    expect(ended.exitCode, ended.stderr).toBe(recording.exitCode);
    // The real bridge prints its whole configuration in between.
    const said = lines(ended.stderr).filter((line) => suite !== 'bridge' || !line.startsWith('Direct mode'));
    const expected = lines(recording.stderr);
    if (suite === 'bridge') expect(expected).toEqual(expect.arrayContaining(said));
    else expect(said).toEqual(expected);
    const [document, golden] = [written(), recorded(name)];
    expect(shapeOf({ ...document, runs: 0 })).toEqual(shapeOf({ ...golden, runs: 0 }));
    expect(runShapes(document)).toEqual(runShapes(golden));
    expect(Object.values(document.runs).map(({ error }) => error)).toEqual(
      Object.values(golden.runs).map(({ error }) => error),
    );
  });

  it.each<[string, string, readonly string[]]>([
    ['autostart', 'autostart-no-experiment', AUTOSTART],
    ['prebuilds', 'prebuilds-no-licence', []],
  ])('%s without what it needs says so and writes nothing', async (suite, name, flags) => {
    const ended = await run(suite, flags);
    const recording = cliRecording(VERSION, name);
    expect(ended.exitCode).toBe(recording.exitCode);
    expect(lines(ended.stderr)).toEqual(lines(recording.stderr));
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('task-status says on stdout that all runners connected, although none did', async () => {
    const ended = await run('task-status', ['--count=2', '--baseline-duration=2s']);
    const kinds = lines(cliRecording(VERSION, 'task-status-no-external-agent').stdout);
    expect(lines(ended.stdout)).toEqual(kinds);
  });
});

describe('the other suites', () => {
  it('exit with 0 although runs failed: dynamic-parameters', async () => {
    const ended = await run('dynamic-parameters', ['--concurrent-evaluations=4'], {
      cli: { failingShare: 0.5 },
    });
    expect(ended.exitCode).toBe(0);
    expect(written()).toMatchObject({ total_runs: 4, total_pass: 2, total_fail: 2 });
    expect(Object.keys(written().runs)).toEqual([
      'dynamic-parameters/0/0',
      'dynamic-parameters/0/1',
      'dynamic-parameters/0/2',
      'dynamic-parameters/1/0',
    ]);
    expect(ended.stdout).toContain('partitioned evaluations  num_evals=4  eval_parts="[2 1 1]"');
    expect(
      [...(simulated.deployment?.state.templates.values() ?? [])].map(({ options }) => options.name),
    ).toContain('scaletest-dynamic-parameters');
  });

  it('lose their file when a run failed: autostart', async () => {
    const options = { cli: { failingShare: 0.5 }, deployment: { experiments: ['workspace-build-updates'] } };
    const ended = await run('autostart', AUTOSTART, options);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain('error: load test failed, see above for more details');
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('pause the reconciler and let it go on, unless they are killed: prebuilds', async () => {
    const licensed = { deployment: { licensed: true } };
    expect((await run('prebuilds', ['--num-templates=2'], licensed)).exitCode).toBe(0);
    expect(simulated.deployment?.state.reconciliationPaused).toBe(false);
    await simulated.deployment?.close();
    const running = startCoder(simulated.executables.of(VERSION), await argumentsOf('prebuilds', []), {
      deployment: await serve({ ...licensed, cli: { suiteSeconds: 10 } }),
    });
    await vi.waitFor(() => expect(simulated.deployment?.state.reconciliationPaused).toBe(true), {
      timeout: 10_000,
    });
    running.child.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(simulated.deployment?.state.reconciliationPaused).toBe(true);
  });

  it('end with "context canceled" and without a file at a signal: notifications', async () => {
    const running = startCoder(
      simulated.executables.of(VERSION),
      await argumentsOf('notifications', ['--user-count=2']),
      {
        deployment: await serve({ cli: { suiteSeconds: 10 } }),
      },
    );
    await running.said('Running notification delivery scaletest...');
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/error: .*context canceled/);
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('are refused 428 while limits are on: workspace-updates', async () => {
    const ended = await run('workspace-updates', UPDATES, { deployment: { disableRateLimits: false } });
    expect(ended.exitCode).toBe(1);
    expect(written()).toMatchObject({ total_fail: 3 });
    expect(JSON.stringify(written())).toContain('unexpected status code 428');
  });
});
