import type {
  CreateWorkspacesStep,
  DashboardBrowserStep,
  Plan,
  Step,
  WorkspaceTrafficStep,
} from './plan-types.js';

type Steps = Pick<Plan, 'phases'>;

/** The steps of all phases, in order. */
export const stepsOf = ({ phases }: Steps): readonly Step[] => phases.flatMap(({ steps }) => steps);

export const isCreateStep = (step: Step): step is CreateWorkspacesStep => step.suite === 'create-workspaces';
export const isTrafficStep = (step: Step): step is WorkspaceTrafficStep => step.suite === 'workspace-traffic';
export const isBrowserStep = (step: Step): step is DashboardBrowserStep => step.suite === 'dashboard-browser';

/** The steps that create workspaces, one a group. */
export const createStepsOf = (plan: Steps): readonly CreateWorkspacesStep[] =>
  stepsOf(plan).filter(isCreateStep);

/** The step that sends traffic; undefined where none is planned. */
export const trafficStepOf = (plan: Steps): WorkspaceTrafficStep | undefined =>
  stepsOf(plan).find(isTrafficStep);

/** The step in which browsers click; undefined where none is planned. */
export const browserStepOf = (plan: Steps): DashboardBrowserStep | undefined =>
  stepsOf(plan).find(isBrowserStep);

/** What a step is called in the log and the reports: its group, else its suite. */
export function stepName(step: Step): string {
  switch (step.suite) {
    case 'create-workspaces':
      return step.group;
    case 'workspace-traffic':
    case 'dashboard-browser':
      return step.suite;
  }
}

/** How the evidence files of a step begin. */
export function evidenceName(step: Step): string {
  switch (step.suite) {
    case 'create-workspaces':
      return `${step.suite}.${step.group}`;
    case 'workspace-traffic':
    case 'dashboard-browser':
      return step.suite;
  }
}

/** The names of the groups. */
export const groupsOf = (plan: Steps): readonly string[] => createStepsOf(plan).map(({ group }) => group);

/** The names of the templates. */
export const templatesOf = (plan: Steps): readonly string[] =>
  createStepsOf(plan).map(({ template }) => template);
