import type { QuantityKind } from '../config/expectation.js';

/** What a metric is made of: samples and buckets have quantiles, the others are one number. */
export type MetricShape = 'samples' | 'buckets' | 'ratio' | 'count' | 'value';

export interface KnownMetric {
  readonly name: string;
  readonly shape: MetricShape;
  readonly unit: QuantityKind;
  /** How many samples the plan yields; absent where the number does not follow from the plan. */
  readonly plannedSamples?: number;
}

const WORKSPACE_METRICS: readonly KnownMetric[] = [
  { name: 'provisioning', shape: 'samples', unit: 'seconds' },
  { name: 'queue', shape: 'samples', unit: 'seconds' },
  { name: 'build', shape: 'samples', unit: 'seconds' },
  { name: 'agent', shape: 'samples', unit: 'seconds' },
  { name: 'ready', shape: 'samples', unit: 'seconds' },
  { name: 'success_rate', shape: 'ratio', unit: 'ratio' },
  { name: 'first_attempt_success_rate', shape: 'ratio', unit: 'ratio' },
  { name: 'peak_in_flight', shape: 'count', unit: 'count' },
  { name: 'peak_building', shape: 'count', unit: 'count' },
  { name: 'peak_alive', shape: 'count', unit: 'count' },
];

export const CLEANUP_METRICS: readonly KnownMetric[] = [
  { name: 'cleanup.leftover_workspaces', shape: 'count', unit: 'count' },
  { name: 'cleanup.leftover_users', shape: 'count', unit: 'count' },
];

/** Of coderd itself, whatever the suites. */
export const SERVER_METRICS: readonly KnownMetric[] = [
  { name: 'coderd.restarts', shape: 'count', unit: 'count' },
];

const TRAFFIC_METRICS: readonly KnownMetric[] = [
  { name: 'success_rate', shape: 'ratio', unit: 'ratio' },
  { name: 'drop_rate', shape: 'ratio', unit: 'ratio' },
  { name: 'throughput', shape: 'value', unit: 'bytes_per_second' },
  { name: 'throughput_ratio', shape: 'value', unit: 'ratio' },
  { name: 'read_latency', shape: 'buckets', unit: 'seconds' },
  { name: 'write_latency', shape: 'buckets', unit: 'seconds' },
];

const BROWSER_METRICS: readonly KnownMetric[] = [
  { name: 'dashboard.actions', shape: 'count', unit: 'count' },
  { name: 'dashboard.action_duration', shape: 'buckets', unit: 'seconds' },
  { name: 'dashboard.action_error_rate', shape: 'ratio', unit: 'ratio' },
];

/** The first parts of metric names whose suites are not available yet. */
export const LATER_METRICS = ['monitor'];

/** The metrics of creating workspaces, of each group and of all; `groups` has their planned counts. */
export function workspaceMetricNames(groups: ReadonlyMap<string, number>): readonly KnownMetric[] {
  return [...groups].flatMap(([group, planned]) =>
    WORKSPACE_METRICS.map((metric) => ({
      ...metric,
      name: `create_workspaces.${group}.${metric.name}`,
      ...(metric.shape !== 'count' && { plannedSamples: planned }),
    })),
  );
}

export function trafficMetricNames(workspaces: number): readonly KnownMetric[] {
  return TRAFFIC_METRICS.map((metric) => ({
    ...metric,
    name: `workspace_traffic.${metric.name}`,
    ...(metric.shape === 'ratio' && { plannedSamples: workspaces }),
  }));
}

/** How many actions browsers come to does not follow from the plan. */
export function browserMetricNames(): readonly KnownMetric[] {
  return BROWSER_METRICS;
}

/** The metrics of the API load: of all pooled calls together, and of each of their routes. */
export function apiMetricNames(
  pooled: number,
  routes: readonly string[],
  planned: ReadonlyMap<string, number>,
): readonly KnownMetric[] {
  const latency = (name: string, plannedSamples: number): KnownMetric => ({
    name,
    shape: 'samples',
    unit: 'seconds',
    plannedSamples,
  });
  return [
    latency('api.latency', pooled),
    { name: 'api.success_rate', shape: 'ratio', unit: 'ratio', plannedSamples: pooled },
    { name: 'api.throttled', shape: 'count', unit: 'count' },
    ...[...routes, 'buildinfo'].map((route) => latency(`api.latency.${route}`, planned.get(route) ?? 0)),
  ];
}

/** The first part of a metric's name, by which its suite is known. */
export const suiteOfMetric = (metric: string): string => metric.split('.')[0] ?? '';
