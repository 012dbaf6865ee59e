/** What coderd tells of itself before and after the load: plain data, also the files evidence/server-metrics.… */

/** Why something is not known: nothing on this deployment shows it (`skipped`), or what does gave no good answer (`failed`). */
export interface Unavailable {
  readonly unavailable: 'skipped' | 'failed';
  /** A sentence without a full stop. */
  readonly reason: string;
}

/** One coderd process, as `GET /api/v2/replicas` lists it: the id is drawn anew at each start. */
export interface Replica {
  readonly id: string;
  readonly hostname: string;
  readonly createdAt: string;
}

/** `single`: the server is an AGPL build, which has no such list and runs as one process. */
export type ReplicaList =
  { readonly kind: 'listed'; readonly replicas: readonly Replica[] } | { readonly kind: 'single' };

/** The metrics page of one coderd process, reduced to what is measured by. */
export interface ServerPage {
  /** What was asked: the deployment's own path, or an address of the input `prometheus-url`. */
  readonly source: string;
  /** By the server's clock, to whole seconds; by ours where it does not tell. */
  readonly answeredAt: string;
  /** Seconds since 1970 at which the process began; absent where Prometheus is off. */
  readonly processStart?: number;
  /** The families `coderd_api_…` and `process_start_time_seconds`, in the text format of Prometheus. */
  readonly text: string;
}

/** One look at coderd. */
export interface ServerSnapshot {
  /** By our clock. */
  readonly takenAt: string;
  readonly replicas: ReplicaList | Unavailable;
  /** A page of every process, or why not. */
  readonly pages: readonly ServerPage[] | Unavailable;
}

/** Around the load. */
export interface ServerObservation {
  readonly start: ServerSnapshot;
  readonly end: ServerSnapshot;
}

export const SERVER_OBSERVATION_FILE = 'evidence/server-metrics.json';

export const skipped = (reason: string): Unavailable => ({ unavailable: 'skipped', reason });
export const failed = (reason: string): Unavailable => ({ unavailable: 'failed', reason });

export const isUnavailable = (value: object): value is Unavailable => 'unavailable' in value;

/** Of several that are not there, the one that has to be mended: one that failed before one that is skipped. */
export const worst = (first: Unavailable, ...others: readonly Unavailable[]): Unavailable =>
  [first, ...others].find(({ unavailable }) => unavailable === 'failed') ?? first;
