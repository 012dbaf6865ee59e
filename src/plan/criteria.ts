import { parseExpectation, type Expectation } from '../config/expectation.js';
import { isSlipOf, nearestThree } from '../config/nearest.js';
import type { ActiveCriterionConfig, CriterionConfig } from '../config/schema.js';
import type { Mistake } from '../errors.js';
import { isCliSuite } from './cli-suites.js';
import { inUnitOf, unfit } from './fitting.js';
import { CLEANUP_METRICS, LATER_METRICS, SERVER_METRICS, type KnownMetric } from './metric-names.js';
import type { Criterion } from './plan-types.js';
import { undecidable } from './samples.js';
import type { SuitePlan } from './suite-plan.js';

export interface CriteriaPlan {
  readonly criteria: readonly Criterion[];
  readonly mistakes: readonly Mistake[];
}

/** What decides how the criteria come about beside the config. */
export interface CriteriaOptions {
  /** Profiles of few workspaces ask for no quantile that these could not decide. */
  readonly fewWorkspaces: boolean;
  readonly cleanupInMain: boolean;
  readonly locate: (index: number, key: string) => Pick<Mistake, 'location'>;
}

/** The criteria of a run: what its suites bring, what is judged although nobody asked, and the config's `criteria`. */
export function planCriteria(
  entries: readonly CriterionConfig[],
  suites: readonly Pick<SuitePlan, 'criteria' | 'metrics' | 'laterMetrics'>[],
  options: CriteriaOptions,
): CriteriaPlan {
  const metrics = [...suites.flatMap((suite) => suite.metrics), ...SERVER_METRICS, ...CLEANUP_METRICS];
  const later = suites.flatMap(({ laterMetrics }) => laterMetrics ?? []);
  const base = [
    ...suites.flatMap(({ criteria }) => criteria),
    RESTARTS,
    ...(options.cleanupInMain ? cleanupCriteria() : []),
  ];
  const mistakes: Mistake[] = [];
  const own: Criterion[] = [];
  entries.forEach((entry, index) => {
    const replaced = base.find(({ id }) => id === entry.id);
    const planned = 'disabled' in entry ? takenOut(entry, replaced) : ownCriterion(entry, metrics, later);
    if ('message' in planned)
      mistakes.push({ message: planned.message, ...options.locate(index, planned.key) });
    else own.push(planned);
  });
  const kept = base.filter(({ id }) => !own.some((criterion) => criterion.id === id));
  const planned = [...kept, ...own].map((criterion) => withPlannedSamples(criterion, metrics));
  return { criteria: options.fewWorkspaces ? planned.map(withoutUndecidable) : planned, mistakes };
}

/** A profile of few workspaces decides few quantiles: there every workspace has to be on the right side of the limit. */
function withoutUndecidable(criterion: Criterion): Criterion {
  if (criterion.expect.aggregate.kind !== 'quantile' || undecidable(criterion) === undefined)
    return criterion;
  const { warn, ...rest } = criterion;
  return { ...rest, expect: ofEveryOne(criterion.expect), ...(warn && { warn: ofEveryOne(warn) }) };
}

function ofEveryOne(expectation: Expectation): Expectation {
  const isLowerLimit = expectation.operator === '>' || expectation.operator === '>=';
  return parseExpectation(expectation.text.replace(/^p[\d.]+/i, isLowerLimit ? 'min' : 'max'));
}

/** Demanded of every deployment that can show it; who names it under `criteria` demands it in any case. */
const RESTARTS: Criterion = {
  id: 'coderd-restarts',
  title: 'coderd processes that ended during the load',
  metric: 'coderd.restarts',
  expect: parseExpectation('== 0'),
  informational: false,
  whereSeen: true,
  origin: 'default',
};

function cleanupCriteria(): Criterion[] {
  return (['workspaces', 'users'] as const).map((kind) => ({
    id: `cleanup-leftover-${kind}`,
    title: `Scale-test ${kind} left on the deployment`,
    metric: `cleanup.leftover_${kind}`,
    expect: parseExpectation('== 0'),
    informational: false,
    origin: 'default',
  }));
}

/** Why an entry is no criterion of this run, and at which of its keys. */
interface Misfit {
  readonly key: 'id' | 'metric' | 'expect' | 'warn' | 'abort';
  readonly message: string;
}

function takenOut(
  entry: Extract<CriterionConfig, { disabled: true }>,
  replaced: Criterion | undefined,
): Criterion | Misfit {
  if (replaced === undefined) {
    return {
      key: 'id',
      message: `criterion "${entry.id}" is disabled, but this run has no criterion of that id to take out`,
    };
  }
  return {
    ...replaced,
    ...(entry.title !== undefined && { title: entry.title }),
    ...(entry.requirement !== undefined && { requirement: entry.requirement }),
    disabled: { reason: entry.reason },
  };
}

function ownCriterion(
  entry: ActiveCriterionConfig,
  metrics: readonly KnownMetric[],
  later: readonly string[],
): Criterion | Misfit {
  const metric = metrics.find(({ name }) => name === entry.metric);
  const mayCome =
    later.some((start) => entry.metric.startsWith(start) && entry.metric !== start) &&
    !isSlipOf(
      entry.metric,
      metrics.map(({ name }) => name),
    );
  if (metric === undefined && !mayCome) return { key: 'metric', message: unknownMetric(entry, metrics) };
  // What a suite measures itself is known only by its results: there the expectation is compared with them.
  const known = metric ?? { unit: entry.expect.unit };
  for (const key of ['expect', 'warn'] as const) {
    const mismatch = metric && entry[key] && unfit(entry[key], metric);
    if (mismatch !== undefined) return { key, message: `criterion "${entry.id}": ${mismatch}` };
  }
  const idle = entry.abort ? whyNotWatched(entry) : undefined;
  if (idle !== undefined) return { key: 'abort', message: `criterion "${entry.id}": ${idle}` };
  return {
    id: entry.id,
    title: entry.title ?? entry.metric,
    metric: entry.metric,
    expect: inUnitOf(known, entry.expect),
    informational: entry.informational,
    ...(entry.abort && { abort: true as const }),
    origin: 'criteria',
    ...(entry.requirement !== undefined && { requirement: entry.requirement }),
    ...(entry.warn !== undefined && { warn: inUnitOf(known, entry.warn) }),
    ...(entry.min_samples !== undefined && { minSamples: entry.min_samples }),
  };
}

/** What is seen while the load goes on: builds, as the API counts them, and the calls of the virtual users. */
const WATCHED =
  /^(create_workspaces\.[^.]+\.(provisioning|success_rate|first_attempt_success_rate)|api\.(latency(\..+)?|success_rate))$/;

/** Why `abort: true` would do nothing. */
function whyNotWatched({ metric, informational }: ActiveCriterionConfig): string | undefined {
  if (informational)
    return '"abort" ends the load, but "informational" decides nothing; take one of them out';
  if (WATCHED.test(metric)) return undefined;
  return `"abort" needs a metric that is seen while the load goes on: create_workspaces.<group>.provisioning, .success_rate and .first_attempt_success_rate, api.latency and api.success_rate; ${metric} is none of them`;
}

const ofSuite = (suite: string): string =>
  `the suite "${suite}", which this run leaves out; add the suite to input "tests"`;

/** Whose metrics begin with this, and what brings them in. */
const OWNERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    api: ofSuite('dashboard'),
    create_workspaces: ofSuite('create-workspaces'),
    dashboard: `the browsers of ${ofSuite('dashboard')}, without "dashboard.browser: never"`,
    workspace_traffic: ofSuite('workspace-traffic'),
  }),
);

function unknownMetric(entry: ActiveCriterionConfig, metrics: readonly KnownMetric[]): string {
  const first = entry.metric.split('.')[0] ?? '';
  if (LATER_METRICS.includes(first)) {
    return `criterion "${entry.id}": the metric "${entry.metric}" is not available yet; take the criterion out`;
  }
  const owner = OWNERS.get(first) ?? (isCliSuite(first) ? ofSuite(first) : undefined);
  if (owner !== undefined && !metrics.some(({ name }) => name.startsWith(`${first}.`)))
    return `criterion "${entry.id}": the metric "${entry.metric}" is one of ${owner}, or take the criterion out`;
  return `criterion "${entry.id}": there is no metric "${entry.metric}"; ${nearestThree(
    entry.metric,
    metrics.map(({ name }) => name),
  )}`;
}

/** With the number of samples that the plan yields for its metric. */
export function withPlannedSamples(criterion: Criterion, metrics: readonly KnownMetric[]): Criterion {
  const plannedSamples = metrics.find(({ name }) => name === criterion.metric)?.plannedSamples;
  return plannedSamples === undefined ? criterion : { ...criterion, plannedSamples };
}
