import { estimateQuantile } from '../judge/quantile.js';
import type { Metric } from '../measure/metric.js';
import { groupsOf } from '../plan/steps.js';
import { metricNamed, type RunReport } from './run-report.js';
import { apiLoadResult } from './api-load.js';
import { trafficResult } from './traffic.js';

/** A file below the results directory. */
export interface ReportFile {
  readonly name: string;
  readonly content: unknown;
}

/** The names under which the guide's phases 3 and 4 look for the groups' results. */
const PHASE_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    pod_workspaces: 'pod-scale-results.json',
    ec2_workspaces: 'ec2-scale-results.json',
  }),
);

const API_LOAD_NAMES = ['dashboard-results.json', 'api-load-results.json'];

/**
 * The files that the guide's jq lines read. A file of which a guide value was not measured is not written: the guide's
 * `// 0` would turn it into a pass.
 */
export function guideFiles(report: RunReport): readonly ReportFile[] {
  const traffic = trafficResult(report);
  const ofTraffic = traffic === undefined ? [] : [{ name: 'traffic-results.json', content: traffic }];
  const ofGroups = groupsOf(report.plan).flatMap((group) => {
    const content = groupResult(report.metrics, group);
    if (content === undefined) return [];
    const alias = PHASE_NAMES.get(group);
    return [
      { name: `${group.replaceAll('_', '-')}.json`, content },
      ...(alias === undefined ? [] : [{ name: alias, content }]),
    ];
  });
  const load = apiLoadResult(report);
  const ofLoad =
    load === undefined ? [] : API_LOAD_NAMES.map((name): ReportFile => ({ name, content: load }));
  return [...ofGroups, ...ofLoad, ...ofTraffic];
}

function groupResult(metrics: readonly Metric[], group: string): Record<string, unknown> | undefined {
  const provisioning = metricNamed(metrics, `create_workspaces.${group}.provisioning`);
  const success = metricNamed(metrics, `create_workspaces.${group}.success_rate`);
  if (provisioning?.shape !== 'samples' || success?.shape !== 'ratio' || success.total === 0)
    return undefined;
  const at = (q: number): number | undefined => {
    const value = estimateQuantile(provisioning, q)?.value;
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  };
  const p95 = at(0.95);
  if (p95 === undefined) return undefined;
  const p50 = at(0.5);
  const p99 = at(0.99);
  return {
    group,
    total_runs: success.total,
    passed_runs: success.good,
    success_rate: success.good / success.total,
    provisioning: {
      ...(p50 !== undefined && { p50_seconds: p50 }),
      p95_seconds: p95,
      ...(p99 !== undefined && { p99_seconds: p99 }),
      samples: provisioning.samples.length + provisioning.failed,
    },
    provisioning_time_p95_ms: Math.ceil(p95 * 1000 - 1e-6),
  };
}

/** The guide's report. Suites that were not run have no key. */
export function scaleTestReport(report: RunReport): ReportFile {
  const groups = groupsOf(report.plan).flatMap((group) => {
    const content = groupResult(report.metrics, group);
    return content === undefined ? [] : [[group, content] as const];
  });
  const first = groups[0]?.[1];
  const traffic = trafficResult(report);
  const load = apiLoadResult(report);
  return {
    name: 'scale-test-report.json',
    content: {
      test_date: report.startedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      environment: report.environment,
      ...(report.plan.subject !== undefined && { subject: report.plan.subject }),
      results: {
        ...(first !== undefined && {
          workspace_creation: { ...first, groups: Object.fromEntries(groups) },
        }),
        ...(load !== undefined && { api_latency: load }),
        ...(traffic !== undefined && { network_traffic: traffic }),
      },
      verdict: report.verdict.verdict,
      reason: report.verdict.reason,
      pass: report.verdict.verdict === 'pass' && !report.evidenceOnly,
    },
  };
}
