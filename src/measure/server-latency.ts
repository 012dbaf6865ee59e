import { messageOf } from '../errors.js';
import {
  failed,
  isUnavailable,
  skipped,
  worst,
  type ServerObservation,
  type ServerPage,
  type Unavailable,
} from '../server-evidence.js';
import { ExpositionError } from './exposition.js';
import {
  countsBetween,
  readServerCounts,
  sumCodes,
  sumLatencies,
  type RouteCounts,
  type ServerCounts,
} from './server-counts.js';
import { matchProcesses } from './server-processes.js';

/** What coderd itself counted between the two looks at it: plain data, also a part of evidence/server-latency.json. */
export interface ServerDelta {
  /** Of our clock, between the two looks. */
  readonly seconds: number;
  /** coderd processes that were seen, which are all there are. */
  readonly processes: number;
  /** By method and path, the most requests first. */
  readonly routes: readonly RouteCounts[];
}

export const SERVER_LATENCY_FILE = 'evidence/server-latency.json';

/** Server-sent events, and what agents wait on; their status says nothing. */
const STREAM = /\/(watch(-[a-z]+)*|reinit)$/;
/** Routes by which the gate itself looks at the server. */
const OWN_ROUTES = new Set(['/api/v2/debug/metrics', '/api/v2/replicas']);

/** From what was read before and after the load to what the server counted in between; of all replicas or not at all. */
export function serverDelta(observation: ServerObservation): ServerDelta | Unavailable {
  const { start, end } = observation;
  if (isUnavailable(start.pages))
    return isUnavailable(end.pages) ? worst(start.pages, end.pages) : start.pages;
  if (isUnavailable(end.pages)) return end.pages;
  const processes = matchProcesses(start.pages, end.pages);
  if (isUnavailable(processes)) return processes;
  if (processes.ended.length > 0) return lost();
  try {
    const counts: ServerCounts[] = [];
    for (const { before, after } of processes.running) {
      const between = countsOf(before, after);
      if (between === undefined) return lost();
      counts.push(between);
    }
    return {
      seconds: (Date.parse(end.takenAt) - Date.parse(start.takenAt)) / 1000,
      processes: counts.length,
      routes: inAll(counts),
    };
  } catch (thrown) {
    if (!(thrown instanceof ExpositionError)) throw thrown;
    return failed(`the server's metrics cannot be read: ${messageOf(thrown)}`);
  }
}

const lost = (): Unavailable =>
  skipped('coderd began anew during the load, and what it had counted until then is lost');

/** A process that began in between has counted all of it since. */
function countsOf(before: ServerPage | undefined, after: ServerPage): ServerCounts | undefined {
  return countsBetween(
    before === undefined ? new Map<string, RouteCounts>() : readServerCounts(before.text),
    readServerCounts(after.text),
  );
}

function inAll(counts: readonly ServerCounts[]): readonly RouteCounts[] {
  const keys = new Set(counts.flatMap((one) => [...one.keys()]));
  return [...keys]
    .flatMap((key) => {
      const same = counts.flatMap((one) => one.get(key) ?? []);
      const [first] = same;
      if (first === undefined) return [];
      const { method, path } = first;
      return [
        {
          method,
          path,
          latency: sumLatencies(same.map(({ latency }) => latency)),
          codes: sumCodes(same.map(({ codes }) => codes)),
        },
      ];
    })
    .sort((a, b) => requestsOf(b) - requestsOf(a) || (a.path < b.path ? -1 : 1));
}

/** How many requests a route has answered, WebSockets among them. */
export const requestsOf = ({ codes }: Pick<RouteCounts, 'codes'>): number =>
  Object.values(codes).reduce((sum, count) => sum + count, 0);

/** Requests that the server failed to answer well: a status of 500 or above. */
export const serverErrorsOf = ({ codes }: Pick<RouteCounts, 'codes'>): number =>
  Object.entries(codes).reduce((sum, [code, count]) => (Number(code) >= 500 ? sum + count : sum), 0);

/** The routes of the API, without those by which the gate looks at the server. */
export const apiRoutes = ({ routes }: ServerDelta): readonly RouteCounts[] =>
  routes.filter(({ path }) => (path.startsWith('/api/') || path === 'UNKNOWN') && !OWN_ROUTES.has(path));

/** Connections that were taken over, and watches: they last as long as the client wants, so their durations are no latencies. */
export const isStream = ({ path, codes }: Pick<RouteCounts, 'path' | 'codes'>): boolean =>
  '0' in codes || '101' in codes || STREAM.test(path);

/** Those of the API's routes that answer at once. */
export const answeringRoutes = (delta: ServerDelta): readonly RouteCounts[] =>
  apiRoutes(delta).filter((route) => route.latency.total > 0 && !isStream(route));
