import { messageOf } from '../errors.js';
import {
  failed,
  isUnavailable,
  SERVER_OBSERVATION_FILE,
  skipped,
  worst,
  type ServerObservation,
  type Unavailable,
} from '../server-evidence.js';
import { ExpositionError } from './exposition.js';
import type { CountMetric, MissingMetric } from './metric.js';
import { countsBetween, readServerCounts } from './server-counts.js';
import { matchProcesses } from './server-processes.js';

export const RESTARTS_METRIC = 'coderd.restarts';

/**
 * How many coderd processes that were there before the load ended until after it. Whichever source shows more counts: the
 * list of replicas, whose ids are drawn anew at each start, or the processes' own pages, by their start or by counters that
 * fell. One process that ended several times counts once.
 */
export function restartMetric(observation: ServerObservation): CountMetric | MissingMetric {
  const byList = endedInList(observation);
  const byPages = endedByPages(observation);
  if (typeof byList === 'object' && typeof byPages === 'object') return unseen(worst(byPages, byList));
  return {
    name: RESTARTS_METRIC,
    shape: 'count',
    value: Math.max(countOr0(byList), countOr0(byPages)),
    phase: 'load',
    source: 'server-metrics',
    evidence: [SERVER_OBSERVATION_FILE],
  };
}

/** Beside a source that does count. */
const countOr0 = (count: number | Unavailable): number => (typeof count === 'number' ? count : 0);

const unseen = ({ unavailable, reason }: Unavailable): MissingMetric => ({
  name: RESTARTS_METRIC,
  shape: 'missing',
  reason: `whether coderd began anew cannot be seen: ${reason}`,
  ...(unavailable === 'skipped' && { skipped: true }),
});

function endedInList({ start, end }: ServerObservation): number | Unavailable {
  if (isUnavailable(start.replicas)) return start.replicas;
  if (isUnavailable(end.replicas)) return end.replicas;
  if (start.replicas.kind === 'single' || end.replicas.kind === 'single')
    return skipped('the server has no list of its replicas');
  const there = new Set(end.replicas.replicas.map(({ id }) => id));
  return start.replicas.replicas.filter(({ id }) => !there.has(id)).length;
}

function endedByPages({ start, end }: ServerObservation): number | Unavailable {
  if (isUnavailable(start.pages))
    return isUnavailable(end.pages) ? worst(start.pages, end.pages) : start.pages;
  if (isUnavailable(end.pages)) return end.pages;
  const processes = matchProcesses(start.pages, end.pages);
  if (isUnavailable(processes)) return processes;
  try {
    const reset = processes.running.filter(
      ({ before, after }) =>
        before !== undefined &&
        countsBetween(readServerCounts(before.text), readServerCounts(after.text)) === undefined,
    );
    return processes.ended.length + reset.length;
  } catch (thrown) {
    if (!(thrown instanceof ExpositionError)) throw thrown;
    return failed(`the server's metrics cannot be read: ${messageOf(thrown)}`);
  }
}

/** Which processes ended, and when which began since, as far as they have a name or a start; undefined where none ended. */
export function describeRestarts(observation: ServerObservation): string | undefined {
  const metric = restartMetric(observation);
  if (metric.shape !== 'count' || metric.value === 0) return undefined;
  const began = new Set([...begunInList(observation), ...begunByPages(observation)]);
  const processes = metric.value === 1 ? 'One coderd process' : `${metric.value} coderd processes`;
  return `${processes} ended during the load${began.size === 0 ? '' : `; since then began: ${[...began].join(', ')}`}`;
}

function begunInList({ start, end }: ServerObservation): readonly string[] {
  if (isUnavailable(start.replicas) || isUnavailable(end.replicas)) return [];
  if (start.replicas.kind === 'single' || end.replicas.kind === 'single') return [];
  const before = new Set(start.replicas.replicas.map(({ id }) => id));
  return end.replicas.replicas
    .filter(({ id }) => !before.has(id))
    .map(({ hostname, createdAt }) => `${hostname} at ${createdAt}`);
}

/** Only where the list does not tell already. */
function begunByPages({ start, end }: ServerObservation): readonly string[] {
  if (isUnavailable(start.pages) || isUnavailable(end.pages)) return [];
  if (!isUnavailable(end.replicas) && end.replicas.kind === 'listed') return [];
  const processes = matchProcesses(start.pages, end.pages);
  if (isUnavailable(processes)) return [];
  return processes.running.flatMap(({ before, after: { processStart, source } }) =>
    before === undefined && processStart !== undefined
      ? [`${source} at ${new Date(processStart * 1000).toISOString()}`]
      : [],
  );
}
