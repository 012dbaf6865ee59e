import type { QuantityKind } from '../config/expectation.js';

/** What a metric is made of: samples have quantiles, the others are one number. */
export type MetricShape = 'samples' | 'ratio' | 'count';

export interface KnownMetric {
  readonly name: string;
  readonly shape: MetricShape;
  readonly unit: QuantityKind;
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

const CLEANUP_METRICS: readonly KnownMetric[] = [
  { name: 'cleanup.leftover_workspaces', shape: 'count', unit: 'count' },
  { name: 'cleanup.leftover_users', shape: 'count', unit: 'count' },
];

/** The first parts of metric names whose suites are not available yet. */
export const LATER_METRICS = ['api', 'dashboard', 'workspace_traffic', 'coderd', 'monitor'];

/** Every metric that a run with these groups can have. */
export function knownMetrics(groups: readonly string[]): readonly KnownMetric[] {
  const workspaces = ['all', ...groups].flatMap((group) =>
    WORKSPACE_METRICS.map((metric) => ({ ...metric, name: `create_workspaces.${group}.${metric.name}` })),
  );
  return [...workspaces, ...CLEANUP_METRICS];
}
