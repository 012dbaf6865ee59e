import type {
  CallCounts,
  GeneratorHealth,
  LoadResult,
  LoadSeries,
  RateLimitSeen,
  SocketCounts,
} from '../load/load-types.js';
import { milliseconds, seconds, type Milliseconds, type Seconds } from '../units.js';
import { isJudged, merged } from './load-metrics.js';

/** Latencies of calls that belong together. Infinity: so many failed that the quantile falls on them. */
export interface LatencySummary {
  readonly n: number;
  readonly failed: number;
  readonly throttled: number;
  readonly p50: Milliseconds;
  readonly p95: Milliseconds;
  readonly p99: Milliseconds;
  readonly max: Milliseconds;
}

export interface RouteSummary extends LatencySummary {
  readonly route: string;
  readonly method: string;
  readonly pattern: string;
}

/** What a reader wants to know of the API load. */
export interface LoadSummary {
  readonly mix: string;
  readonly users: number;
  readonly usersSeen: number;
  readonly lasted: Seconds;
  readonly calls: CallCounts;
  readonly sockets: SocketCounts;
  readonly health: GeneratorHealth;
  /** Where the limiter had least left of what it allows a minute; absent where it is off. */
  readonly closestLimit?: RateLimitSeen;
  /** Calls of first visits, which are in none of the figures. */
  readonly warmUpCalls: number;
  readonly all?: LatencySummary;
  readonly phases: readonly (LatencySummary & { readonly phase: string })[];
  /** The slowest first, by their P95. */
  readonly routes: readonly RouteSummary[];
  /** A call that only the network and the router answer. */
  readonly baseline?: RouteSummary;
  /** Why calls failed, the most frequent first. */
  readonly failures: readonly { readonly reason: string; readonly count: number }[];
}

export function summarizeLoad(result: LoadResult): LoadSummary {
  const judged = result.series.filter(isJudged);
  const others = result.series.filter((series) => !series.pool && !series.warmUp);
  const all = summaryOf(judged);
  const [closestLimit] = [...result.rateLimits].sort((a, b) => shareLeft(a) - shareLeft(b));
  const baseline = routesOf(others.filter(({ route }) => route === 'buildinfo'))[0];
  return {
    mix: result.mix,
    users: result.users,
    usersSeen: result.usersSeen,
    lasted: seconds(result.elapsedMs / 1000),
    calls: result.calls,
    sockets: result.sockets,
    health: result.health,
    ...(closestLimit && { closestLimit }),
    warmUpCalls: merged(result.series.filter(({ warmUp }) => warmUp)).count,
    ...(all && { all }),
    phases: result.phases.flatMap(({ name }) => {
      const summary = summaryOf(judged.filter(({ phase }) => phase === name));
      return summary === undefined ? [] : [{ phase: name, ...summary }];
    }),
    routes: routesOf(judged).sort((a, b) => b.p95 - a.p95 || b.n - a.n),
    ...(baseline && { baseline }),
    failures: failuresOf(judged),
  };
}

const shareLeft = ({ leastRemaining, limit }: RateLimitSeen): number => leastRemaining / limit;

function routesOf(series: readonly LoadSeries[]): RouteSummary[] {
  return [...new Set(series.map(({ route }) => route))].flatMap((route) => {
    const own = series.filter((one) => one.route === route);
    const summary = summaryOf(own);
    const [first] = own;
    if (summary === undefined || first === undefined) return [];
    return [{ route, method: first.method, pattern: first.pattern, ...summary }];
  });
}

/** Undefined without any call that was answered or failed. */
function summaryOf(series: readonly LoadSeries[]): LatencySummary | undefined {
  const distribution = merged(series);
  if (distribution.count === 0) return undefined;
  const at = (q: number): Milliseconds => milliseconds(distribution.quantile(q));
  return {
    n: distribution.count,
    failed: distribution.failed,
    throttled: series.reduce((sum, { throttled }) => sum + throttled, 0),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: milliseconds(distribution.max),
  };
}

function failuresOf(series: readonly LoadSeries[]): LoadSummary['failures'] {
  const counts = new Map<string, number>();
  for (const { route, failures } of series) {
    for (const [reason, count] of Object.entries(failures)) {
      const key = `${route}: ${reason}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
}
