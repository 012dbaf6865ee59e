import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
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
  logOf,
  outcomeOf,
  readJson,
  reasonOf,
  resultsOf,
  type E2eWorld,
} from './support.js';

const GUIDE = `create_workspaces:
  count: 1000                    # Total workspaces to create
  templates:
    pod_workspaces:
      template: "pod-swdev"
      count: 700                 # 700 pod-based workspaces
      concurrency: 100           # 100 concurrent operations
      expected_p95: "2m"         # Target: < 2 minutes
    ec2_workspaces:
      template: "ec2-datasci"
      count: 300                 # 300 EC2-based workspaces
      concurrency: 50            # 50 concurrent operations
      expected_p95: "5m"         # Target: < 5 minutes

# API latency test settings
dashboard:
  concurrency: 50                # 50 simulated users
  duration: "5m"                 # 5 minute test duration
  targets:
    p95_latency_ms: 500          # Target: < 500ms
    p99_latency_ms: 1000         # Target: < 1 second

# Network throughput test settings
workspace_traffic:
  bytes_per_tick: 1024           # 1KB per tick
  tick_interval: "100ms"         # 100ms between ticks
  duration: "10m"                # 10 minute test duration
`;

function expectGreenWithoutVerdict(run: ActionRun): void {
  expect(outcomeOf(run), logOf(run)).toEqual({ exitCode: 0, post: 0, verdict: undefined, orphans: [] });
  expect(annotationsOf(run, 'error')).toEqual([]);
}

/** Nothing was installed and nothing uploaded, and the deployment was not even asked. */
function expectUntouched(run: ActionRun, world: E2eWorld): void {
  expectNothingCreated(world);
  expect(world.releases.requests).toEqual([]);
  expect(filesBelow(run.toolCache)).toEqual([]);
}

describe.concurrent('mode plan', { timeout: LONGEST_SCENARIO_MS }, () => {
  const alone = { mode: 'plan', 'coder-url': '', 'coder-session-token': '' };

  it('shows the plan of the guide’s own config, without a deployment', () =>
    inWorld({}, async (world) => {
      const run = await world.run(GUIDE, { inputs: alone });
      expectGreenWithoutVerdict(run);
      expectUntouched(run, world);
      expect(world.coder.state.requestCounts.size).toBe(0);
      expect(annotationsOf(run, 'warning')).toEqual([]);
      const plan = JSON.parse(run.outputs['plan'] ?? '') as {
        phases: { steps: { command: string[] }[] }[];
        effects: unknown;
      };
      expect(plan).toEqual(readJson(run, 'plan.json'));
      expect(plan.effects).toEqual({ workspaces: 1000, users: 1000, notificationsPerAdmin: 2000 });
      const commands = plan.phases.flatMap(({ steps }) => steps.map(({ command }) => command));
      expect(commands.map((command) => command.slice(0, 9))).toEqual([
        [
          'coder',
          'exp',
          'scaletest',
          'create-workspaces',
          '--count=700',
          '--template=pod-swdev',
          '--concurrency=100',
          '--timeout=30m',
          '--job-timeout=10m',
        ],
        [
          'coder',
          'exp',
          'scaletest',
          'create-workspaces',
          '--count=300',
          '--template=ec2-datasci',
          '--concurrency=50',
          '--timeout=45m',
          '--job-timeout=15m',
        ],
      ]);
      for (const command of commands) expect(command).toContain('--no-cleanup');
      expect(run.main.summary).toMatch(/^### Scale test plan\n/);
      expect(run.main.summary).toMatch(/Set timeout-minutes to at least \d+\./);
      expect(run.main.summary).toContain('2,000 notifications');
      expect(filesBelow(resultsOf(run))).toEqual(['plan.json', 'summary.md']);
      expect(readdirSync(run.temp).filter((name) => name.startsWith('scaletest-'))).toEqual([]);
    }));

  it('with a deployment also shows the parameters and the provisioners of it', () =>
    inWorld({ provisionerSlots: 7 }, async (world) => {
      const run = await world.run(GUIDE, { inputs: { mode: 'plan' } });
      expectGreenWithoutVerdict(run);
      expectUntouched(run, world);
      expect(logOf(run)).toContain('--parameter=region=eu-west-1 --parameter=size=small');
      expect(run.main.summary).toContain('(with 7 provisioners)');
      for (const call of world.coder.state.requestCounts.keys()) expect(call).toMatch(/^GET /);
    }));

  it('is red when the deployment has no such template', () =>
    inWorld({}, async (world) => {
      const run = await world.run(GUIDE.replace('pod-swdev', 'pod-gone'), { inputs: { mode: 'plan' } });
      expect(run.main.exitCode).toBe(1);
      expectUntouched(run, world);
      expect(errorTexts(run)).toContain('the template "pod-gone" does not exist');
      expect(run.main.summary).toContain('the template "pod-gone" does not exist');
      expect(run.outputs['verdict']).toBe('error');
      expect(reasonOf(run)).toMatch(/^the template "pod-gone" does not exist on http/);
    }));

  it('is red when the deployment does not know the credentials', () =>
    inWorld({}, async (world) => {
      const run = await world.run(GUIDE, {
        inputs: { mode: 'plan', 'coder-session-token': 'abcdefghij-abcdefghijklmnopqrstuv' },
      });
      expectOutcome(run, 'error', 1);
      expect(errorTexts(run)).toMatch(/the templates of http.* could not be read: .*API key is invalid/);
    }));

  it.each([
    ['credentials', { 'coder-session-token': '' }, /because no credentials were given: set input "coder-/],
    ['an address', { 'coder-url': '' }, /because no address was given: set input "coder-url"/],
  ])('says that it did not ask the deployment without %s', (_, inputs, why) =>
    inWorld({}, async (world) => {
      const run = await world.run(GUIDE, { inputs: { mode: 'plan', ...inputs } });
      expectGreenWithoutVerdict(run);
      expect(world.coder.state.requestCounts.size).toBe(0);
      const [warning] = annotationsOf(run, 'warning');
      expect(warning?.message).toMatch(/^the deployment was not asked for its templates/);
      expect(warning?.message).toMatch(why);
      expect(run.main.summary).toContain('the deployment was not asked');
    }),
  );

  it('says what a criterion lacks that only informs, and refuses one that would decide', () =>
    inWorld({}, async (world) => {
      const criterion = (more: string): string =>
        `criteria: [{ id: own, metric: create_workspaces.all.queue, expect: "p95 < 9s"${more} }]`;
      const of = (more: string): string =>
        configFile({ pods: 18, ec2: 0, more: [criterion(more)] }).replace(
          '[{',
          '[{ id: 14.6-pod-workspaces, disabled: true, reason: too few }, {',
        );
      const shown = await world.run(of(', informational: true'), { inputs: alone });
      expectGreenWithoutVerdict(shown);
      const words = '18 workspaces; a P95 needs 59, so it needs 41 more workspaces';
      expect(shown.main.summary).toContain(words);
      expect(logOf(shown)).toContain(words);
      const refused = await world.run(of(''), { inputs: alone });
      expectOutcome(refused, 'error', 1);
      expectUntouched(refused, world);
      expect(errorTexts(refused)).toContain('so it needs 41 more workspaces; raise the count');
    }));

  it('needs no credentials to refuse a bad config', () =>
    inWorld({}, async (world) => {
      const run = await world.run(GUIDE.replace('count: 700', 'count: 701'), { inputs: alone });
      expectOutcome(run, 'error', 1);
      expectUntouched(run, world);
      expect(errorTexts(run)).toContain('the groups add up to 1001 (701 + 300)');
    }));
});

describe.concurrent('mode preflight', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('ends green after the readiness checks', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile(), { inputs: { mode: 'preflight' } });
      expectGreenWithoutVerdict(run);
      expectNothingCreated(world);
      expect(reasonOf(run)).toBe('the deployment is ready');
      expect(run.main.summary).toMatch(/^### The deployment is ready for the scale test\n/);
      expect(run.main.summary).toContain('Driver: cli');
      expect(filesBelow(resultsOf(run))).toEqual(['plan.json', 'readiness.json', 'summary.md']);
    }));

  it('ends red with every obstacle', () =>
    inWorld({ tokenExpiresInSeconds: 600 }, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.gate(configFile({ podTemplate: 'pod-gone' }), {
        inputs: { mode: 'preflight' },
      });
      expectOutcome(run, 'error', 1);
      expect(world.coder.state.workspaces.size).toBe(1);
      for (const text of [reasonOf(run), errorTexts(run)]) {
        expect(text).toMatch(/the token ends at/);
        expect(text).toMatch(/the template "pod-gone" does not exist/);
        expect(text).toMatch(/1 workspaces and 1 users of an earlier scale test are there/);
      }
    }));

  it('leaves leftovers alone, also with "leftovers: clean"', () =>
    inWorld({}, async (world) => {
      world.coder.seedLeftovers(1);
      const run = await world.gate(configFile(), { inputs: { mode: 'preflight', leftovers: 'clean' } });
      expectGreenWithoutVerdict(run);
      expect(world.coder.state.liveWorkspaces()).toHaveLength(1);
    }));
});

describe.concurrent('mode run', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('collects evidence and judges nothing: a slow deployment is no failure', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0, podLimit: '100ms' }), {
        inputs: { mode: 'run' },
      });
      expectGreenWithoutVerdict(run);
      expectNothingLeft(world);
      expect(run.outputs['failed-criteria']).toBeUndefined();
      expect(run.main.summary).toMatch(/^### Scale test ran; nothing was judged\n/);
      expect(logOf(run)).toContain('nothing was judged (mode run)');
      expect(existsSync(path.join(resultsOf(run), 'evidence/create-workspaces.pod_workspaces.json'))).toBe(
        true,
      );
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false });
    }));

  it('is red when its clean-up left something behind', () =>
    inWorld({ failDeleteShare: 1 }, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }), { inputs: { mode: 'run' } });
      expect(run.main.exitCode).toBe(1);
      expect(run.outputs['verdict']).toBe('fail');
      // Post tries once more, and fails its own step.
      expect(run.post?.exitCode).toBe(1);
      expect(reasonOf(run)).toContain('cleanup-leftover-workspaces');
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false });
    }));

  it.each(['never', 'on-success'])('needs no clean-up of its own to be green: cleanup %s', (cleanup) =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }), { inputs: { mode: 'run', cleanup } });
      expectGreenWithoutVerdict(run);
      if (cleanup === 'on-success') expectNothingLeft(world);
    }),
  );

  it('is red when there is no evidence', () =>
    inWorld({ cli: { noJson: true } }, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }), { inputs: { mode: 'run' } });
      expectOutcome(run, 'error', 1);
      expectNothingLeft(world);
      expect(reasonOf(run)).toContain('without a result file');
    }));
});
