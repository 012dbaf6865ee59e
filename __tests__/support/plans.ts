import { parseExpectation } from '../../src/config/expectation.js';
import {
  createWorkspacesCommand,
  dashboardBrowserCommand,
  workspaceTrafficCommand,
} from '../../src/plan/command.js';
import type {
  CreateWorkspacesStep,
  Criterion,
  DashboardBrowserStep,
  Plan,
  WorkspaceTrafficStep,
} from '../../src/plan/plan-types.js';
import { planTime } from '../../src/plan/time.js';
import { minutes, seconds } from '../../src/units.js';

export function stepOf(changes: Partial<CreateWorkspacesStep> = {}): CreateWorkspacesStep {
  const step: CreateWorkspacesStep = {
    suite: 'create-workspaces',
    group: 'pod_workspaces',
    template: 'pod-swdev',
    count: 100,
    concurrency: 10,
    driver: 'auto',
    owner: 'scaletest-users',
    timeout: minutes(30),
    jobTimeout: minutes(10),
    expectedP95: minutes(2),
    retries: 0,
    parameters: {},
    parametersComplete: true,
    resultFile: 'raw/create-workspaces.pod_workspaces.json',
    command: [],
    ...changes,
  };
  return { ...step, command: createWorkspacesCommand(step) };
}

export function trafficStepWith(
  changes: Partial<WorkspaceTrafficStep> = {},
  template?: string,
): WorkspaceTrafficStep {
  const step: Omit<WorkspaceTrafficStep, 'command'> = {
    suite: 'workspace-traffic',
    workspaces: 100,
    ...(template !== undefined && { template }),
    owner: 'scaletest-users',
    mode: 'web-terminal',
    bytesPerTick: 1024,
    tickInterval: seconds(0.1),
    timeout: minutes(10),
    jobTimeout: minutes(10.5),
    metricsPort: 21_112,
    resultFile: 'raw/workspace-traffic.json',
    ...changes,
  };
  return { ...step, command: workspaceTrafficCommand(step) };
}

export function browserStepWith(changes: Partial<DashboardBrowserStep> = {}): DashboardBrowserStep {
  const step: Omit<DashboardBrowserStep, 'command'> = {
    suite: 'dashboard-browser',
    wanted: 'auto',
    users: 5,
    interval: seconds(10),
    jitter: seconds(5),
    timeout: minutes(5),
    jobTimeout: minutes(5.5),
    metricsPort: 21_112,
    resultFile: 'raw/dashboard-browser.json',
    ...changes,
  };
  return { ...step, command: dashboardBrowserCommand(step) };
}

/** The same plan with browsers after it. */
export function withBrowsers(plan: Plan, step = browserStepWith()): Plan {
  return { ...plan, phases: [...plan.phases, { name: 'dashboard', title: 'Dashboard', steps: [step] }] };
}

/** The same plan with traffic after it. */
export function withTraffic(plan: Plan, step = trafficStepWith({}, 'pod-swdev')): Plan {
  const phases = [...plan.phases, { name: 'traffic', title: 'Workspace traffic', steps: [step] }];
  return {
    ...plan,
    suites: [...plan.suites, 'workspace-traffic'],
    phases,
    time: planTime(phases, undefined),
  };
}

export function criterionOf(expect: string, changes: Partial<Criterion> = {}): Criterion {
  return {
    id: 'the-criterion',
    title: 'The criterion',
    metric: 'create_workspaces.all.provisioning',
    expect: parseExpectation(expect),
    informational: false,
    origin: 'criteria',
    ...changes,
  };
}

export function planOf(steps: readonly CreateWorkspacesStep[], criteria: readonly Criterion[] = []): Plan {
  const workspaces = steps.reduce((sum, { count }) => sum + count, 0);
  const users = steps.some(({ owner }) => owner === 'scaletest-users') ? workspaces : 0;
  const phases = [{ name: 'create', title: 'Create workspaces', steps }];
  return {
    schema: 1,
    suites: ['create-workspaces'],
    phases,
    criteria,
    effects: { workspaces, users, notificationsPerAdmin: 2 * users },
    time: planTime(phases, undefined),
  };
}
