import type { LoadResult, LoadSeries } from '../load/load-types.js';
import { Distribution } from '../load/recorder.js';
import { sumCodes, sumLatencies, type RouteCounts } from '../measure/server-counts.js';
import { answeringRoutes, requestsOf, serverErrorsOf, type ServerDelta } from '../measure/server-latency.js';
import { serverRouteOf } from '../measure/server-routes.js';
import { isUnavailable, type Unavailable } from '../server-evidence.js';
import { bucketAt } from './buckets.js';
import { quantileRanks } from './quantile.js';

/** What virtual users saw beside what coderd counted in the same window: plain data, in evidence/server-latency.json. Milliseconds. */
export interface ServerComparison {
  /** All routes that 14.9 and 14.10 are judged on. */
  readonly pooled: ComparedRoute;
  /** Each of the server's routes that virtual users called, the most calls first. */
  readonly routes: readonly ComparedRoute[];
  /** Of all requests that the API answered at once, those that virtual users sent. */
  readonly share: OwnShare;
  /** Routes of ours of which the server counted nothing. */
  readonly uncounted: readonly string[];
}

export interface OwnShare {
  readonly ours: number;
  readonly server: number;
}

export interface ComparedRoute {
  /** Ids of our routes that the server calls by one name. */
  readonly ids: readonly string[];
  readonly method?: string;
  /** The server's name of the route. */
  readonly path?: string;
  readonly ours: {
    /** Without the first visits; failed calls count, throttled ones do not. */
    readonly n: number;
    readonly failed: number;
    readonly throttled: number;
    /** Our wait for one of the user's connections, which the server does not see. */
    readonly connectionWaitP95Ms: number;
  };
  readonly server: {
    /** Of everybody, also our first visits and throttled calls. */
    readonly n: number;
    readonly errors: number;
    readonly codes: RouteCounts['codes'];
  };
  /** Everything that we sent there, first visits and throttled calls too. */
  readonly share: OwnShare;
  /** Calls that were answered to us, and that the server does not count. */
  readonly missing: number;
  /** Empty where one side has nothing. */
  readonly quantiles: readonly ComparedQuantile[];
}

export interface ComparedQuantile {
  readonly name: 'P95' | 'P99';
  /** Infinite when so many calls failed that the quantile falls on them. */
  readonly oursMs: number;
  /** The server's lies above this, */
  readonly aboveMs: number;
  /** and at most here; infinite above the last bucket. */
  readonly upToMs: number;
  /** How far ours is outside: above zero when it is longer than the server's can be, below zero when it is shorter. */
  readonly outsideByMs: number;
}

const QUANTILES = [
  ['P95', 0.95],
  ['P99', 0.99],
] as const;

/** Compares the latencies of virtual users with the server's own histograms, without interpolating these. */
export function compareServer(
  load: LoadResult,
  delta: ServerDelta | Unavailable,
): ServerComparison | Unavailable {
  if (isUnavailable(delta)) return delta;
  const called = load.series.filter((series) => sentIn(series) > 0);
  const byRoute = new Map<RouteCounts, LoadSeries[]>();
  const uncounted = new Set<string>();
  for (const series of called) {
    const route = routeOf(series, delta.routes);
    if (route === undefined) uncounted.add(series.route);
    else byRoute.set(route, [...(byRoute.get(route) ?? []), series]);
  }
  const pooled = [...byRoute].filter(([, series]) => series.some(({ pool }) => pool));
  const answering = answeringRoutes(delta);
  return {
    pooled: compare(
      called.filter(({ pool }) => pool),
      pooled.map(([route]) => route),
    ),
    routes: [...byRoute]
      .map(([route, series]) => ({ ...compare(series, [route]), method: route.method, path: route.path }))
      .sort((a, b) => b.share.ours - a.share.ours),
    share: {
      ours: sumOf(
        [...byRoute].flatMap(([route, series]) => (answering.includes(route) ? series : [])),
        sentIn,
      ),
      server: sumOf(answering, requestsOf),
    },
    uncounted: [...uncounted].sort(),
  };
}

function routeOf({ method, pattern }: LoadSeries, routes: readonly RouteCounts[]): RouteCounts | undefined {
  const same = routes.filter((route) => route.method === method);
  const path = serverRouteOf(
    pattern,
    same.map((route) => route.path),
  );
  return same.find((route) => route.path === path);
}

function compare(series: readonly LoadSeries[], routes: readonly RouteCounts[]): ComparedRoute {
  const judged = series.filter(({ warmUp }) => !warmUp);
  const ours = Distribution.merged(judged.map(({ latency }) => latency));
  const wait = Distribution.merged(judged.map(({ connectionWait }) => connectionWait)).quantile(0.95);
  const codes = sumCodes(routes.map((route) => route.codes));
  const counted = requestsOf({ codes });
  const answered = Distribution.merged(series.map(({ latency }) => latency));
  return {
    ids: [...new Set(series.map(({ route }) => route))].sort(),
    ours: {
      n: ours.count,
      failed: ours.failed,
      throttled: sumOf(judged, ({ throttled }) => throttled),
      connectionWaitP95Ms: Number.isFinite(wait) ? wait : 0,
    },
    server: { n: counted, errors: serverErrorsOf({ codes }), codes },
    share: { ours: sumOf(series, sentIn), server: counted },
    missing: Math.max(0, answered.count - answered.failed - counted),
    quantiles: compareQuantiles(ours, sumLatencies(routes.map(({ latency }) => latency))),
  };
}

function compareQuantiles(ours: Distribution, latency: RouteCounts['latency']): ComparedQuantile[] {
  if (ours.count === 0 || latency.total === 0) return [];
  return QUANTILES.map(([name, q]) => {
    const { above, upTo } = bucketAt(latency, quantileRanks(latency.total, q).rank);
    const [oursMs, aboveMs, upToMs] = [ours.quantile(q), above * 1000, upTo * 1000];
    const outsideByMs = oursMs > upToMs ? oursMs - upToMs : Math.min(0, oursMs - aboveMs);
    return { name, oursMs, aboveMs, upToMs, outsideByMs };
  });
}

const sentIn = ({ latency, throttled }: LoadSeries): number => {
  const { count } = Distribution.from(latency);
  return count + throttled;
};

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
