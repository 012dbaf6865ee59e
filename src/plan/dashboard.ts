import { parseExpectation } from '../config/expectation.js';
import type { ApiProbeConfig, DashboardConfig } from '../config/schema.js';
import { dashboardMix } from '../load/mix-data.js';
import { plannedPoolSamples, plannedSamples, type ProbeRoute } from '../load/schedule.js';
import { seconds } from '../units.js';
import { routesOf, scheduleOf } from './load-schedule.js';
import { apiMetricNames } from './metric-names.js';
import type { Criterion, DashboardStep, DashboardWork } from './plan-types.js';
import type { SuitePlan } from './suite-plan.js';

/** One seed for all runs: two runs of one plan send the same calls at the same times, so that they can be compared. */
const SEED = 1;
/** With nothing else going on, at least half of the duration, or a minute: the latency of a deployment at rest. */
const LONGEST_ALONE = seconds(60);
/** What is under way at the end is waited for. */
const DRAIN = seconds(35);

/** The network and the router alone; no part of what is judged. */
const BASELINE_METRIC = 'api.latency.buildinfo';

const TARGETS = [
  { id: '14.9-api-latency-p95', requirement: '14.9', aggregate: 'p95', key: 'p95_latency_ms' },
  { id: '14.10-api-latency-p99', requirement: '14.10', aggregate: 'p99', key: 'p99_latency_ms' },
] as const;

/** The workspaces of the same run, whose owners are the virtual users. */
export interface WorkspaceOwners {
  readonly count: number;
}

/** Virtual users: of the owners of workspaces where there are any, and made for this where they are too few. */
export function planDashboard(
  dashboard: DashboardConfig,
  probe: ApiProbeConfig | undefined,
  owners: WorkspaceOwners,
): SuitePlan {
  const { concurrency: users, duration } = dashboard;
  const alone = seconds(Math.min(duration / 2, LONGEST_ALONE));
  const step: DashboardStep = {
    suite: 'dashboard',
    users,
    usersWithoutWorkspace: Math.max(0, users - owners.count),
    duration,
    alone: owners.count === 0 ? duration : alone,
    timeout: seconds(duration + DRAIN),
    seed: SEED,
    work: probe === undefined ? visits() : probeWork(probe),
  };
  const metrics = dashboardMetrics(step);
  const parts = metrics
    .map(({ name }) => name)
    .filter((name) => name.startsWith('api.latency.') && name !== BASELINE_METRIC);
  return {
    phase: { name: 'dashboard', title: 'API load', steps: [step] },
    criteria: [...targetCriteria(dashboard, parts), SUCCESS_RATE],
    metrics,
  };
}

/** The metrics of a step, with the number of samples that it yields at least. */
export function dashboardMetrics(step: DashboardStep): SuitePlan['metrics'] {
  const schedule = scheduleOf(step);
  return apiMetricNames(plannedPoolSamples(schedule), pooledRoutes(step), plannedSamples(schedule));
}

/** The names of the same, for which nothing has to be drawn. */
export const dashboardMetricNames = (step: DashboardStep): readonly string[] =>
  apiMetricNames(0, pooledRoutes(step), new Map()).map(({ name }) => name);

const pooledRoutes = (step: DashboardStep): readonly string[] =>
  routesOf(step)
    .filter(({ pool }) => pool)
    .map(({ id }) => id);

/** The same step with what the server does not know left out. */
export function withoutUnknownRoutes(step: DashboardStep, unknownRoutes: readonly string[]): DashboardStep {
  return step.work.kind === 'visits' ? { ...step, work: { ...step.work, unknownRoutes } } : step;
}

const visits = (): DashboardWork => ({ kind: 'visits', mix: dashboardMix.version, unknownRoutes: [] });

function probeWork({ rate, routes }: ApiProbeConfig): DashboardWork {
  const ids = new Map<string, number>();
  const unique = (id: string): string => {
    const times = (ids.get(id) ?? 0) + 1;
    ids.set(id, times);
    return times === 1 ? id : `${id}-${times}`;
  };
  return {
    kind: 'probe',
    rate,
    routes: routes.map((route): ProbeRoute => {
      const { path } = route;
      const { id, weight, method, body } = { ...NO_DETAILS, ...route };
      return {
        id: unique(id ?? idOf(path)),
        path,
        ...(weight !== undefined && { weight }),
        ...(method !== undefined && { method }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      };
    }),
  };
}

const NO_DETAILS = { id: undefined, weight: undefined, method: undefined, body: undefined };

/** `/api/v2/users/me?q=1` is `users-me`. */
function idOf(path: string): string {
  const words = (path.split('?')[0] ?? '').replace(/^\/api\/v2\//, '').match(/[A-Za-z0-9]+/g);
  return words === null ? 'root' : words.join('-').toLowerCase();
}

function targetCriteria({ targets }: DashboardConfig, parts: readonly string[]): Criterion[] {
  return TARGETS.flatMap(({ id, requirement, aggregate, key }) => {
    const limit = targets?.[key];
    if (limit === undefined) return [];
    return [
      {
        id,
        title: `${aggregate.toUpperCase()} of the API's latency`,
        requirement,
        metric: 'api.latency',
        expect: parseExpectation(`${aggregate} < ${limit}ms`),
        informational: false,
        parts,
        origin: 'config',
      },
    ];
  });
}

const SUCCESS_RATE: Criterion = {
  id: 'api-success-rate',
  title: 'API calls that succeeded',
  metric: 'api.success_rate',
  expect: parseExpectation('>= 99%'),
  informational: false,
  origin: 'default',
};
