import type { LoadResult, LoadSeries } from '../../src/load/load-types.js';

/** A route's calls in one phase; `latency` in milliseconds. */
export function seriesOf(
  route: string,
  latency: readonly number[],
  changes: Partial<LoadSeries> & { readonly failed?: number } = {},
): LoadSeries {
  const { failed = 0, ...others } = changes;
  const none = { kind: 'samples', values: [], failed: 0 } as const;
  return {
    route,
    method: 'GET',
    pattern: `/api/v2/${route}`,
    phase: 'dashboard',
    warmUp: false,
    pool: true,
    latency: { kind: 'samples', values: [...latency].sort((a, b) => a - b), failed },
    throttled: 0,
    failures: failed === 0 ? {} : { 'status 500': failed },
    sendLag: none,
    connectionWait: none,
    ...others,
  };
}

/** A load of 50 users for a minute that went well. */
export function loadResultOf(series: readonly LoadSeries[], changes: Partial<LoadResult> = {}): LoadResult {
  const sum = (of: (one: LoadSeries) => number): number => series.reduce((total, one) => total + of(one), 0);
  const answered = ({ latency }: LoadSeries): number =>
    latency.kind === 'samples' ? latency.values.length : 0;
  return {
    version: 1,
    mix: 'test-mix',
    seed: 1,
    users: 50,
    usersSeen: 50,
    startedAt: '2026-01-05T06:00:00.000Z',
    plannedMs: 60_000,
    elapsedMs: 60_500,
    aborted: false,
    phases: [
      { name: 'create', fromMs: 0 },
      { name: 'dashboard', fromMs: 20_000 },
    ],
    series,
    calls: {
      ok: sum(answered),
      failed: sum(({ latency }) => latency.failed),
      throttled: sum(({ throttled }) => throttled),
      leftOut: 0,
      unfinished: 0,
      resent: 0,
    },
    sockets: { opened: 50, drops: 0, refused: 0, openAtEnd: 50, reasons: {} },
    rateLimits: [],
    health: {
      sendLagP99Ms: 1,
      sendLagMaxMs: 3,
      eventLoopLagP99Ms: 1,
      eventLoopLagMaxMs: 4,
      cpuShare: 0.1,
      largestBacklog: 1,
      connectionWaitP99Ms: 1,
    },
    ...changes,
  };
}

export const upTo = (n: number): number[] => Array.from({ length: n }, (_none, index) => index + 1);
