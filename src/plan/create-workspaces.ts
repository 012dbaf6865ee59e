import { parseExpectation } from '../config/expectation.js';
import type { CreateWorkspacesConfig, GroupConfig } from '../config/schema.js';
import { formatDuration } from '../config/units.js';
import { minutes, seconds } from '../units.js';
import { createWorkspacesCommand } from './command.js';
import { workspaceMetricNames } from './metric-names.js';
import type { CreateWorkspacesStep, Criterion } from './plan-types.js';
import type { SuitePlan } from './suite-plan.js';

const LEAST_GROUP_TIMEOUT = minutes(30);
const LEAST_JOB_TIMEOUT = minutes(10);
/** Groups take longer than their waves at the expected P95: the slowest of each wave holds it up. */
const WAVE_RESERVE = 1.5;

/** The guide names no requirement in its file; these are its own for its own groups. */
const GUIDE_REQUIREMENTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    pod_workspaces: '14.6',
    ec2_workspaces: '14.7',
  }),
);
const AT_ONCE_REQUIREMENT = '14.11';

export interface CreateWorkspacesOptions {
  readonly rawDirectory: string;
  /** `max` in profiles whose few workspaces no quantile could be decided with. */
  readonly provisioning: 'p95' | 'max';
}

/** The groups of workspaces, all at the same time. */
export function planCreateWorkspaces(
  suite: CreateWorkspacesConfig,
  options: CreateWorkspacesOptions,
): SuitePlan {
  const groups = Object.entries(suite.templates);
  return {
    phase: {
      name: 'create',
      title: 'Create workspaces',
      steps: groups.map(([name, group]) => createStep(name, group, suite, options.rawDirectory)),
    },
    criteria: [...groupCriteria(suite, options.provisioning), ...suiteCriteria(suite)],
    metrics: workspaceMetricNames(
      new Map([['all', suite.count], ...groups.map(([name, { count }]) => [name, count] as const)]),
    ),
  };
}

function createStep(
  name: string,
  group: GroupConfig,
  suite: CreateWorkspacesConfig,
  rawDirectory: string,
): CreateWorkspacesStep {
  const concurrency =
    suite.simultaneous === undefined ? Math.min(group.concurrency, group.count) : group.count;
  const waves = Math.ceil(group.count / concurrency);
  const step: Omit<CreateWorkspacesStep, 'command'> = {
    suite: 'create-workspaces',
    group: name,
    template: group.template,
    count: group.count,
    concurrency,
    driver: suite.driver,
    owner: suite.owner,
    timeout:
      group.timeout ??
      seconds(Math.max(LEAST_GROUP_TIMEOUT, Math.ceil(waves * group.expected_p95 * WAVE_RESERVE))),
    jobTimeout: group.job_timeout ?? seconds(Math.max(3 * group.expected_p95, LEAST_JOB_TIMEOUT)),
    expectedP95: group.expected_p95,
    retries: group.retry,
    parameters: group.parameters,
    parametersComplete: false,
    resultFile: `${rawDirectory}/create-workspaces.${name}.json`,
  };
  return { ...step, command: createWorkspacesCommand(step) };
}

function groupCriteria(suite: CreateWorkspacesConfig, aggregate: 'p95' | 'max'): Criterion[] {
  return Object.entries(suite.templates).map(([name, group]) => {
    const requirement = group.requirement ?? GUIDE_REQUIREMENTS.get(name);
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
