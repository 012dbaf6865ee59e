import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { node24Path, type ActionRun } from '../../simulator/runner/runner.js';
import {
  annotationsOf,
  configFile,
  errorTexts,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  readResult,
  reasonOf,
  resultsOf,
  type E2eWorld,
} from './support.js';

const COMMON_FILES = [
  'SHA256SUMS',
  'ec2-scale-results.json',
  'ec2-workspaces.json',
  'evidence/build-timings.json',
  'evidence/create-workspaces.ec2_workspaces.json',
  'evidence/create-workspaces.pod_workspaces.json',
  'evidence/server-latency.json',
  'evidence/server-metrics.end.txt',
  'evidence/server-metrics.json',
  'evidence/server-metrics.start.txt',
  'evidence/stages.json',
  'evidence/workspaces.json',
  'leftovers.json',
  'metrics.json',
  'plan.json',
  'pod-scale-results.json',
  'pod-workspaces.json',
  'readiness.json',
  'run.json',
  'scale-test-report.json',
  'summary.md',
  'verdict.json',
];
const CLI_FILES = ['pod_workspaces', 'ec2_workspaces'].flatMap((group) =>
  ['stdout', 'stderr'].map((stream) => `evidence/create-workspaces.${group}.${stream}.txt`),
);

/** The first node on PATH that no package brought: npm puts node_modules/.bin first. */
function systemNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => path.join(folder, 'node'))
    .find((file) => existsSync(file));
}

const majorOf = (node: string): string =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().split('.')[0] ?? '';

/** One line of the guide, as it is written there, in the results directory. */
const shell = (directory: string, line: string): string =>
  execFileSync('bash', ['-c', line], {
    cwd: directory,
    env: { ...process.env, RESULTS_DIR: directory },
    encoding: 'utf8',
  }).trim();

async function passes(world: E2eWorld, nodePath: string): Promise<ActionRun> {
  const run = await world.gate(configFile({ pods: 3, ec2: 2 }), {
    nodePath,
    inputs: { subject: 'commit 0123456' },
  });
  expectOutcome(run, 'pass', 0);
  expectNothingLeft(world);
  expect(reasonOf(run)).toBe('all 7 criteria passed');
  expect(annotationsOf(run, 'error')).toEqual([]);
  expect(annotationsOf(run, 'warning')).toEqual([]);
  expect(filesBelow(resultsOf(run))).toEqual([...COMMON_FILES, ...CLI_FILES].sort());
  return run;
}

function expectCompleteOutputs(run: ActionRun, world: E2eWorld): void {
  const { outputs } = run;
  const [artifact] = world.artifacts.artifacts;
  expect(outputs).toMatchObject({
    'failed-criteria': '[]',
    'inconclusive-criteria': '[]',
    'report-path': path.join(resultsOf(run), 'scale-test-report.json'),
    'artifact-id': String(artifact?.id),
    'artifact-url': `https://github.com/octo-org/infrastructure/actions/runs/9876543210/artifacts/${String(artifact?.id)}`,
    'coder-version': 'v2.36.0+a1b2c3d',
  });
  expect(path.relative(run.workspace, resultsOf(run))).toMatch(/^scaletest-results\/\d{8}T\d{6}Z$/);
  expect(JSON.parse(outputs['plan'] ?? '')).toEqual(readJson(run, 'plan.json'));
  const metrics = JSON.parse(outputs['metrics'] ?? '{}') as Record<string, number>;
  expect(metrics).toMatchObject({
    'create_workspaces.all.success_rate.value': 1,
    'create_workspaces.all.provisioning.count': 5,
    'create_workspaces.pod_workspaces.provisioning.count': 3,
    'create_workspaces.all.peak_alive.value': 5,
    'cleanup.leftover_workspaces.value': 0,
    'cleanup.leftover_users.value': 0,
  });
  expect(metrics['create_workspaces.pod_workspaces.provisioning.p95']).toBeGreaterThan(0.3);
}

function expectArtifactHoldsTheResults(run: ActionRun, world: E2eWorld): void {
  expect(world.artifacts.artifacts).toHaveLength(1);
  const [artifact] = world.artifacts.artifacts;
  expect(artifact?.name).toMatch(
    new RegExp(`^scaletest-scale-test-${path.basename(resultsOf(run))}-attempt-1-[0-9a-f]{4}$`),
  );
  const entries = artifact?.entries() ?? new Map<string, Buffer>();
  expect([...entries.keys()].sort()).toEqual(filesBelow(resultsOf(run)));
  for (const [name, content] of entries) expect(content.toString('utf8'), name).toBe(readResult(run, name));
}

function expectTheGuideWorks(run: ActionRun): void {
  const directory = resultsOf(run);
  const seconds = Number(shell(directory, `jq '.provisioning.p95_seconds' pod-scale-results.json`));
  expect(seconds).toBeGreaterThan(0.3);
  expect(shell(directory, `jq '.success_rate' pod-scale-results.json`)).toBe('1');
  const text = shell(
    directory,
    [
      `POD_P95=$(jq -r '.provisioning_time_p95_ms // 0' "\${RESULTS_DIR}/pod-workspaces.json")`,
      `if [ "$POD_P95" -gt 120000 ]; then echo "FAIL: Pod P95 (\${POD_P95}ms)"; exit 1; fi`,
      'echo "$POD_P95"',
    ].join('\n'),
  );
  expect(Number(text)).toBe(Math.ceil(seconds * 1000));
  expect(
    shell(
      directory,
      `jq -r '.pass, .results.workspace_creation.provisioning.p95_seconds' scale-test-report.json`,
    ),
  ).toBe(`true\n${seconds}`);
  expect(shell(directory, 'jq -c ".results | keys" scale-test-report.json')).toBe('["workspace_creation"]');
  expect(shell(directory, 'jq -r .test_date scale-test-report.json')).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  );
}

describe.concurrent('a deployment that meets its criteria', { timeout: LONGEST_SCENARIO_MS }, () => {
  const node24 = node24Path();
  const system = systemNode();

  it('passes with the CLI: results, outputs, summary, artifact, and the lines of the guide', () =>
    inWorld({}, async (world) => {
      const run = await passes(world, system ?? process.execPath);
      expectCompleteOutputs(run, world);
      expectArtifactHoldsTheResults(run, world);
      expectTheGuideWorks(run);
      expect(run.main.summary).toMatch(/^### Scale test passed\n\nUnder test: `commit 0123456`/);
      for (const text of [
        '14.6',
        '14.7',
        '14.11',
        'Where the time went',
        'nothing is left on the deployment',
      ])
        expect(run.main.summary).toContain(text);
      expect(run.main.summary).toContain('At most 5 operations were in flight at once');
      expect(readResult(run, 'summary.md')).toBe(run.main.summary);
      expect(readJson(run, 'verdict.json')).toMatchObject({ verdict: 'pass', failedCriteria: [] });
      expect(readJson(run, 'leftovers.json')).toMatchObject({
        deletedWorkspaces: 5,
        deletedUsers: 5,
        leftoverWorkspaces: [],
        leftoverUsers: [],
        verified: true,
      });
      expect(readJson(run, 'readiness.json')).toMatchObject({ driver: { driver: 'cli' } });
    }));

  it('leaves nothing to do for post', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      expect(run.post?.log).toEqual(['main left nothing to do']);
      expect(run.post?.summary).toBe('');
      expect(run.state).toMatchObject({ cleanup: '', upload: '' });
      // The CLI's raw results, which hold secrets, are gone.
      expect(readdirSync(run.temp).filter((name) => name.startsWith('scaletest-'))).toEqual([]);
    }));

  it.skipIf(node24 === undefined || (system !== undefined && majorOf(node24) === majorOf(system)))(
    'passes on Node 24 as on the system’s node (skipped where they are the same, or Node 24 is not installed)',
    () =>
      inWorld({}, async (world) => {
        await passes(world, node24 ?? '');
      }),
  );
});

describe.concurrent('rate limits', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('takes the driver "api" when the CLI cannot pass, and says so', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const run = await world.gate(configFile({ pods: 3, ec2: 2 }));
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(run.main.summary).toMatch(
        /Workspaces were created through the API instead of the CLI's suite, because rate limits are on.*428/,
      );
      expect(filesBelow(resultsOf(run))).toEqual([...COMMON_FILES].sort());
      expect(readJson(run, 'readiness.json')).toMatchObject({ driver: { driver: 'api' } });
      expect(world.releases.requests).toEqual([]);
      expectTheGuideWorks(run);
    }));

  it('refuses "driver: cli" before the load, with the reason', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const run = await world.gate(configFile({ suite: ['driver: cli'] }));
      expectOutcome(run, 'error', 1);
      expectNothingCreated(world);
      for (const text of [reasonOf(run), errorTexts(run), run.main.summary]) {
        expect(text).toMatch(/with "driver: cli" every run would fail: rate limits are on.*428/);
        expect(text).toMatch(/use "driver: auto" or "driver: api"/);
      }
      expect(filesBelow(resultsOf(run))).toEqual(['plan.json', 'readiness.json', 'summary.md']);
    }));

  it('takes the driver "api" when the config asks for it, also without limits', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0, suite: ['driver: api'] }));
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(world.releases.requests).toEqual([]);
      expect(run.main.summary).not.toContain('instead of the CLI');
    }));
});
