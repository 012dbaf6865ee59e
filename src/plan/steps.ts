import { isCliSuite } from './cli-suites.js';
import type {
  CliSuiteStep,
  CreateWorkspacesStep,
  DashboardBrowserStep,
  DashboardStep,
  Plan,
  Step,
  WorkspaceTrafficStep,
} from './plan-types.js';

type Steps = Pick<Plan, 'phases'>;

/** A step that Coder's CLI can carry out. */
export type CliStep = Extract<Step, { readonly command: readonly string[] }>;

/** The steps of all phases, in order. */
export const stepsOf = ({ phases }: Steps): readonly Step[] => phases.flatMap(({ steps }) => steps);

export const isCreateStep = (step: Step): step is CreateWorkspacesStep => step.suite === 'create-workspaces';
export const isDashboardStep = (step: Step): step is DashboardStep => step.suite === 'dashboard';
export const isTrafficStep = (step: Step): step is WorkspaceTrafficStep => step.suite === 'workspace-traffic';
export const isBrowserStep = (step: Step): step is DashboardBrowserStep => step.suite === 'dashboard-browser';
export const isSuiteStep = (step: Step): step is CliSuiteStep => isCliSuite(step.suite);

/** The steps of the CLI's other suites. */
export const suiteStepsOf = (plan: Steps): readonly CliSuiteStep[] => stepsOf(plan).filter(isSuiteStep);

/** The steps that create workspaces, one a group. */
export const createStepsOf = (plan: Steps): readonly CreateWorkspacesStep[] =>
  stepsOf(plan).filter(isCreateStep);

/** The step that sends traffic; undefined where none is planned. */
export const trafficStepOf = (plan: Steps): WorkspaceTrafficStep | undefined =>
  stepsOf(plan).find(isTrafficStep);

/** The step in which browsers click; undefined where none is planned. */
export const browserStepOf = (plan: Steps): DashboardBrowserStep | undefined =>
  stepsOf(plan).find(isBrowserStep);

/** The step of the virtual users; undefined where none are planned. */
export const dashboardStepOf = (plan: Steps): DashboardStep | undefined =>
  stepsOf(plan).find(isDashboardStep);

export const isCliStep = (step: Step): step is CliStep => 'command' in step;

/** What a step is called in the log and the reports: its group, else its suite. */
export function stepName(step: Step): string {
  return isCreateStep(step) ? step.group : step.suite;
}

/** How the evidence files of a step begin. */
export function evidenceName(step: Step): string {
  return isCreateStep(step) ? `${step.suite}.${step.group}` : step.suite;
}

/** The names of the groups. */
export const groupsOf = (plan: Steps): readonly string[] => createStepsOf(plan).map(({ group }) => group);

/** The names of the templates that have to be there. */
export const templatesOf = (plan: Steps): readonly string[] => [
  ...new Set([
    ...createStepsOf(plan).map(({ template }) => template),
    ...suiteStepsOf(plan).flatMap(({ template }) => template ?? []),
  ]),
];
