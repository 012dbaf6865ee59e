import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/measure/metric.js';
import { flatMetrics } from '../../src/report/flat-metrics.js';
import { guideFiles, scaleTestReport } from '../../src/report/guide-files.js';
import { planLines, renderPlan } from '../../src/report/plan-text.js';
import { renderSummary } from '../../src/report/summary.js';
import { modeText, trafficResult, trafficSentence } from '../../src/report/traffic.js';
import { bucketMetric, ratioMetric, valueMetric } from '../support/metrics.js';
import { planOf, stepOf, trafficStepWith, withTraffic } from '../support/plans.js';
import { METRICS, reportOf } from '../support/reports.js';

const name = (metric: string): string => `workspace_traffic.${metric}`;
const LATENCY = [
  [0.1, 900],
  [0.25, 1000],
] as const;
const TRAFFIC: readonly Metric[] = [
  ratioMetric(118, 120, name('success_rate')),
  ratioMetric(2, 119, name('drop_rate')),
  valueMetric(1_228_800, 'bytes_per_second', name('throughput')),
  valueMetric(0.983, 'ratio', name('throughput_ratio')),
  bucketMetric(LATENCY, 1000, 80, name('read_latency')),
  bucketMetric([[0.1, 400]], 1000, 800, name('write_latency')),
];
const plan = withTraffic(planOf([stepOf()]));
const without = (...left: string[]): readonly Metric[] =>
  TRAFFIC.filter((metric) => !left.map(name).includes(metric.name));
const missing = (metric: string): Metric => ({ name: name(metric), shape: 'missing', reason: 'gone' });
const report = (metrics: readonly Metric[] = TRAFFIC) =>
  reportOf({ plan, metrics: [...METRICS, ...metrics], criteria: [] });

describe('the sentence on traffic', () => {
  it('says what got through and how long it took', () => {
    expect(trafficSentence(report())).toBe(
      '118 of 120 workspaces had traffic through the web terminal for the whole 10 m; 1.2 MB/s got through in all, 98.3 % of what was to be sent; the P95 of reads was 100 ms to 250 ms; the P95 of writes was above 100 ms; 2 of 119 connections failed, ended early or had errors.',
    );
  });

  it('leaves out what was not measured', () => {
    const metrics = [
      ...without('throughput', 'read_latency', 'write_latency', 'drop_rate'),
      missing('throughput'),
    ];
    expect(trafficSentence(report(metrics))).toBe(
      '118 of 120 workspaces had traffic through the web terminal for the whole 10 m.',
    );
  });

  it('is not there without traffic, nor without a measurement', () => {
    expect(trafficSentence(reportOf({ metrics: [...METRICS, ...TRAFFIC] }))).toBeUndefined();
    expect(trafficSentence(report([missing('success_rate')]))).toBeUndefined();
  });

  it('stands in the summary', () => {
    expect(renderSummary(report())).toContain('**Workspace traffic.** 118 of 120 workspaces');
    expect(renderSummary(reportOf())).not.toContain('Workspace traffic');
  });

  it('names the mode', () => {
    expect([modeText('ssh'), modeText('app:code-server')]).toEqual(['SSH', 'the app "code-server"']);
  });
});

describe('traffic-results.json', () => {
  it('has the guide’s keys, and of latency the bucket’s bound under a name that says so', () => {
    expect(trafficResult(report())).toEqual({
      mode: 'web-terminal',
      duration_seconds: 600,
      total_runs: 120,
      passed_runs: 118,
      success_rate: 118 / 120,
      drop_rate: 2 / 119,
      throughput: { bytes_per_second: 1_228_800, ratio: 0.983 },
      latency: {
        read: { p50_at_most_ms: 100, p95_at_most_ms: 250, p99_at_most_ms: 250, samples: 1000 },
        // Above the last bound nothing is known.
        write: { samples: 1000 },
      },
    });
  });

  it('is a file of its own and part of the guide’s report', () => {
    expect(guideFiles(report()).map((file) => file.name)).toContain('traffic-results.json');
    expect(scaleTestReport(report()).content).toMatchObject({
      results: { network_traffic: { success_rate: 118 / 120 } },
    });
  });

  it.each(['success_rate', 'throughput', 'throughput_ratio'])('is not written without %s', (metric) => {
    const half = report([...without(metric), missing(metric)]);
    expect(guideFiles(half).map((file) => file.name)).not.toContain('traffic-results.json');
    expect(scaleTestReport(half).content).not.toHaveProperty('results.network_traffic');
  });

  it('has no latency where none was measured', () => {
    const half = [...without('read_latency', 'write_latency'), missing('read_latency')];
    expect(trafficResult(report(half))).not.toHaveProperty('latency');
  });
});

it('the flat metrics have no quantile of what only the bucket is known of', () => {
  expect(flatMetrics(TRAFFIC)).toEqual({
    'workspace_traffic.success_rate.value': 0.983333,
    'workspace_traffic.drop_rate.value': 0.016807,
    'workspace_traffic.throughput.value': 1_228_800,
    'workspace_traffic.throughput_ratio.value': 0.983,
    'workspace_traffic.read_latency.mean': 0.08,
    'workspace_traffic.read_latency.count': 1000,
    'workspace_traffic.write_latency.mean': 0.8,
    'workspace_traffic.write_latency.count': 1000,
  });
});

describe('the plan', () => {
  it('says what is sent, where and for how long', () => {
    expect(planLines(plan).join('\n')).toMatch(
      /Phase 2: Workspace traffic\n {2}workspace-traffic: 1024 bytes every 0\.1s to each of 100 workspaces through the web terminal for 10m \(a free port/,
    );
    expect(renderPlan(plan)).toContain('| 2 | workspace-traffic | `pod-swdev` | 100 | 100 | 10m |');
  });

  it('has no template where there are several', () => {
    const several = withTraffic(planOf([stepOf()]), trafficStepWith());
    expect(renderPlan(several)).toContain('| 2 | workspace-traffic |  | 100 | 100 | 10m |');
  });
});
