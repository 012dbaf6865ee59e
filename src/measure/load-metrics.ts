import { Distribution, orderedValues } from '../load/recorder.js';
import type { LoadResult, LoadSeries } from '../load/load-types.js';
import type { Seconds } from '../units.js';
import type { Metric, SampleMetric } from './metric.js';
import { COVERAGE } from './coverage.js';

/** What the virtual users left behind. */
export interface LoadEvidence {
  readonly result: LoadResult;
  /** What kept users from coming. */
  readonly problems: readonly string[];
  /** How long they had to be there. */
  readonly planned: Seconds;
}

export const LOAD_FILE = 'evidence/api-load.json';
const BASELINE = 'buildinfo';
/** Of the calls that were due; beyond it the load was another one than planned. */
const MOST_THROTTLED = 0.05;

/** Calls that the verdict is about: of the pool, and not of a user's first visit. */
export const isJudged = ({ pool, warmUp }: LoadSeries): boolean => pool && !warmUp;

/** Why the load says nothing; undefined when it can be judged. */
export function loadProblem({ result, problems, planned }: LoadEvidence): string | undefined {
  const because = problems[0] === undefined ? '' : `: ${problems[0]}`;
  if (result.usersSeen < result.users * COVERAGE)
    return `dashboard: only ${result.usersSeen} of ${result.users} virtual users came; at least ${COVERAGE * 100} % are needed${because}`;
  if (result.elapsedMs < planned * 1000 * COVERAGE)
    return `dashboard: the load ended after ${Math.round(result.elapsedMs / 1000)} of ${planned} s`;
  if (!result.series.some((series) => isJudged(series) && counted(series) > 0))
    return 'dashboard: no call of the API load was answered or failed';
  return undefined;
}

/** All metrics of the API load. `names`: every one that has to be there. */
export function loadMetrics(
  evidence: LoadEvidence | { readonly unusable: string },
  names: readonly string[],
): readonly Metric[] {
  const problem = 'unusable' in evidence ? evidence.unusable : loadProblem(evidence);
  if ('unusable' in evidence || problem !== undefined)
    return names.map((name) => ({ name, shape: 'missing', reason: problem ?? 'not measured' }));
  const { series } = evidence.result;
  const judged = series.filter(isJudged);
  const origin = originOf(evidence.result);
  const delay = { ownDelay: ownDelay(evidence.result) };
  const latency = merged(judged);
  const routes = new Map(
    [...judged, ...series.filter(({ route, warmUp }) => route === BASELINE && !warmUp)].map(({ route }) => [
      `api.latency.${route}`,
      route,
    ]),
  );
  const measured: readonly Metric[] = [
    { ...origin, ...delay, name: 'api.latency', ...samplesOf(latency) },
    {
      ...origin,
      name: 'api.success_rate',
      shape: 'ratio',
      good: latency.count - latency.failed,
      total: latency.count,
    },
    {
      name: 'api.throttled',
      phase: origin.phase,
      source: origin.source,
      evidence: origin.evidence,
      shape: 'count',
      value: series.reduce((sum, { throttled }) => sum + throttled, 0),
    },
    ...[...routes].map(([name, route]): Metric => {
      const own = series.filter((one) => one.route === route && !one.warmUp);
      return { ...origin, ...delay, name, ...samplesOf(merged(own)) };
    }),
  ];
  const missing = names.filter((name) => !measured.some((metric) => metric.name === name));
  return [
    ...measured,
    ...missing.map((name): Metric => ({ name, shape: 'missing', reason: `${name} was not called` })),
  ];
}

/** The latencies of several series as one distribution. */
export function merged(series: readonly Pick<LoadSeries, 'latency'>[]): Distribution {
  return Distribution.merged(series.map(({ latency }) => latency));
}

/** Calls that were answered or failed. */
const counted = (series: LoadSeries): number => merged([series]).count;

function originOf(result: LoadResult) {
  const doubt = result.health.saturated ?? throttledTooMuch(result);
  return {
    phase: result.phases.map(({ name }) => name).join(', '),
    source: 'load',
    evidence: [LOAD_FILE],
    ...(doubt !== undefined && { doubt }),
  } as const;
}

/** Calls are sent late by the first, and answers noticed late by the second: for all but one in a hundred. */
const ownDelay = ({ health }: LoadResult): number => (health.sendLagP99Ms + health.eventLoopLagP99Ms) / 1000;

function throttledTooMuch({ calls }: LoadResult): string | undefined {
  const due = calls.ok + calls.failed + calls.throttled;
  if (calls.throttled <= due * MOST_THROTTLED) return undefined;
  return `the rate limiter refused ${calls.throttled} of ${due} calls, so the deployment had less load than planned`;
}

/** From milliseconds to seconds, to a microsecond. */
function samplesOf(distribution: Distribution): Pick<SampleMetric, 'shape' | 'unit' | 'samples' | 'failed'> {
  return {
    shape: 'samples',
    unit: 'seconds',
    samples: orderedValues(distribution.data()).map((value) => Math.round(value * 1e3) / 1e6),
    failed: distribution.failed,
  };
}
