import { parseExpectation, type Expectation } from '../config/expectation.js';
import { suggestion } from '../config/nearest.js';
import type {
  ActiveCriterionConfig,
  Config,
  CreateWorkspacesConfig,
  CriterionConfig,
} from '../config/schema.js';
import { formatDuration } from '../config/units.js';
import type { Mistake } from '../errors.js';
import { knownMetrics, LATER_METRICS, type KnownMetric } from './metric-names.js';
import type { Criterion } from './plan-types.js';
import { undecidable } from './samples.js';

/** The guide names no requirement in its file; these are its own for its own groups. */
const GUIDE_REQUIREMENTS: Readonly<Record<string, string>> = {
  pod_workspaces: '14.6',
  ec2_workspaces: '14.7',
};
const AT_ONCE_REQUIREMENT = '14.11';

export interface CriteriaPlan {
  readonly criteria: readonly Criterion[];
  readonly mistakes: readonly Mistake[];
}

/** What decides how the criteria come about beside the config. */
export interface CriteriaOptions {
  /** `max` in profiles whose few workspaces no quantile could be decided with. */
  readonly provisioning: 'p95' | 'max';
  readonly cleanupInMain: boolean;
  readonly locate: (index: number, key: string) => Pick<Mistake, 'location'>;
}

/** The criteria of a run: the guide's own fields, what is judged although nobody asked, and the config's `criteria`. */
export function planCriteria(
  config: Config,
  suite: CreateWorkspacesConfig,
  options: CriteriaOptions,
): CriteriaPlan {
  const groups = Object.keys(suite.templates);
  const metrics = knownMetrics(groups);
  const base = [
    ...groupCriteria(suite, options.provisioning),
    ...suiteCriteria(suite),
    ...(options.cleanupInMain ? cleanupCriteria() : []),
  ];
  const mistakes: Mistake[] = [];
  const own: Criterion[] = [];
  config.criteria.forEach((entry, index) => {
    const replaced = base.find(({ id }) => id === entry.id);
    const planned = 'disabled' in entry ? takenOut(entry, replaced) : ownCriterion(entry, metrics);
    if ('message' in planned)
      mistakes.push({ ...planned, ...options.locate(index, 'disabled' in entry ? 'id' : 'metric') });
    else own.push(planned);
  });
  const kept = base.filter(({ id }) => !own.some((criterion) => criterion.id === id));
  const planned = [...kept, ...own].map((criterion) => withPlannedSamples(criterion, suite));
  return { criteria: options.provisioning === 'max' ? planned.map(withoutUndecidable) : planned, mistakes };
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

function groupCriteria(suite: CreateWorkspacesConfig, aggregate: 'p95' | 'max'): Criterion[] {
  return Object.entries(suite.templates).map(([name, group]) => {
    const requirement = group.requirement ?? GUIDE_REQUIREMENTS[name];
    const dashed = name.replaceAll('_', '-');
    const expectation = parseExpectation(`${aggregate} < ${formatDuration(group.expected_p95)}`);
    return {
      id: requirement === undefined ? `${dashed}-provisioning` : `${requirement}-${dashed}`,
      title: `Provisioning time of ${name}`,
      ...(requirement !== undefined && { requirement }),
      metric: `create_workspaces.${name}.provisioning`,
      expect: expectation,
      informational: false,
      origin: 'config',
    };
  });
}

function suiteCriteria(suite: CreateWorkspacesConfig): Criterion[] {
  const percent = Math.round(suite.success_rate * 1e6) / 1e4;
  const alive = Math.ceil(suite.count * suite.success_rate - 1e-9);
  const criteria: Criterion[] = [
    {
      id: 'create-workspaces-success-rate',
      title: 'Workspaces that were created successfully',
      metric: 'create_workspaces.all.success_rate',
      expect: parseExpectation(`>= ${percent}%`),
      informational: false,
      origin: 'default',
    },
    {
      id: `${AT_ONCE_REQUIREMENT}-alive-at-once`,
      title: `Workspaces alive at the same time (${percent}\u00a0% of ${suite.count})`,
      requirement: AT_ONCE_REQUIREMENT,
      metric: 'create_workspaces.all.peak_alive',
      expect: parseExpectation(`>= ${alive}`),
      informational: false,
      origin: 'config',
    },
  ];
  if (suite.simultaneous !== undefined) {
    criteria.push({
      id: `${AT_ONCE_REQUIREMENT}-in-flight-at-once`,
      title: 'Provisioning operations in flight at the same time',
      requirement: AT_ONCE_REQUIREMENT,
      metric: 'create_workspaces.all.peak_in_flight',
      expect: parseExpectation(`>= ${suite.simultaneous}`),
      informational: false,
      origin: 'config',
    });
  }
  return criteria;
}

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

function takenOut(
  entry: Extract<CriterionConfig, { disabled: true }>,
  replaced: Criterion | undefined,
): Criterion | Mistake {
  if (replaced === undefined) {
    return {
      message: `criterion "${entry.id}" is disabled, but this run has no criterion of that id to take out`,
    };
  }
  return {
    ...replaced,
    ...(entry.title !== undefined && { title: entry.title }),
    disabled: { reason: entry.reason },
  };
}

function ownCriterion(entry: ActiveCriterionConfig, metrics: readonly KnownMetric[]): Criterion | Mistake {
  const metric = metrics.find(({ name }) => name === entry.metric);
  if (metric === undefined) return { message: unknownMetric(entry, metrics) };
  const mismatch = [entry.expect, ...(entry.warn ? [entry.warn] : [])]
    .map((expectation) => unfit(expectation, metric))
    .find(Boolean);
  if (mismatch !== undefined) return { message: `criterion "${entry.id}": ${mismatch}` };
  return {
    id: entry.id,
    title: entry.title ?? entry.metric,
    metric: entry.metric,
    expect: entry.expect,
    informational: entry.informational,
    origin: 'criteria',
    ...(entry.requirement !== undefined && { requirement: entry.requirement }),
    ...(entry.warn !== undefined && { warn: entry.warn }),
    ...(entry.min_samples !== undefined && { minSamples: entry.min_samples }),
  };
}

function unknownMetric(entry: ActiveCriterionConfig, metrics: readonly KnownMetric[]): string {
  const first = entry.metric.split('.')[0] ?? '';
  if (LATER_METRICS.includes(first)) {
    return `criterion "${entry.id}": the metric "${entry.metric}" is not available yet; take the criterion out`;
  }
  return `criterion "${entry.id}": there is no metric "${entry.metric}"; ${suggestion(
    entry.metric,
    metrics.map(({ name }) => name),
  )}`;
}

/** Why an expectation cannot be asked of a metric; undefined when it can. */
function unfit(expectation: Criterion['expect'], metric: KnownMetric): string | undefined {
  const { aggregate, unit, text } = expectation;
  if (metric.shape === 'samples') {
    if (aggregate.kind === 'value')
      return `"${text}" needs an aggregate, like "p95 ${text}": ${metric.name} has many samples`;
    const wanted = aggregate.kind === 'count' ? 'count' : metric.unit;
    if (unit !== wanted)
      return `"${text}" compares with a quantity of another kind; ${wanted === 'seconds' ? 'a duration like "2m"' : 'a plain number'} is needed`;
    return undefined;
  }
  if (aggregate.kind !== 'value')
    return `"${text}" asks for an aggregate, but ${metric.name} is one number; write "${text.replace(/^\S+\s+/, '')}"`;
  // A bare number between 0 and 1 is a share as well: 0.99.
  if (metric.unit === 'ratio' && unit === 'count' && expectation.threshold <= 1) return undefined;
  if (unit !== metric.unit)
    return `"${text}" compares with a quantity of another kind; ${metric.unit === 'ratio' ? 'a share like "99%"' : 'a plain number'} is needed`;
  return undefined;
}

function withPlannedSamples(criterion: Criterion, suite: CreateWorkspacesConfig): Criterion {
  const match =
    /^create_workspaces\.([^.]+)\.(provisioning|queue|build|agent|ready|success_rate|first_attempt_success_rate)$/.exec(
      criterion.metric,
    );
  if (match?.[1] === undefined) return criterion;
  const plannedSamples = match[1] === 'all' ? suite.count : suite.templates[match[1]]?.count;
  return plannedSamples === undefined ? criterion : { ...criterion, plannedSamples };
}
