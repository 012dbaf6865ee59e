import type { Outcome } from './exchange.js';
import type { CallCounts, LoadSeries, RateLimitSeen } from './load-types.js';
import type { Route } from './mix.js';
import { Distribution } from './recorder.js';

/** Exact up to here per route and phase, in buckets beyond: these two only explain. */
const RAW_LIMIT_OF_WAITS = 1_000;
/** The bypass header's 428 is the limiter's too. */
const THROTTLED: readonly number[] = [429, 428];

interface Series {
  readonly route: Route;
  readonly phase: string;
  readonly warmUp: boolean;
  readonly latency: Distribution;
  readonly sendLag: Distribution;
  readonly connectionWait: Distribution;
  readonly failures: Map<string, number>;
  throttled: number;
}

export interface CallTimes {
  readonly intendedAt: number;
  readonly sentAt: number;
  readonly connectedAt: number | undefined;
  readonly endedAt: number;
}

/** Keeps the books of the load: every call that was due ends up in one column. */
export class Outcomes {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #series = new Map<string, Series>();
  readonly #limits = new Map<string, RateLimitSeen>();
  #leftOut = 0;
  #unfinished = 0;
  #resent = 0;

  constructor(
    routes: readonly Route[],
    private readonly timeoutMs: number,
  ) {
    this.#routes = new Map(routes.map((route) => [route.id, route]));
  }

  /** @throws RangeError for an id that the schedule does not name. */
  route(id: string): Route {
    const route = this.#routes.get(id);
    if (route === undefined) throw new RangeError(`the schedule has no route "${id}"`);
    return route;
  }

  record(route: Route, key: { phase: string; warmUp: boolean }, outcome: Outcome, times: CallTimes): void {
    const series = this.#of(route, key);
    series.sendLag.add(times.sentAt - times.intendedAt);
    if (times.connectedAt !== undefined) {
      series.connectionWait.add(Math.max(0, times.connectedAt - times.sentAt));
    }
    if (outcome.kind === 'answer') this.#noteLimit(route.id, outcome);
    if (outcome.kind === 'answer' && THROTTLED.includes(outcome.status)) {
      series.throttled += 1;
      return;
    }
    const failure = failureOf(route, outcome, this.timeoutMs);
    if (failure === undefined) {
      series.latency.add(times.endedAt - times.intendedAt);
      return;
    }
    series.latency.fail();
    series.failures.set(failure, (series.failures.get(failure) ?? 0) + 1);
  }

  leftOut(calls: number): void {
    this.#leftOut += calls;
  }

  unfinished(calls: number): void {
    this.#unfinished += calls;
  }

  resent(): void {
    this.#resent += 1;
  }

  counts(): CallCounts {
    const all = [...this.#series.values()];
    const sum = (of: (series: Series) => number): number => all.reduce((total, one) => total + of(one), 0);
    return {
      ok: sum(({ latency }) => latency.count - latency.failed),
      failed: sum(({ latency }) => latency.failed),
      throttled: sum(({ throttled }) => throttled),
      leftOut: this.#leftOut,
      unfinished: this.#unfinished,
      resent: this.#resent,
    };
  }

  series(): readonly LoadSeries[] {
    return [...this.#series.values()].map(({ route, phase, warmUp, throttled, failures, ...series }) => ({
      route: route.id,
      method: route.method,
      pattern: route.pattern,
      phase,
      warmUp,
      pool: route.pool,
      latency: series.latency.data(),
      throttled,
      failures: Object.fromEntries(failures),
      sendLag: series.sendLag.data(),
      connectionWait: series.connectionWait.data(),
    }));
  }

  rateLimits(): readonly RateLimitSeen[] {
    return [...this.#limits.values()];
  }

  #of(route: Route, { phase, warmUp }: { phase: string; warmUp: boolean }): Series {
    const key = `${route.id}\n${phase}\n${warmUp}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series: Series = {
      route,
      phase,
      warmUp,
      latency: new Distribution(),
      sendLag: new Distribution(RAW_LIMIT_OF_WAITS),
      connectionWait: new Distribution(RAW_LIMIT_OF_WAITS),
      failures: new Map(),
      throttled: 0,
    };
    this.#series.set(key, series);
    return series;
  }

  #noteLimit(route: string, { limit, remaining }: { limit?: number; remaining?: number }): void {
    if (limit === undefined || remaining === undefined) return;
    const least = this.#limits.get(route)?.leastRemaining ?? Infinity;
    if (remaining < least) this.#limits.set(route, { route, limit, leastRemaining: remaining });
  }
}

/** Why a call failed; undefined when it did not. */
function failureOf(route: Route, outcome: Outcome, timeoutMs: number): string | undefined {
  if (outcome.kind === 'timeout') return `no answer within ${timeoutMs / 1000} s`;
  if (outcome.kind === 'network') return outcome.code;
  const { status, contentType } = outcome;
  if (route.answers?.includes(status) === true) return undefined;
  if (status >= 400) return `status ${status}`;
  // Not followed: it would carry the token to another host, and Coder's API never redirects.
  if (status >= 300 && status !== 304) return `redirect (${status})`;
  // A sign-in page in front of Coder, or a path that it does not know.
  if (route.pattern.startsWith('/api/') && contentType.startsWith('text/html')) return 'HTML instead of JSON';
  return undefined;
}
