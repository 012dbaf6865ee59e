import type { DistributionData } from './recorder.js';

/** What the load found, as plain data: `evidence/` keeps it as it is. All durations in milliseconds. */
export interface LoadResult {
  /** Of this form. */
  readonly version: 1;
  /** Version of the mix, or `api_probe`. */
  readonly mix: string;
  readonly seed: number;
  readonly users: number;
  /** Of them, those who ever came: a user of a workspace that was never made does not. */
  readonly usersSeen: number;
  readonly startedAt: string;
  /** How far the arrivals were drawn; the load may end before. */
  readonly plannedMs: number;
  readonly elapsedMs: number;
  /** The load ended before its time. */
  readonly aborted: boolean;
  /** When each phase began, since the load began. */
  readonly phases: readonly { readonly name: string; readonly fromMs: number }[];
  readonly series: readonly LoadSeries[];
  readonly calls: CallCounts;
  readonly sockets: SocketCounts;
  /** Per route the least that the limiter had left; empty where it is off. */
  readonly rateLimits: readonly RateLimitSeen[];
  readonly health: GeneratorHealth;
}

/** One route in one phase. Its samples that ended well, and how many failed, are in `latency`. */
export interface LoadSeries {
  readonly route: string;
  readonly method: string;
  readonly pattern: string;
  readonly phase: string;
  /** The first visit of a user: kept, and left out of the verdict. */
  readonly warmUp: boolean;
  /** Whether it belongs to what 14.9 and 14.10 are judged on; the baseline `buildinfo` and the HTML do not. */
  readonly pool: boolean;
  /** From the intended start to the last byte, the wait for a free connection included. */
  readonly latency: DistributionData;
  /** Refused with 429 or 428: neither good nor failed, and without a latency. */
  readonly throttled: number;
  /** Why calls failed, and how often: `no answer within 30 s`, `status 500`, `ECONNRESET`… */
  readonly failures: Readonly<Record<string, number>>;
  /** From the intended start to the moment at which the call was handed to a connection or its queue. */
  readonly sendLag: DistributionData;
  /** From that moment to an open connection: the queue for one of the user's six, or opening one. */
  readonly connectionWait: DistributionData;
}

/** Each call that was due is in exactly one of the first five. */
export interface CallCounts {
  readonly ok: number;
  readonly failed: number;
  readonly throttled: number;
  /** Not made, since the user was not there yet, or a value of the path was not known (no workspace yet). */
  readonly leftOut: number;
  /** Under way, or waiting for another call, when the load was ended. */
  readonly unfinished: number;
  /** Sent again at once on another connection, since the server had closed the idle one; counted once. */
  readonly resent: number;
}

export interface SocketCounts {
  readonly opened: number;
  /** Open ones that the other side ended. */
  readonly drops: number;
  /** Attempts to open one that failed. */
  readonly refused: number;
  readonly openAtEnd: number;
  /** Why, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface RateLimitSeen {
  readonly route: string;
  readonly limit: number;
  readonly leastRemaining: number;
}

/** How the generator itself fared: what it adds to the latencies that it measures. */
export interface GeneratorHealth {
  readonly sendLagP99Ms: number;
  readonly sendLagMaxMs: number;
  readonly eventLoopLagP99Ms: number;
  readonly eventLoopLagMaxMs: number;
  /** Of one core, without waiting busily for the next arrival. */
  readonly cpuShare: number;
  /** The most arrivals that were due and not yet begun at one time. */
  readonly largestBacklog: number;
  readonly connectionWaitP99Ms: number;
  /** Set when the figures above say that the generator, not the server, was the limit. */
  readonly saturated?: string;
}
