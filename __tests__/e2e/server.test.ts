import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  annotationsOf,
  configFile,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  readResult,
  reasonOf,
  summaryOf,
} from './support.js';

const CONFIG = configFile({ pods: 3, ec2: 0 });
const WORKSPACES = 'POST /api/v2/users/{user}/workspaces';
/** In the middle of creating. */
const RESTART = { restartAfter: { request: WORKSPACES, count: 2 } };

const rowOf = (run: ActionRun): string =>
  summaryOf(run)
    .split('\n')
    .find((line) => line.includes('`coderd-restarts`')) ?? '';

interface Metrics {
  readonly metrics: readonly Record<string, unknown>[];
}
const restartsOf = (run: ActionRun): Record<string, unknown> | undefined =>
  (readJson(run, 'metrics.json') as Metrics).metrics.find(({ name }) => name === 'coderd.restarts');

describe.concurrent('the server’s side', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each<[string, Partial<DeploymentOptions>]>([
    ['v2.36.0', {}],
    ['v2.36.0 with Prometheus off', { prometheusEnabled: false }],
    ['v2.31.0, AGPL', { version: 'v2.31.0', agpl: true }],
    ['v2.36.0 with three replicas', { replicas: 3 }],
  ])('of %s is measured, and judged', (_, options) =>
    inWorld(options, async (world) => {
      const run = await world.gate(CONFIG);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(rowOf(run)).toMatch(/\| == 0 \| 0 \| .* \| pass \|$/);
      expect(restartsOf(run)).toMatchObject({ value: 0, source: 'server-metrics', unit: 'count' });
      expect(JSON.parse(run.outputs['metrics'] ?? '')).toMatchObject({ 'coderd.restarts.value': 0 });
      const replicas = options.replicas ?? 1;
      expect(summaryOf(run)).toMatch(
        replicas === 1
          ? /\*\*On the server's side\.\*\* coderd answered \d+ API requests of everybody in \d/
          : /\*\*On the server's side\.\*\* The 3 replicas of coderd answered \d+ API requests/,
      );
      expect(summaryOf(run)).toMatch(/by its own histogram the P95 was .* ms to .* ms and the P99/);
      expect(summaryOf(run)).toContain(`| \`${WORKSPACES}\` | 3 |`);
      const file = `evidence/server-metrics.start${replicas === 1 ? '' : '.3'}.txt`;
      expect(readResult(run, file)).toContain('coderd_api_request_latencies_seconds_bucket');
      expect(readJson(run, 'evidence/server-latency.json')).toMatchObject({ delta: { processes: replicas } });
    }),
  );

  it.each<[string, Partial<DeploymentOptions>]>([
    ['', {}],
    [', with Prometheus off', { prometheusEnabled: false }],
    [', of an AGPL build', { version: 'v2.31.0', agpl: true, prometheusEnabled: false }],
    [', of one of several that cannot be told apart', { replicas: 3, prometheusEnabled: false }],
    [', of a server without the page', { version: 'v2.21.3' }],
  ])('fails a run in which coderd began anew%s', (_, options) =>
    inWorld({ ...options, ...RESTART }, async (world) => {
      const run = await world.gate(CONFIG);
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['coderd-restarts']);
      expect(reasonOf(run)).toBe('coderd-restarts failed: 1, expected == 0');
      expect(restartsOf(run)).toMatchObject({ value: 1 });
      expect(summaryOf(run)).toMatch(/One coderd process ended during the load.*Its latencies are skipped/);
    }),
  );

  it('says why it is skipped with several replicas and Prometheus off, and still sees their list', () =>
    inWorld({ replicas: 2, prometheusEnabled: false }, async (world) => {
      const run = await world.gate(CONFIG);
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toContain(
        "**On the server's side.** Its latencies are skipped (2 replicas answer at one address, and while Prometheus is off an answer does not say which of them it is from",
      );
      expect(rowOf(run)).toMatch(/\| pass \|$/);
    }));

  it('leaves the criterion out, with the reason, where nothing shows a restart', () =>
    inWorld({ version: 'v2.21.3', agpl: true }, async (world) => {
      const run = await world.gate(CONFIG);
      expectOutcome(run, 'pass', 0);
      expect(rowOf(run)).toMatch(
        /\| == 0 \| {2}\| {2}\| {2}\| skipped: whether coderd began anew cannot be seen: the server has no GET/,
      );
      expect(annotationsOf(run, 'error')).toEqual([]);
      expect(run.outputs['metrics']).not.toContain('coderd.restarts');
      expect(restartsOf(run)).toMatchObject({ shape: 'missing', skipped: true });
    }));

  it('is an error there for who asks for it', () =>
    inWorld({ version: 'v2.21.3', agpl: true }, async (world) => {
      const own = 'criteria: [{ id: coderd-restarts, metric: coderd.restarts, expect: "== 0" }]';
      const run = await world.gate(configFile({ pods: 2, ec2: 0, more: [own] }));
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toMatch(
        /^coderd-restarts could not be judged: whether coderd began anew cannot be seen/,
      );
    }));

  it('F4: is an error where the page is there and does not answer', () =>
    inWorld(
      { version: 'v2.31.0', agpl: true, statusOverride: { 'GET /api/v2/debug/metrics': 500 } },
      async (world) => {
        const run = await world.gate(CONFIG);
        expectOutcome(run, 'error', 1);
        expectNothingLeft(world);
        expect(reasonOf(run)).toMatch(/coderd-restarts could not be judged: .*debug\/metrics answered 500/);
      },
    ));

  it('reads the pages of "prometheus-url" instead, without telling them the token', () =>
    inWorld({ replicas: 2, prometheusEnabled: true }, async (world) => {
      const pages = await world.coder.openMetricsPages();
      const run = await world.gate(CONFIG, {
        inputs: { 'prometheus-url': pages.map(({ url }) => url).join('\n') },
      });
      expectOutcome(run, 'pass', 0);
      expect(readJson(run, 'evidence/server-latency.json')).toMatchObject({ delta: { processes: 2 } });
      expect(world.coder.state.requestCounts.get('GET /api/v2/debug/metrics')).toBeUndefined();
      for (const { seen } of pages) {
        expect(seen).toHaveLength(2);
        expect(JSON.stringify(seen)).not.toContain(world.coder.ownerToken);
      }
    }));

  it('does not fail a run for a "prometheus-url" that is a Prometheus, but says so', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(CONFIG, { inputs: { 'prometheus-url': `${world.releases.url}/graph` } });
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toMatch(/skipped \(not supported: http.*one for each replica\)/);
    }));

  it('is not looked at in a dry run', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(CONFIG, { inputs: { mode: 'preflight' } });
      expect(run.main.exitCode).toBe(0);
      expect(world.coder.state.requestCounts.get('GET /api/v2/debug/metrics')).toBeUndefined();
    }));
});
