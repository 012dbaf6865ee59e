import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
import { LATER } from './fail-open-later.js';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  reasonOf,
  resultsOf,
  summaryOf,
} from './support.js';

/*
 * Situations in which tools of this kind stay green. F1 to F20 are collected from other tools, R1 to R6 from
 * recordings of Coder's own CLI; the README has the table. Rows that other tests of this folder show bear their
 * numbers there.
 */

const metricNames = (run: ActionRun): string[] =>
  Object.keys(JSON.parse(run.outputs['metrics'] ?? '{}') as Record<string, number>);

const isGreen = (run: ActionRun): boolean =>
  run.main.exitCode === 0 || run.outputs['verdict'] === 'pass' || run.main.summary.includes('test passed');

/** A gate of which any part says "passed" has let it through. */
function expectRed(run: ActionRun, verdict: 'fail' | 'error' | 'inconclusive'): void {
  // The test that breaks the gate on purpose looks for these words.
  expect(isGreen(run), `the gate is green: ${reasonOf(run)}`).toBe(false);
  expectOutcome(run, verdict, 1);
  expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, verdict });
}

const DASHBOARD =
  'dashboard: { concurrency: 4, duration: 4s, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 } }';
const probeOf = (route: string, rate = 30): string => `api_probe: { rate: ${rate}, routes: ["${route}"] }`;

describe.concurrent('stays red where others are green', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('F5: a metrics page full of NaN', async () => {
    const page = 'coderd_api_requests_processed_total{code="200",method="GET",path="/api/v2/users"} NaN\n';
    const server = createServer((_, response) => response.end(page)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // An AGPL build has no list of replicas, so that nothing but the page shows restarts.
    await inWorld({ version: 'v2.31.0', agpl: true }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0 }), {
        inputs: { 'prometheus-url': `http://127.0.0.1:${port}/metrics` },
      });
      expectRed(run, 'error');
      expect(reasonOf(run)).toMatch(/^coderd-restarts could not be judged: .*/);
    }).finally(() => server.close());
  });

  it('F11: every API call fails within milliseconds, so that all latencies are tiny', () =>
    inWorld({ statusOverride: { 'GET /api/v2/updatecheck': 500 } }, async (world) => {
      const config = [DASHBOARD, probeOf('/api/v2/updatecheck')].join('\n');
      const run = await world.gate(config, { inputs: { tests: 'all' } });
      expectRed(run, 'fail');
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual([
        '14.9-api-latency-p95',
        '14.10-api-latency-p99',
        'api-success-rate',
      ]);
      // The guide's `// 0` must not find a latency.
      expect(metricNames(run).filter((name) => name.startsWith('api.latency.p9'))).toEqual([]);
      expect(filesBelow(resultsOf(run))).not.toContain('dashboard-results.json');
    }));

  it('F15: of two groups at the same time the first fails, and the last one to end passes', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { failingShare: 1 } } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 2 }));
      expectRed(run, 'fail');
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual([
        '14.6-pod-workspaces',
        'create-workspaces-success-rate',
        '14.11-alive-at-once',
      ]);
      expect(summaryOf(run)).toMatch(/\| 14\.7 \|.*\| pass \|/);
    }));

  it('F18: a limit inside a bucket of the only histogram that there is', () =>
    inWorld({ cli: { onlySuite: 'workspace-traffic' } }, async (world) => {
      const more = [
        'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 3s }',
        'criteria:',
        '  - { id: reads, metric: workspace_traffic.read_latency, expect: "p95 < 200ms" }',
      ];
      const run = await world.gate(configFile({ pods: 3, ec2: 0, more }), {
        inputs: { tests: 'create-workspaces,workspace-traffic' },
      });
      expectRed(run, 'inconclusive');
      expect(reasonOf(run)).toMatch(
        /^reads could not be decided: P95 100 ms to 250 ms \(n = \d+\), expected p95 < 200ms; only the bucket is known/,
      );
    }));

  it('F19: a load generator that cannot keep up', () =>
    inWorld({}, async (world) => {
      const run = await world.gate([DASHBOARD, probeOf('/api/v2/users/me')].join('\n'), {
        inputs: { tests: 'all' },
        env: BUSY,
      });
      expectRed(run, 'inconclusive');
      expect(reasonOf(run)).toMatch(/could not be decided: .*; but the load generator was saturated: /);
    }));

  it('R4: every run is answered 428, although the checks before the load found no rate limits', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 3, ec2: 0 }), {
        onLog: (line) => {
          if (line.includes('exp scaletest create-workspaces')) world.coder.options.disableRateLimits = false;
        },
      });
      expectRed(run, 'fail');
      expectNothingLeft(world);
      expect(failedCriteria(run)).toContain('create-workspaces-success-rate');
      expect(summaryOf(run)).toMatch(/\| 3 \| pod\\_workspaces \| `.*428.*` \|/);
      expect(metricNames(run).filter((name) => /provisioning\.p\d/.test(name))).toEqual([]);
    }));

  it('R5: most builds fail, and the few that are left are fast', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { failingShare: 0.8 } } }, async (world) => {
      const run = await world.gate(configFile({ pods: 8, ec2: 0 }));
      expectRed(run, 'fail');
      expectNothingLeft(world);
      expect(failedCriteria(run)).toContain('14.6-pod-workspaces');
      expect(failedCriteria(run)).toContain('create-workspaces-success-rate');
      const metrics = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
      // Which of the eight fail is drawn anew each time; that none does happens once in four hundred thousand.
      expect(metrics['create_workspaces.all.success_rate.value']).toBeLessThan(1);
      expect(metrics['create_workspaces.pod_workspaces.provisioning.p95']).toBeUndefined();
      expect(filesBelow(resultsOf(run))).not.toContain('pod-workspaces.json');
    }));

  for (const [row, reason] of LATER) {
    it(`${row} is not there yet`, ({ skip }) => {
      console.warn(`${row}: skipped; ${reason}`);
      skip(reason);
    });
  }
});

/** Blocks the event loop of the action's own process for two fifths of a second, again and again. */
const BUSY = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    'setInterval(()=>{const end=Date.now()+400;while(Date.now()<end);},500).unref()',
  )}`,
};
