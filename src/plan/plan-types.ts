import type { Expectation } from '../config/expectation.js';
import type { SuiteFlags } from '../config/schema.js';
import type { SourceLocation } from '../errors.js';
import type { ProbeRoute } from '../load/schedule.js';
import type { Seconds } from '../units.js';
import type { CliSuiteName } from './cli-suites.js';

/** What will be run and how it will be judged: plain data, also the file plan.json. */
export interface Plan {
  readonly schema: 1;
  readonly subject?: string;
  readonly profile?: string;
  readonly suites: readonly string[];
  /** Suites that the config has, but that run only when input "tests" names them. */
  readonly leftOut?: readonly string[];
  /** In order; the steps of one phase run at the same time. */
  readonly phases: readonly Phase[];
  readonly criteria: readonly Criterion[];
  /** Ends the load as soon as a criterion that decides can no longer pass. */
  readonly abortEarly?: true;
  readonly effects: Effects;
  readonly time: TimePlan;
}

export interface Phase {
  readonly name: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A discriminated union so that later suites add a member and every switch is checked. */
export type Step =
  CreateWorkspacesStep | DashboardStep | DashboardBrowserStep | WorkspaceTrafficStep | CliSuiteStep;

export type Driver = 'auto' | 'cli' | 'api';
export type WorkspaceOwner = 'scaletest-users' | 'token-user';

export interface CreateWorkspacesStep {
  readonly suite: 'create-workspaces';
  /** The group's name in the config, also in metric names. */
  readonly group: string;
  readonly template: string;
  readonly count: number;
  readonly concurrency: number;
  readonly driver: Driver;
  readonly owner: WorkspaceOwner;
  /** Ends the load phase of the step. */
  readonly timeout: Seconds;
  /** Ends one workspace's run. */
  readonly jobTimeout: Seconds;
  readonly expectedP95: Seconds;
  readonly retries: number;
  /** As configured; the template's defaults are filled in once it was read. */
  readonly parameters: Readonly<Record<string, string>>;
  /** False until the template's own parameters were read. */
  readonly parametersComplete: boolean;
  readonly resultFile: string;
  /** The exact argument vector, the executable first. */
  readonly command: readonly string[];
}

/** Virtual users. They come when the first phase begins, and stay until the last one has ended. */
export interface DashboardStep {
  readonly suite: 'dashboard';
  readonly users: number;
  /** Of them, those who are made for this alone and own no workspace; the others are the owners of workspaces. */
  readonly usersWithoutWorkspace: number;
  /** How long they are there at least, phases before this one included. */
  readonly duration: Seconds;
  /** How long they are there at least with nothing else going on. */
  readonly alone: Seconds;
  /** Ends the phase. */
  readonly timeout: Seconds;
  /** Of the drawn times: the same plan always sends the same calls at the same times. */
  readonly seed: number;
  readonly work: DashboardWork;
}

export type DashboardWork =
  | {
      readonly kind: 'visits';
      readonly mix: string;
      /** Routes of the mix that the server does not know; empty until it was asked. */
      readonly unknownRoutes: readonly string[];
    }
  | { readonly kind: 'probe'; readonly rate: number; readonly routes: readonly ProbeRoute[] };

/** `app:<slug>` sends the traffic to a workspace app. */
export type TrafficMode = 'web-terminal' | 'ssh' | `app:${string}`;

export interface WorkspaceTrafficStep {
  readonly suite: 'workspace-traffic';
  /** How many workspaces are planned to be there; those that were made are what counts. */
  readonly workspaces: number;
  /** Only where all workspaces are of one template; else the CLI takes every scale-test workspace. */
  readonly template?: string;
  readonly owner: WorkspaceOwner;
  readonly mode: TrafficMode;
  readonly bytesPerTick: number;
  readonly tickInterval: Seconds;
  /** How long traffic is sent: the CLI's runs last as long as its --timeout. */
  readonly timeout: Seconds;
  readonly jobTimeout: Seconds;
  /** Of the suite's own metrics page. In the plan Coder's usual port; a free one is chosen when the suite starts. */
  readonly metricsPort: number;
  readonly resultFile: string;
  /** The exact argument vector but for the port, the executable first. */
  readonly command: readonly string[];
}

/** Any other suite of the CLI, with its own flags. */
export interface CliSuiteStep {
  readonly suite: CliSuiteName;
  /** As configured. */
  readonly flags: SuiteFlags;
  /** Where each flag stands in the config. */
  readonly places: Readonly<Record<string, SourceLocation>>;
  /** How many runs its result file has to list. */
  readonly plannedRuns: number;
  readonly workspaces: number;
  readonly users: number;
  /** Has to be there before. */
  readonly template?: string;
  /** Values that the template has by default, `name=value`: the CLI asks for each that it is not given. */
  readonly parameters: readonly string[];
  /** Ends the load of the suite. */
  readonly timeout: Seconds;
  /** Ends one run. */
  readonly jobTimeout: Seconds;
  /** What the suite may need outside of its time-out: to prepare, and to clean up itself. */
  readonly around: Seconds;
  readonly resultFile: string;
  /** The exact argument vector but for the metrics page, whose port is chosen when it starts; the executable first. */
  readonly command: readonly string[];
}

/** `auto`: only where the suite does something. */
export type BrowserWish = 'auto' | 'always';

/** Coder's own suite of the dashboard: real browsers that click, beside the load of the virtual users. */
export interface DashboardBrowserStep {
  readonly suite: 'dashboard-browser';
  readonly wanted: BrowserWish;
  /** Scale-test users with a browser each. */
  readonly users: number;
  /** The time between two actions of a user, give or take the jitter. */
  readonly interval: Seconds;
  readonly jitter: Seconds;
  /** How long the users click. */
  readonly timeout: Seconds;
  readonly jobTimeout: Seconds;
  /** Of the suite's own metrics page, as for workspace-traffic. */
  readonly metricsPort: number;
  readonly resultFile: string;
  /** The exact argument vector but for the port, the executable first. */
  readonly command: readonly string[];
}

export interface Criterion {
  readonly id: string;
  readonly title: string;
  readonly requirement?: string;
  readonly metric: string;
  readonly expect: Expectation;
  readonly warn?: Expectation;
  readonly minSamples?: number;
  readonly informational: boolean;
  /** Watched while the load goes on, which it ends when it is breached. */
  readonly abort?: true;
  /** Metrics of parts of this one: a part that breaches the expectation alone is a warning. */
  readonly parts?: readonly string[];
  /** Not judged on a deployment that cannot show its metric; the summary says why. */
  readonly whereSeen?: true;
  /** Taken out by the config, with the reason that the summary shows. */
  readonly disabled?: { readonly reason: string };
  readonly origin: 'config' | 'default' | 'criteria';
  /** How many samples the plan yields for it; absent where the number does not follow from the plan. */
  readonly plannedSamples?: number;
}

/** What the run does to the deployment and to people. */
export interface Effects {
  readonly workspaces: number;
  readonly users: number;
  /** Creating and deleting a user each notifies every owner and user admin. */
  readonly notificationsPerAdmin: number;
}

export interface TimePlan {
  /** The longest that the load phases may take. */
  readonly load: Seconds;
  readonly cleanup: Seconds;
  readonly total: Seconds;
  /** What the workflow has to set as timeout-minutes. */
  readonly jobMinutes: number;
  /** How many provisioner slots the clean-up time assumes, and whether they were read from the deployment. */
  readonly slots: number;
  readonly slotsKnown: boolean;
}

/** A parameter of a template, as the deployment tells it. */
export interface TemplateParameter {
  readonly name: string;
  readonly required: boolean;
  readonly ephemeral: boolean;
  readonly defaultValue: string;
  readonly options: readonly string[];
}

/** What a plan is completed with once a deployment was asked. */
export interface DeploymentOutline {
  readonly slots?: number;
  /** What deleting a workspace of a template takes, by the template's own build times. */
  readonly deletion?: ReadonlyMap<string, Seconds>;
  readonly parameters: ReadonlyMap<string, readonly TemplateParameter[]>;
  /** Routes of the mix that the server does not know. */
  readonly unknownRoutes?: readonly string[];
}
