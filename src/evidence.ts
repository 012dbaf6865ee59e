/** What was read from the deployment before anything was deleted: plain data, also the file evidence/workspaces.json. */

export interface ObservedBuild {
  readonly id: string;
  readonly number: number;
  readonly status: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly error?: string;
}

export interface ObservedAgent {
  readonly id: string;
  /** Its scripts that run when the workspace starts. */
  readonly startScripts: readonly StartScript[];
  readonly status: string;
  readonly createdAt: string;
  readonly firstConnectedAt?: string;
  readonly readyAt?: string;
}

export interface StartScript {
  readonly name: string;
  /** Whether nobody gets in before it is done. */
  readonly blocksLogin: boolean;
}

export interface ObservedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly template: string;
  readonly createdAt: string;
  /** Start builds, the first attempt first. */
  readonly builds: readonly ObservedBuild[];
  readonly agents: readonly ObservedAgent[];
  /** Coder's word for the latest build and its transition: `running`, `failed`, `pending`… */
  readonly status: string;
}

export interface ObservedWorkspaces {
  readonly observedAt: string;
  readonly workspaces: readonly ObservedWorkspace[];
}

export const PROVISIONER_STAGES = ['init', 'plan', 'graph', 'apply'] as const;
export type ProvisionerStage = (typeof PROVISIONER_STAGES)[number];

/** From the earliest beginning to the latest end of a stage's intervals, which are many and overlap; the provisioner's clock. */
export interface StageExtent {
  readonly stage: ProvisionerStage;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly intervals: number;
}

/** A script that ran when the workspace started, by the agent's clock. */
export interface ScriptTiming {
  readonly agentId: string;
  readonly name: string;
  /** Coder's word: `ok`, `exit_failure`, `timed_out`, `pipes_left_open`. */
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** `GET /api/v2/workspacebuilds/{id}/timings`, reduced. The agents' connections stand in workspaces.json already. */
export interface BuildTimings {
  readonly buildId: string;
  readonly stages: readonly StageExtent[];
  readonly scripts: readonly ScriptTiming[];
}

/** The parts of builds, read before anything was deleted: also the file evidence/build-timings.json. */
export interface ObservedTimings {
  /** The builds that were read. Only builds that succeeded have timings. */
  readonly builds: readonly BuildTimings[];
  /** Builds that were to be read and were not, and why. */
  readonly unread?: { readonly builds: number; readonly reason: string };
  /** When the scale-test users were made, by their names and the server's clock; what could not be read is not there. */
  readonly ownersCreatedAt: Readonly<Record<string, string>>;
}

export const TIMINGS_FILE = 'evidence/build-timings.json';
