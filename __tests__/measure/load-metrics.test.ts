import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../src/load/load-types.js';
import { loadMetrics, loadProblem } from '../../src/measure/load-metrics.js';
import { summarizeLoad } from '../../src/measure/load-summary.js';
import type { Metric } from '../../src/measure/metric.js';
import { seconds } from '../../src/units.js';
import { loadResultOf, seriesOf, upTo } from '../support/loads.js';

const NAMES = ['api.latency', 'api.success_rate', 'api.throttled', 'api.latency.work', 'api.latency.rare'];
const evidenceOf = (result: LoadResult, problems: readonly string[] = []) => ({
  result,
  problems,
  planned: seconds(60),
});
const metricsOf = (result: LoadResult): ReadonlyMap<string, Metric> =>
  new Map(loadMetrics(evidenceOf(result), NAMES).map((metric) => [metric.name, metric]));

const GOOD = loadResultOf([
  seriesOf('work', upTo(80)),
  seriesOf('work', [900], { warmUp: true }),
  seriesOf('other', [500], { failed: 2, throttled: 1 }),
  seriesOf('work', [7], { phase: 'create' }),
  seriesOf('buildinfo', [1, 2], { pool: false }),
]);

describe('the metrics of the API load', () => {
  it('pool all phases and routes without warm-up and baseline, in seconds', () => {
    const metrics = metricsOf(GOOD);
    expect(metrics.get('api.latency')).toMatchObject({
      shape: 'samples',
      unit: 'seconds',
      phase: 'create, dashboard',
      source: 'load',
      evidence: ['evidence/api-load.json'],
      failed: 2,
    });
    const latency = metrics.get('api.latency');
    expect(latency?.shape === 'samples' && latency.samples.length).toBe(82);
    expect(latency?.shape === 'samples' && latency.samples.at(-1)).toBe(0.5);
    expect(metrics.get('api.latency.work')).toMatchObject({ failed: 0 });
    expect(metrics.get('api.latency.buildinfo')).toMatchObject({ samples: [0.001, 0.002] });
  });

  it('count failures against the success rate, and throttled calls apart', () => {
    const metrics = metricsOf(GOOD);
    expect(metrics.get('api.success_rate')).toMatchObject({ good: 82, total: 84 });
    expect(metrics.get('api.throttled')).toMatchObject({ shape: 'count', value: 1 });
  });

  it('name a route that was never called', () => {
    expect(metricsOf(GOOD).get('api.latency.rare')).toEqual({
      name: 'api.latency.rare',
      shape: 'missing',
      reason: 'api.latency.rare was not called',
    });
  });

  it('are in doubt when the generator was saturated', () => {
    const saturated = 'the load generator was saturated: it used 99 % of one core';
    const metrics = metricsOf({ ...GOOD, health: { ...GOOD.health, saturated } });
    expect(metrics.get('api.latency')).toMatchObject({ doubt: saturated });
    expect(metrics.get('api.success_rate')).toMatchObject({ doubt: saturated });
  });

  it('are in doubt when the limiter refused more than a twentieth', () => {
    const throttled = loadResultOf([seriesOf('work', upTo(90), { throttled: 10 })]);
    expect(metricsOf(throttled).get('api.latency')).toMatchObject({
      doubt: 'the rate limiter refused 10 of 100 calls, so the deployment had less load than planned',
    });
    const few = loadResultOf([seriesOf('work', upTo(96), { throttled: 4 })]);
    expect(metricsOf(few).get('api.latency')).not.toHaveProperty('doubt');
  });

  it.each([
    [
      'users stayed away',
      loadResultOf([seriesOf('work', upTo(80))], { usersSeen: 47 }),
      'dashboard: only 47 of 50 virtual users came; at least 95 % are needed: 403',
    ],
    [
      'the load was cut short',
      loadResultOf([seriesOf('work', upTo(80))], { elapsedMs: 50_000 }),
      'dashboard: the load ended after 50 of 60 s',
    ],
    [
      'nothing but warm-up was sent',
      loadResultOf([seriesOf('work', upTo(80), { warmUp: true })]),
      'dashboard: no call of the API load was answered or failed',
    ],
  ])('are all missing when %s', (_what, result, reason) => {
    const evidence = evidenceOf(result, ['403']);
    expect(loadProblem(evidence)).toBe(reason);
    expect(loadMetrics(evidence, NAMES)).toEqual(NAMES.map((name) => ({ name, shape: 'missing', reason })));
  });

  it('are all missing when the load never began', () => {
    expect(loadMetrics({ unusable: 'why' }, NAMES)).toEqual(
      NAMES.map((name) => ({ name, shape: 'missing', reason: 'why' })),
    );
  });
});

describe('the summary of the API load', () => {
  it('keeps phases apart, names the slowest route first, and has the baseline beside them', () => {
    const summary = summarizeLoad(GOOD);
    expect(summary).toMatchObject({
      users: 50,
      warmUpCalls: 1,
      all: { n: 84, failed: 2, throttled: 1, p50: 41, p95: 79, p99: Infinity },
      phases: [
        { phase: 'create', n: 1, p95: 7 },
        { phase: 'dashboard', n: 83 },
      ],
      routes: [
        { route: 'other', n: 3, failed: 2, p95: Infinity },
        { route: 'work', n: 81 },
      ],
      baseline: { route: 'buildinfo', n: 2 },
      failures: [{ reason: 'other: status 500', count: 2 }],
    });
  });

  it('has no figure where there was no call', () => {
    const summary = summarizeLoad(loadResultOf([]));
    expect(summary).not.toHaveProperty('all');
    expect(summary).not.toHaveProperty('baseline');
    expect(summary.routes).toEqual([]);
  });
});
