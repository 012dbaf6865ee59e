import type { Expectation } from '../config/expectation.js';
import { holds } from '../judge/compare.js';
import { judgeCriterion } from '../judge/criterion.js';
import { breachOf, lostFor, type Breach, type Certain, type EarlyEnd } from '../judge/early-end.js';
import { loadMetrics } from '../measure/load-metrics.js';
import { sampleCount, type Metric } from '../measure/metric.js';
import type { CreateWorkspacesStep, Criterion, Plan, Step } from '../plan/plan-types.js';
import { samplesNeeded, samplesNeededFor } from '../plan/samples.js';
import { createStepsOf, isBrowserStep, isCreateStep, isDashboardStep } from '../plan/steps.js';
import type { Clock, Log } from '../ports.js';
import type { BuildsSeen, CallsSeen, LiveWatch, PlanOutcome } from '../run/run-types.js';
import { seconds } from '../units.js';

/** Ends the load by criteria: those with `abort`, and with `abort_early` all that decide. */
export class EarlyEnding implements LiveWatch {
  readonly #ended = new AbortController();
  readonly #criteria: readonly Criterion[];
  readonly #builds: readonly GroupWatch[];
  readonly #began: number;
  #found: Pick<EarlyEnd, 'seconds' | 'breaches'> | undefined;

  constructor(
    plan: Plan,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#criteria = watchedCriteria(plan);
    this.#builds = createStepsOf(plan).map((step) => new GroupWatch(step));
    this.#began = clock.monotonic();
  }

  /** Undefined where no criterion ends a load. */
  static of(plan: Plan, clock: Clock, log: Log): EarlyEnding | undefined {
    return watchedCriteria(plan).length === 0 ? undefined : new EarlyEnding(plan, clock, log);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  look(builds: readonly BuildsSeen[], calls: CallsSeen | undefined): void {
    if (this.#found !== undefined) return;
    for (const group of this.#builds) group.look(builds, this.#criteria);
    const metrics = new Map(
      [...successSoFar(this.#builds), ...callMetrics(calls)].map((metric) => [metric.name, metric]),
    );
    const certain = [...certainOf(this.#builds), ...certainOfCalls(metrics, calls)];
    const breaches = this.#criteria.flatMap((criterion) => {
      const known = certain.find(({ metric }) => metric === criterion.metric);
      return (known && lostFor(criterion, known)) ?? breachedSoFar(criterion, metrics) ?? [];
    });
    const [first] = breaches;
    if (first === undefined) return;
    this.#found = { seconds: Math.round((this.clock.monotonic() - this.#began) / 1000), breaches };
    this.log.warning(`The load is ended early by ${first.id}: ${first.sentence}`, {
      title: 'Scale test ended early',
    });
    this.#ended.abort(new Error(`the load was ended early by ${first.id}`));
  }

  /** That the load was ended, and what of it is whole; undefined when it ran to its end. */
  result({ plan, steps }: PlanOutcome): EarlyEnd | undefined {
    if (this.#found === undefined) return undefined;
    const whole = steps.flatMap(({ step, endedBy }) =>
      endedBy === 'itself' || endedBy === 'deadline' ? [step] : [],
    );
    const isCreated = createStepsOf(plan).every(({ group }) =>
      whole.some((step) => isCreateStep(step) && step.group === group),
    );
    return {
      ...this.#found,
      complete: [...whole.flatMap(metricsBegin), ...(isCreated ? ['create_workspaces.all.'] : [])],
    };
  }
}

const watchedCriteria = ({ criteria, abortEarly }: Plan): readonly Criterion[] =>
  criteria.filter(
    ({ abort, informational, disabled }) =>
      !informational && disabled === undefined && (abort === true || abortEarly === true),
  );

/** A criterion that demands it ends the load by what was measured so far, though the rest might make up for it. */
function breachedSoFar(criterion: Criterion, metrics: ReadonlyMap<string, Metric>): Breach | undefined {
  const metric = metrics.get(criterion.metric);
  if (criterion.abort !== true || metric === undefined) return undefined;
  // It is looked at again and again, and the first few samples are often wrong.
  if ((sampleCount(metric) ?? 0) < fewest(criterion)) return undefined;
  const result = judgeCriterion(criterion, metrics);
  return result.verdict === 'fail' ? breachOf(criterion, result.observed, result.sentence) : undefined;
}

/** Fewer samples could not show a quantile or a share to be good, so they do not show it to be bad. */
const fewest = ({ expect }: Criterion): number =>
  samplesNeededFor(expect) ?? (expect.aggregate.kind === 'value' ? samplesNeeded(expect.threshold) : 1);

/** How the names of the metrics begin that a step alone brings about. */
function metricsBegin(step: Step): readonly string[] {
  if (isCreateStep(step)) return [`create_workspaces.${step.group}.`];
  // The virtual users stay until all is over.
  if (isDashboardStep(step)) return [];
  if (isBrowserStep(step)) return ['dashboard.'];
  return [`${step.suite.replace('workspace-traffic', 'workspace_traffic')}.`];
}

/** What is certain of one group, by counts alone: those that were there so long ago and are not built by now are late. */
class GroupWatch {
  last: BuildsSeen | undefined;
  readonly #history: BuildsSeen[] = [];
  readonly #late = new Map<string, number>();
  #failed = 0;

  constructor(readonly step: CreateWorkspacesStep) {}

  look(builds: readonly BuildsSeen[], criteria: readonly Criterion[]): void {
    const now = builds.find(({ step }) => step.group === this.step.group);
    if (now === undefined) return;
    this.last = now;
    // A build that failed may be tried again.
    if (this.step.retries === 0) this.#failed = Math.max(this.#failed, now.failed);
    for (const { expect } of criteria) {
      const before = this.#history.findLast(
        ({ answeredAt }) => !holds((now.askedAt - answeredAt) / 1000, expect.operator, expect.threshold),
      );
      if (before !== undefined)
        this.#late.set(expect.text, Math.max(this.late(expect), before.asked - now.built));
    }
    this.#history.push(now);
  }

  late({ text }: Expectation): number {
    return Math.max(this.#failed, this.#late.get(text) ?? 0);
  }

  get failed(): number {
    return this.#failed;
  }
}

interface Slice {
  readonly name: string;
  readonly groups: readonly GroupWatch[];
}

const slicesOf = (groups: readonly GroupWatch[]): readonly Slice[] => [
  { name: 'all', groups },
  ...groups.map((group) => ({ name: group.step.group, groups: [group] })),
];

const sum = ({ groups }: Slice, of: (group: GroupWatch) => number): number =>
  groups.reduce((all, group) => all + of(group), 0);

/** The share of the workspaces that succeeded, of those that have ended. */
function successSoFar(groups: readonly GroupWatch[]): readonly Metric[] {
  return slicesOf(groups).flatMap((slice): readonly Metric[] => {
    const good = sum(slice, ({ last }) => last?.built ?? 0);
    const total = good + sum(slice, ({ failed }) => failed);
    if (total === 0) return [];
    const origin = { phase: 'create', source: 'coder-api', evidence: [] } as const;
    return [{ ...origin, name: `create_workspaces.${slice.name}.success_rate`, shape: 'ratio', good, total }];
  });
}

function certainOf(groups: readonly GroupWatch[]): readonly Certain[] {
  return slicesOf(groups).flatMap((slice) => {
    const certain = (metric: string, shape: Certain['shape']): Certain => ({
      metric: `create_workspaces.${slice.name}.${metric}`,
      shape,
      most: sum(slice, ({ step }) => step.count),
      failed: sum(slice, ({ failed }) => failed),
      beyond: (expect) => sum(slice, (group) => group.late(expect)),
    });
    return [
      certain('provisioning', 'samples'),
      certain('success_rate', 'ratio'),
      certain('first_attempt_success_rate', 'ratio'),
    ];
  });
}

/** The metrics of the calls so far: nothing yet as long as not all users are there. */
function callMetrics(calls: CallsSeen | undefined): readonly Metric[] {
  if (calls === undefined) return [];
  return loadMetrics({ result: calls.result, problems: [], planned: seconds(0) }, []);
}

function certainOfCalls(
  metrics: ReadonlyMap<string, Metric>,
  calls: CallsSeen | undefined,
): readonly Certain[] {
  if (calls === undefined) return [];
  return [...metrics.values()].flatMap((metric): Certain[] => {
    // Nothing is decided by numbers that may tell more of the load generator than of the deployment.
    if (metric.shape === 'missing' || metric.doubt !== undefined) return [];
    const route = metric.name.replace(/^api\.latency\./, '');
    const most = calls.most.routes.get(route) ?? calls.most.pooled;
    if (metric.name === 'api.success_rate' && metric.shape === 'ratio') {
      const failed = metric.total - metric.good;
      return [{ metric: metric.name, shape: 'ratio', most, failed, beyond: () => failed }];
    }
    if (!metric.name.startsWith('api.latency') || metric.shape !== 'samples') return [];
    const { samples, failed, ownDelay = 0 } = metric;
    const beyond = ({ operator, threshold }: Expectation): number =>
      failed + samples.filter((sample) => !holds(sample - ownDelay, operator, threshold)).length;
    return [{ metric: metric.name, shape: 'samples', most, failed, beyond }];
  });
}
