import type { CoderApi } from '../coder/api.js';
import type { Clock, Log } from '../ports.js';
import type { CreateWorkspacesStep, Plan, Step } from '../plan/plan-types.js';
import type { DriverChoice } from '../ready/readiness.js';
import type { LoadResult } from '../load/load-types.js';
import type { Redactor } from '../redact/redactor.js';
import type { Milliseconds } from '../units.js';
import type { LoadOutcome } from './api-load.js';
import type { Pace } from './pace.js';

/** How far a group is, as the API counts it. */
export interface BuildsSeen {
  readonly step: CreateWorkspacesStep;
  /** Workspaces that there are, in whatever state. */
  readonly asked: number;
  readonly built: number;
  readonly failed: number;
  /** On the monotonic clock: the counts are of a moment between the two. */
  readonly askedAt: Milliseconds;
  readonly answeredAt: Milliseconds;
}

/** What the virtual users have measured so far. */
export interface CallsSeen {
  readonly result: LoadResult;
  /** How many calls there will be at most that are judged: in the pool, and of each route. */
  readonly most: { readonly pooled: number; readonly routes: ReadonlyMap<string, number> };
}

/** Decides by what is seen whether the load goes on. */
export interface LiveWatch {
  look(builds: readonly BuildsSeen[], calls: CallsSeen | undefined): void;
}

/** What carrying out a plan needs of the world. */
export interface RunContext {
  /** With the owner's token. */
  readonly api: CoderApi;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the load: the job was cancelled, or the watch ended it early. */
  readonly signal: AbortSignal;
  readonly cancelled: AbortSignal;
  /** Told what is seen while the load goes on; absent where nothing ends it early. */
  readonly watch?: LiveWatch;
  /** How workspaces are created; the other suites always run with the CLI. */
  readonly driver: DriverChoice['driver'];
  /** Absent where no step needs the CLI. */
  readonly cliPath?: string;
  readonly childEnvironment: Readonly<Record<string, string>>;
  /** Where the CLI runs and writes its raw results: private, and removed at the end. */
  readonly rawDirectory: string;
  readonly evidenceDirectory: string;
  /** For everything that children write. */
  readonly redactor: Redactor;
  /** Ends all load, so that time is left for measuring and clean-up; on the monotonic clock. */
  readonly deadline: Milliseconds;
  /** The templates' ids by name, for the driver that creates workspaces itself. */
  readonly templates: ReadonlyMap<string, { readonly id: string; readonly organizationId: string }>;
  /** Where the load is sent. */
  readonly deploymentUrl: string;
  /** How it gets there: further headers, and the variables that name proxies. */
  readonly network: {
    readonly headers: Readonly<Record<string, string>>;
    readonly proxies: Readonly<Record<string, string>>;
  };
  /** From when on by the server's clock what is made is this run's. */
  readonly since: Date;
  /** A template for pages of users who own no workspace; undefined where the deployment has none. */
  readonly anyTemplate?: { readonly id: string; readonly versionId: string };
  /** Where users without a workspace are made. */
  readonly organizationId?: string;
  readonly ownUserId: string;
  /** Spreads out the creation of users under the rate limit; absent where none is needed. */
  readonly userPace?: Pace;
  /** What a metrics page of workspace-traffic tells; undefined for any other text: another program may answer there. */
  readonly describeTrafficPage: (text: string) => string | undefined;
  /** The same of any other suite's page. */
  readonly describeSuitePage: (text: string) => string | undefined;
  /** The other suites that have a page of their own in this CLI. */
  readonly suitesWithPage: ReadonlySet<string>;
  /** Called before the first of the other suites begins, where groups were created: theirs are other workspaces. */
  readonly beforeSuites: () => Promise<void>;
  /** The same of the dashboard suite's page. */
  readonly describeBrowserPage: (text: string) => string | undefined;
}

/** Where a suite's metrics page is kept, and when it was read last. */
export interface KeptPage {
  readonly file: string;
  readonly isFinal: boolean;
  readonly readAt: Date;
}

/** How a step ended; its result file, where there is one, says how well. */
export interface StepOutcome {
  readonly step: Step;
  /** `load`: our own virtual users. */
  readonly driver: DriverChoice['driver'] | 'load';
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Only when the step wrote one. */
  readonly resultFile?: string;
  readonly exitCode?: number;
  readonly exitSignal?: string;
  readonly endedBy: 'itself' | 'deadline' | 'early' | 'cancel';
  /** The last lines that the CLI wrote to stderr, or why the step could not run. */
  readonly lastWords: readonly string[];
  /** Of a suite that has one: where its own metrics page is kept, below the results directory. */
  readonly metricsPage?: KeptPage | { readonly unusable: string };
}

export interface PlanOutcome {
  readonly plan: Plan;
  readonly steps: readonly StepOutcome[];
  /** Of the virtual users, where some were planned; or why the load never began. */
  readonly load?: LoadOutcome | { readonly unusable: string };
  readonly startedAt: Date;
  readonly endedAt: Date;
}
