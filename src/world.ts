import type {
  ArtifactStore,
  Authorities,
  Clock,
  Fetch,
  Log,
  RunShortCommand,
  StepResult,
  StepState,
  ToolCache,
} from './ports.js';

import type { Redactor } from './redact/redactor.js';

/** What the runner says about the job. */
export interface Job {
  readonly workspace: string;
  /** Emptied after the job; not part of the workspace. */
  readonly temp: string;
  readonly name: string;
  readonly attempt: string;
  /** Where people find this run. */
  readonly runUrl: string;
  readonly event: string;
  /** Why the runner hands this job no secrets, as a part of a sentence. */
  readonly noSecrets: string | undefined;
}

/** Everything outside the program, reached through ports. */
export interface World {
  readonly log: Log;
  readonly clock: Clock;
  readonly step: StepResult;
  readonly state: StepState;
  readonly artifacts: ArtifactStore;
  readonly toolCache: ToolCache;
  readonly runShortCommand: RunShortCommand;
  readonly fetch: Fetch;
  readonly authorities: Authorities;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly job: Job;
  /** Knows the secrets that were masked; everything that is written passes it. */
  readonly redactor: Redactor;
  readonly platform: { readonly os: string; readonly architecture: string };
  /** Aborted when the job is cancelled or the step times out. */
  readonly cancelled: AbortSignal;
}
