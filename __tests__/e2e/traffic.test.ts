import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CliBehaviour, DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun, RunActionOptions } from '../../simulator/runner/runner.js';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  readResult,
  reasonOf,
  resultsOf,
  summaryOf,
  type ConfigOptions,
  type E2eWorld,
} from './support.js';

const SUITES = 'create-workspaces,workspace-traffic';
const TRAFFIC = 'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 4s }';

interface TrafficOptions {
  readonly cli?: Partial<CliBehaviour>;
  readonly deployment?: Partial<DeploymentOptions>;
  readonly config?: ConfigOptions;
  readonly more?: readonly string[];
  readonly run?: Partial<RunActionOptions>;
  readonly inputs?: Record<string, string>;
}

/** A run of both suites, of which only the traffic misbehaves. */
function traffic(
  { cli = {}, deployment = {}, config = {}, more = [], run = {}, inputs = {} }: TrafficOptions,
  check: (finished: ActionRun, world: E2eWorld) => void,
): Promise<void> {
  return inWorld({ ...deployment, cli: { onlySuite: 'workspace-traffic', ...cli } }, async (world) => {
    const text = configFile({ pods: 4, ec2: 0, more: [TRAFFIC, ...more], ...config });
    check(await world.gate(text, { ...run, inputs: { tests: SUITES, ...inputs } }), world);
  });
}

const metricNamed = (run: ActionRun, name: string): Record<string, unknown> | undefined =>
  (readJson(run, 'metrics.json') as { metrics: Record<string, unknown>[] }).metrics.find(
    (metric) => metric['name'] === `workspace_traffic.${name}`,
  );

const verdictsOf = (run: ActionRun): Record<string, string> =>
  Object.fromEntries(
    (
      readJson(run, 'verdict.json') as { results: { verdict: string; criterion: { id: string } }[] }
    ).results.map(({ verdict, criterion }) => [criterion.id, verdict]),
  );

describe.concurrent('workspace traffic', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('that gets through passes, with its numbers in every report', () =>
    traffic(
      {
        more: [
          'criteria:',
          '  - { id: reads, metric: workspace_traffic.read_latency, expect: "p95 < 250ms" }',
        ],
      },
      (run, world) => {
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(verdictsOf(run)).toMatchObject({
          'workspace-traffic-success-rate': 'pass',
          'workspace-traffic-throughput-ratio': 'pass',
          reads: 'pass',
        });
        expect(readJson(run, 'traffic-results.json')).toMatchObject({
          mode: 'web-terminal',
          duration_seconds: 4,
          total_runs: 4,
          passed_runs: 4,
          success_rate: 1,
          throughput: {
            bytes_per_second: expect.any(Number) as unknown,
            ratio: expect.any(Number) as unknown,
          },
          latency: { read: { p95_at_most_ms: 250 }, write: { p95_at_most_ms: 5 } },
        });
        expect(readJson(run, 'scale-test-report.json')).toMatchObject({
          pass: true,
          results: { network_traffic: readJson(run, 'traffic-results.json') },
        });
        expect(summaryOf(run)).toMatch(
          /\*\*Workspace traffic\.\*\* 4 of 4 workspaces had traffic through the web terminal for the whole 4 s; 40.* KB\/s|3\d.* KB\/s got through/,
        );
        const flat = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
        expect(flat['workspace_traffic.success_rate.value']).toBe(1);
        expect(flat['workspace_traffic.throughput_ratio.value']).toBeGreaterThan(0.9);
        expect(filesBelow(path.join(resultsOf(run), 'evidence'))).toEqual(
          expect.arrayContaining([
            'workspace-traffic.json',
            'workspace-traffic.metrics.txt',
            'workspace-traffic.stderr.txt',
          ]),
        );
        expect(readResult(run, 'evidence/workspace-traffic.metrics.txt')).toContain(
          'coderd_scaletest_read_latency_seconds_bucket',
        );
        expect(logOf(run)).toMatch(/\d s {2}workspace-traffic: 4 workspaces, 0\.\d MB written/);
      },
    ));

  it('is sent by the CLI also when the workspaces are created through the API', () =>
    traffic({ deployment: { disableRateLimits: false } }, (run, world) => {
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      const log = logOf(run);
      expect(log).toMatch(/pod_workspaces: 4 workspaces through the API/);
      expect(log).toMatch(/has every suite and flag that is needed/);
      const plan = readJson(run, 'plan.json') as { phases: { steps: { command: string[] }[] }[] };
      expect(plan.phases[1]?.steps[0]?.command).toContain('--template=pod-swdev');
    }));

  it('of two templates goes to the workspaces of both, over SSH where the config says so', () =>
    traffic({ config: { pods: 2, ec2: 2, more: [TRAFFIC.replace(' }', ', mode: ssh }')] } }, (run) => {
      expectOutcome(run, 'pass', 0);
      expect(readJson(run, 'traffic-results.json')).toMatchObject({ mode: 'ssh', total_runs: 4 });
      const plan = readJson(run, 'plan.json') as { phases: { steps: { command: string[] }[] }[] };
      expect(plan.phases[1]?.steps[0]?.command).toContain('--ssh');
      expect(plan.phases[1]?.steps[0]?.command.join(' ')).not.toContain('--template');
    }));

  it('that is too slow fails, with the share', () =>
    traffic({ cli: { throughputShare: 0.5 } }, (run, world) => {
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['workspace-traffic-throughput-ratio']);
      expect(reasonOf(run)).toMatch(
        /workspace-traffic-throughput-ratio failed: 4\d(\.\d+)? %, expected >= 90%/,
      );
      expect(readJson(run, 'traffic-results.json')).toMatchObject({ success_rate: 1 });
    }));

  it('whose connections drop fails, with the cause', () =>
    traffic({ cli: { dropShare: 0.25 } }, (run) => {
      expectOutcome(run, 'fail', 1);
      expect(failedCriteria(run)).toContain('workspace-traffic-success-rate');
      expect(metricNamed(run, 'drop_rate')).toMatchObject({ good: 1, total: 4 });
      expect(summaryOf(run)).toContain('test did not complete: context canceled');
      expect(summaryOf(run)).toContain('1 of 4 connections failed, ended early or had errors');
    }));

  it('that gets no answer fails', () =>
    traffic({ cli: { stalledShare: 0.5 } }, (run) => {
      expectOutcome(run, 'fail', 1);
      expect(failedCriteria(run)).toEqual([
        'workspace-traffic-success-rate',
        'workspace-traffic-throughput-ratio',
      ]);
      expect(summaryOf(run)).toContain('zero bytes read from agent');
    }));

  it('drops and stalls that an old CLI lets pass fail all the same', () =>
    traffic({ deployment: { version: 'v2.31.0', agpl: true }, cli: { dropShare: 0.25 } }, (run) => {
      expectOutcome(run, 'fail', 1);
      expect(failedCriteria(run)).toContain('workspace-traffic-success-rate');
      expect(metricNamed(run, 'success_rate')).toMatchObject({ good: 3, total: 4 });
    }));

  it('of a CLI whose result file has no bytes is measured by its metrics page', () =>
    traffic({ deployment: { version: 'v2.21.3' } }, (run) => {
      expectOutcome(run, 'pass', 0);
      expect(metricNamed(run, 'throughput')).toMatchObject({
        source: 'cli-prometheus',
        evidence: ['evidence/workspace-traffic.metrics.txt'],
      });
    }));

  it('that leaves out a few workspaces counts them as failed', () =>
    traffic(
      {
        cli: { lostAgents: 1 },
        config: { pods: 20 },
        more: ['criteria:', '  - { id: 14.6-pod-workspaces, disabled: true, reason: too few for a P95 }'],
        inputs: { profile: '' },
      },
      (run) => {
        expectOutcome(run, 'fail', 1);
        expect(metricNamed(run, 'success_rate')).toMatchObject({ good: 19, total: 20 });
        expect(failedCriteria(run)).toEqual(['workspace-traffic-success-rate']);
        expect(readResult(run, 'evidence/workspace-traffic.stderr.txt')).toMatch(
          /^WARN: skipping workspace scaletest-\S+: no agent/,
        );
      },
    ));

  it.each<[string, Partial<CliBehaviour>, RegExp]>([
    [
      'leaves out many workspaces',
      { lostAgents: 2 },
      /workspace-traffic: only 2 of 4 workspaces got traffic/,
    ],
    ['runs nothing and exits with 0', { zeroRuns: true }, /workspace-traffic: no workspace got traffic/],
    [
      'writes no result file and exits with 0',
      { noJson: true },
      /workspace-traffic: the suite exited with 0 without a result file/,
    ],
    ['writes half a result file', { truncateJson: true }, /workspace-traffic: the result file is truncated/],
  ])('that %s is an error, never green', (_, cli, reason) =>
    traffic({ cli }, (run, world) => {
      expectOutcome(run, 'error', 1);
      expectNothingLeft(world);
      expect(reasonOf(run)).toMatch(reason);
      expect(filesBelow(resultsOf(run))).not.toContain('traffic-results.json');
      expect(readJson(run, 'scale-test-report.json')).not.toHaveProperty('results.network_traffic');
    }),
  );

  it.each<[string, Partial<CliBehaviour>, RegExp]>([
    [
      'garbage',
      { metricsPage: '<html>\n' },
      /is missing: what answers there is no metrics page of the suite/,
    ],
    ['empty', { metricsPage: '' }, /is missing: what answers there/],
    [
      'another program’s, which holds the port',
      { metricsPortTaken: true },
      /is another program's: it tells of scaletest-other-/,
    ],
  ])('F1: whose metrics page is %s has no latency, and an error where one was asked for', (_, cli, reason) =>
    traffic(
      {
        cli,
        more: ['criteria:', '  - { id: reads, metric: workspace_traffic.read_latency, expect: "p95 < 1s" }'],
      },
      (run) => {
        expectOutcome(run, 'error', 1);
        expect(verdictsOf(run)).toMatchObject({
          'workspace-traffic-success-rate': 'pass',
          'workspace-traffic-throughput-ratio': 'pass',
          reads: 'error',
        });
        expect(reasonOf(run)).toMatch(reason);
        expect(readJson(run, 'traffic-results.json')).not.toHaveProperty('latency');
      },
    ),
  );

  it('that is cancelled leaves nothing behind once post is done', () =>
    traffic(
      {
        config: { more: [TRAFFIC.replace('4s', '60s')] },
        run: { signals: [{ signal: 'SIGINT', whenLogMatches: /\d s {2}workspace-traffic: 4 workspaces/ }] },
      },
      (run, world) => {
        expectOutcome(run, 'cancelled', 1);
        expectNothingLeft(world);
        const [signal] = run.main.signalsSent;
        expect(run.main.durationMs - (signal?.atMs ?? 0)).toBeLessThan(10_000);
        expect(run.main.signal).toBeNull();
        expect(filesBelow(resultsOf(run))).not.toContain('traffic-results.json');
        expect(
          readFileSync(path.join(resultsOf(run), 'evidence/workspace-traffic.stderr.txt'), 'utf8'),
        ).toContain('Running load test...');
      },
    ));

  it('after workspaces none of which was made is an error', () =>
    traffic({ config: { podTemplate: 'tpl-fail' } }, (run) => {
      expectOutcome(run, 'fail', 1);
      expect(verdictsOf(run)).toMatchObject({ 'workspace-traffic-success-rate': 'error' });
      expect(summaryOf(run)).toMatch(/workspace-traffic: (no workspace got traffic|the suite)/);
    }));

  it('without the suite that makes the workspaces is refused', () =>
    traffic({ inputs: { tests: 'workspace-traffic' } }, (run, world) =>
      expectRefusal(run, world, /sends traffic to the workspaces of the suite "create-workspaces"/),
    ));
});
