import { ExpositionError, histogramsOf, parseExposition, type Sample } from './exposition.js';
import { haveSameBounds, sumHistograms, type Histogram } from './histogram-sum.js';

/** What one route has answered. */
export interface RouteCounts {
  readonly method: string;
  /** The route's pattern, as the server names it: `/api/v2/users/{user}`; `UNKNOWN` and `STATIC` for what has none. */
  readonly path: string;
  /** In seconds; without WebSockets. */
  readonly latency: Histogram;
  /** Requests by status code, 101 for WebSockets that have ended and 0 for other connections that were taken over. */
  readonly codes: Readonly<Record<string, number>>;
}

/** By method and path. */
export type ServerCounts = ReadonlyMap<string, RouteCounts>;

const LATENCIES = 'coderd_api_request_latencies_seconds';
const PROCESSED = 'coderd_api_requests_processed_total';
const NOTHING: Histogram = { buckets: [], total: 0, sum: 0 };

/**
 * What a process has counted about its requests since its start.
 * Source: coderd/httpmw/prometheus.go.
 * @throws ExpositionError for a page that is none, or whose counts are no counts.
 */
export function readServerCounts(text: string): ServerCounts {
  const page = parseExposition(text);
  const routes = new Map<string, RouteCounts>();
  const routeOf = (labels: Sample['labels']): RouteCounts => {
    const { method, path } = labels;
    if (method === undefined || path === undefined)
      throw new ExpositionError('a request is counted without its method or its path');
    return routes.get(`${method} ${path}`) ?? { method, path, latency: NOTHING, codes: {} };
  };
  const put = (route: RouteCounts): unknown => routes.set(`${route.method} ${route.path}`, route);
  for (const { labels, buckets, count, sum } of histogramsOf(page, LATENCIES)) {
    for (const value of [...buckets.map((bucket) => bucket.count), count]) requireCount(value, LATENCIES);
    if (!(sum >= 0 && Number.isFinite(sum))) throw new ExpositionError(`${LATENCIES} has a sum of ${sum}`);
    put({ ...routeOf(labels), latency: { buckets, total: count, sum } });
  }
  for (const { name, labels, value } of page.samples) {
    if (name !== PROCESSED) continue;
    requireCount(value, PROCESSED);
    const route = routeOf(labels);
    put({ ...route, codes: { ...route.codes, [labels['code'] ?? '']: value } });
  }
  return routes;
}

function requireCount(value: number, family: string): void {
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw new ExpositionError(`${family} has a count of ${value}`);
}

/**
 * What was counted between two pages of one process.
 * @returns undefined when a count fell or is gone, which it only does when the process has begun anew.
 */
export function countsBetween(before: ServerCounts, after: ServerCounts): ServerCounts | undefined {
  const between = new Map<string, RouteCounts>();
  for (const key of before.keys()) if (!after.has(key)) return undefined;
  for (const [key, route] of after) {
    const grown = growth(before.get(key) ?? { ...route, latency: NOTHING, codes: {} }, route);
    if (grown === undefined) return undefined;
    if (grown.latency.total > 0 || Object.keys(grown.codes).length > 0) between.set(key, grown);
  }
  return between;
}

function growth(before: RouteCounts, after: RouteCounts): RouteCounts | undefined {
  const codes: Record<string, number> = {};
  for (const code of Object.keys(before.codes)) if (!(code in after.codes)) return undefined;
  for (const [code, count] of Object.entries(after.codes)) {
    const more = count - (before.codes[code] ?? 0);
    if (more < 0) return undefined;
    if (more > 0) codes[code] = more;
  }
  const earlier = before.latency;
  if (earlier.total === 0) return { ...after, codes };
  if (!haveSameBounds(earlier, after.latency)) return undefined;
  const buckets = after.latency.buckets.map(({ upTo, count }, index) => ({
    upTo,
    count: count - (earlier.buckets[index]?.count ?? 0),
  }));
  const total = after.latency.total - earlier.total;
  if ([...buckets.map(({ count }) => count), total].some((count) => count < 0)) return undefined;
  return { ...after, codes, latency: { buckets, total, sum: Math.max(0, after.latency.sum - earlier.sum) } };
}

/**
 * The counts of several processes, or of several routes, in one.
 * @throws ExpositionError when their buckets have different bounds.
 */
export function sumLatencies(latencies: readonly Histogram[]): Histogram {
  const sum = sumHistograms(latencies.filter(({ total }) => total > 0));
  if (sum === undefined) throw new ExpositionError(`series of ${LATENCIES} have different buckets`);
  return sum;
}

export function sumCodes(all: readonly RouteCounts['codes'][]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const codes of all)
    for (const [code, count] of Object.entries(codes)) sums.set(code, (sums.get(code) ?? 0) + count);
  return Object.fromEntries(sums);
}
