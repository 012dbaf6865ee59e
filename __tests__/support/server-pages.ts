import type {
  Replica,
  ServerObservation,
  ServerPage,
  ServerSnapshot,
  Unavailable,
} from '../../src/server-evidence.js';

export const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10, 30];

export interface RouteOnPage {
  readonly method?: string;
  readonly path: string;
  /** Seconds, one a request. */
  readonly latencies?: readonly number[];
  /** Without it, every request was answered with 200. */
  readonly codes?: Readonly<Record<string, number>>;
}

/** A page in coderd's words. */
export function pageText(routes: readonly RouteOnPage[]): string {
  const lines = routes.flatMap(({ method = 'GET', path, latencies = [], codes }) => {
    const labels = `method="${method}",path="${path}"`;
    const name = 'coderd_api_request_latencies_seconds';
    const upTo = (bound: number): number => latencies.filter((value) => value <= bound).length;
    const histogram =
      latencies.length === 0
        ? []
        : [
            ...BOUNDS.map((bound) => `${name}_bucket{${labels},le="${bound}"} ${upTo(bound)}`),
            `${name}_bucket{${labels},le="+Inf"} ${latencies.length}`,
            `${name}_sum{${labels}} ${latencies.reduce((sum, value) => sum + value, 0)}`,
            `${name}_count{${labels}} ${latencies.length}`,
          ];
    const answered = Object.entries(codes ?? { 200: latencies.length }).map(
      ([code, count]) => `coderd_api_requests_processed_total{code="${code}",${labels}} ${count}`,
    );
    return [...histogram, ...answered];
  });
  return lines.map((line) => `${line}\n`).join('');
}

export const BEFORE = '2026-01-05T06:00:00.000Z';
export const AFTER = '2026-01-05T06:01:00.000Z';
const seconds = (time: string): number => Date.parse(time) / 1000;
/** Long before the load. */
export const OLD = seconds(BEFORE) - 3600;
/** In the middle of it. */
export const YOUNG = seconds(BEFORE) + 30;

export function serverPage(
  routes: readonly RouteOnPage[],
  { processStart, source = 'GET /api/v2/debug/metrics' }: { processStart?: number; source?: string } = {},
): ServerPage {
  return {
    source,
    answeredAt: BEFORE,
    ...(processStart !== undefined && { processStart }),
    text: pageText(routes),
  };
}

const replica = (id: string): Replica => ({ id, hostname: `coder-${id}`, createdAt: BEFORE });

/** @param replicas ids; none: a build that has no list. */
export function snapshot(
  pages: readonly ServerPage[] | Unavailable,
  replicas: readonly string[] | Unavailable = [],
  takenAt = BEFORE,
): ServerSnapshot {
  if ('unavailable' in replicas) return { takenAt, pages, replicas };
  return {
    takenAt,
    pages,
    replicas:
      replicas.length === 0 ? { kind: 'single' } : { kind: 'listed', replicas: replicas.map(replica) },
  };
}

export const observation = (
  start: readonly ServerPage[] | Unavailable,
  end: readonly ServerPage[] | Unavailable,
  replicas: readonly [start: readonly string[] | Unavailable, end: readonly string[] | Unavailable] = [
    [],
    [],
  ],
): ServerObservation => ({
  start: snapshot(start, replicas[0]),
  end: snapshot(end, replicas[1], AFTER),
});
