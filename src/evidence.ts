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
  readonly status: string;
  readonly createdAt: string;
  readonly firstConnectedAt?: string;
  readonly readyAt?: string;
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
