import type { LoadResult, LoadSeries } from '../../src/load/load-types.js';
import type { DistributionData } from '../../src/load/recorder.js';
import * as loads from './loads.js';

export const samplesOf = (values: readonly number[], failed = 0): DistributionData => ({
  kind: 'samples',
  values: [...values].sort((a, b) => a - b),
  failed,
});

/** A route that the recorded page has. @param latencies in milliseconds. */
export const seriesOf = (
  latencies: readonly number[],
  changes: Partial<LoadSeries> & { readonly failed?: number } = {},
): LoadSeries =>
  loads.seriesOf('users-me', latencies, {
    pattern: '/api/v2/users/me',
    failures: {},
    connectionWait: samplesOf(latencies.map(() => 0)),
    ...changes,
  });

export const loadResultOf = (series: readonly LoadSeries[]): LoadResult => loads.loadResultOf(series);
