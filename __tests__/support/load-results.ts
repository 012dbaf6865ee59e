import type { LoadResult, LoadSeries } from '../../src/load/load-types.js';
import type { DistributionData } from '../../src/load/recorder.js';

export const samplesOf = (values: readonly number[], failed = 0): DistributionData => ({
  kind: 'samples',
  values: [...values].sort((a, b) => a - b),
  failed,
});

/** @param latencies in milliseconds. */
export function seriesOf(
  latencies: readonly number[],
  { failed = 0, ...changes }: Partial<LoadSeries> & { readonly failed?: number } = {},
): LoadSeries {
  return {
    route: 'users-me',
    method: 'GET',
    pattern: '/api/v2/users/me',
    phase: 'dashboard',
    warmUp: false,
    pool: true,
    latency: samplesOf(latencies, failed),
    throttled: 0,
    failures: {},
    sendLag: samplesOf([]),
    connectionWait: samplesOf(latencies.map(() => 0)),
    ...changes,
  };
}

export function loadResultOf(series: readonly LoadSeries[]): LoadResult {
  return {
    version: 1,
    mix: 'test',
    seed: 1,
    users: 1,
    startedAt: '2026-01-05T06:00:00.000Z',
    plannedMs: 60_000,
    elapsedMs: 60_000,
    aborted: false,
    series,
    calls: { ok: 0, failed: 0, throttled: 0, leftOut: 0, unfinished: 0, resent: 0 },
    sockets: { opened: 0, drops: 0, refused: 0, openAtEnd: 0, reasons: {} },
    rateLimits: [],
    health: {
      sendLagP99Ms: 0,
      sendLagMaxMs: 0,
      eventLoopLagP99Ms: 0,
      eventLoopLagMaxMs: 0,
      cpuShare: 0,
      largestBacklog: 0,
      connectionWaitP99Ms: 0,
    },
  };
}
