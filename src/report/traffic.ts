import { bucketAt } from '../judge/buckets.js';
import { formatBucket, formatQuantity } from '../judge/format.js';
import { quantileRanks } from '../judge/quantile.js';
import type { BucketMetric, Metric } from '../measure/metric.js';
import type { TrafficMode } from '../plan/plan-types.js';
import { trafficStepOf } from '../plan/steps.js';
import { metricNamed, type RunReport } from './run-report.js';

type Traffic = Pick<RunReport, 'metrics' | 'plan'>;

const named = (metrics: readonly Metric[], name: string): Metric | undefined =>
  metricNamed(metrics, `workspace_traffic.${name}`);

/** How the traffic reaches the workspaces, in words. */
export function modeText(mode: TrafficMode): string {
  switch (mode) {
    case 'web-terminal':
      return 'the web terminal';
    case 'ssh':
      return 'SSH';
    default:
      return `the app "${mode.slice('app:'.length)}"`;
  }
}

/** What the traffic showed, in one sentence; undefined where none was sent or nothing was measured. */
export function trafficSentence({ metrics, plan }: Traffic): string | undefined {
  const step = trafficStepOf(plan);
  const success = named(metrics, 'success_rate');
  if (step === undefined || success?.shape !== 'ratio') return undefined;
  const parts = [
    `${success.good} of ${success.total} workspaces had traffic through ${modeText(step.mode)} for the whole ${formatQuantity(step.timeout, 'seconds')}`,
    ...throughputText(metrics),
    ...latencyText(named(metrics, 'read_latency'), 'reads'),
    ...latencyText(named(metrics, 'write_latency'), 'writes'),
    ...dropText(named(metrics, 'drop_rate')),
  ];
  return `${parts.join('; ')}.`;
}

function throughputText(metrics: readonly Metric[]): string[] {
  const throughput = named(metrics, 'throughput');
  const share = named(metrics, 'throughput_ratio');
  if (throughput?.shape !== 'value' || share?.shape !== 'value') return [];
  return [
    `${formatQuantity(throughput.value, throughput.unit)} got through in all, ${formatQuantity(share.value, share.unit)} of what was to be sent`,
  ];
}

function latencyText(metric: Metric | undefined, what: string): string[] {
  if (metric?.shape !== 'buckets' || metric.total === 0) return [];
  const { above, upTo } = quantileBucket(metric, 0.95);
  return [
    `the P95 of ${what} was ${formatBucket({ above, ...(Number.isFinite(upTo) && { upTo }) }, metric.unit)}`,
  ];
}

function dropText(metric: Metric | undefined): string[] {
  if (metric?.shape !== 'ratio' || metric.good === 0) return [];
  return [`${metric.good} of ${metric.total} connections failed, ended early or had errors`];
}

const quantileBucket = (metric: BucketMetric, q: number) =>
  bucketAt(metric, quantileRanks(metric.total, q).rank);

/** The file traffic-results.json; undefined where a value of it was not measured, so that no reader takes it for 0. */
export function trafficResult({ metrics, plan }: Traffic): Record<string, unknown> | undefined {
  const step = trafficStepOf(plan);
  const success = named(metrics, 'success_rate');
  const throughput = named(metrics, 'throughput');
  const share = named(metrics, 'throughput_ratio');
  const drops = named(metrics, 'drop_rate');
  if (step === undefined || success?.shape !== 'ratio' || success.total === 0) return undefined;
  if (throughput?.shape !== 'value' || share?.shape !== 'value') return undefined;
  const latency = {
    ...latencyResult('read', named(metrics, 'read_latency')),
    ...latencyResult('write', named(metrics, 'write_latency')),
  };
  return {
    mode: step.mode,
    duration_seconds: step.timeout,
    total_runs: success.total,
    passed_runs: success.good,
    success_rate: success.good / success.total,
    throughput: { bytes_per_second: throughput.value, ratio: share.value },
    ...(drops?.shape === 'ratio' && drops.total > 0 && { drop_rate: drops.good / drops.total }),
    ...(Object.keys(latency).length > 0 && { latency }),
  };
}

const QUANTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

/** Only the bucket is known, so its upper bound is given under a name that says so; none above the last bound. */
function latencyResult(kind: string, metric: Metric | undefined): Record<string, unknown> {
  if (metric?.shape !== 'buckets' || metric.total === 0) return {};
  const bounds = QUANTILES.flatMap(([name, q]) => {
    const { upTo } = quantileBucket(metric, q);
    return Number.isFinite(upTo) ? [[`${name}_at_most_ms`, upTo * 1000] as const] : [];
  });
  return { [kind]: { ...Object.fromEntries(bounds), samples: metric.total } };
}
