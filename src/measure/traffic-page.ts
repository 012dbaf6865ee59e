import { histogramsOf, parseExposition, type Exposition } from './exposition.js';
import { sumSeries, type Histogram } from './histogram-sum.js';
import { readable } from './metrics-page.js';

const FAMILY = 'coderd_scaletest';
const NAME_LABEL = 'workspace_name';

/** What the metrics page of workspace-traffic says, all workspaces together. */
export interface TrafficPage {
  readonly workspaces: ReadonlySet<string>;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Workspaces of which a connection was closed abnormally while reading or writing. */
  readonly withErrors: ReadonlySet<string>;
  readonly readLatency: Histogram;
  readonly writeLatency: Histogram;
}

/** What a page tells, for the log of a run; undefined when it is none of workspace-traffic. */
export function describeTrafficPage(text: string): string | undefined {
  const page = readable(() => readTrafficPage(text));
  if ('unusable' in page || page.workspaces.size === 0) return undefined;
  const { workspaces, bytesRead, bytesWritten } = page;
  return `${workspaces.size} workspaces, ${megabytes(bytesWritten)} MB written and ${megabytes(bytesRead)} MB read`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** @throws ExpositionError for a page that cannot be read. */
export function readTrafficPage(text: string): TrafficPage {
  const page = parseExposition(text);
  const ofFamily = (name: string) => page.samples.filter((sample) => sample.name === `${FAMILY}_${name}`);
  const sum = (name: string): number => ofFamily(name).reduce((all, { value }) => all + value, 0);
  const names = (samples: Exposition['samples']): string[] =>
    samples.flatMap(({ labels }) => labels[NAME_LABEL] ?? []);
  const errors = [...ofFamily('read_errors_total'), ...ofFamily('write_errors_total')];
  return {
    workspaces: new Set(names(ofFamily('bytes_read_total'))),
    bytesRead: sum('bytes_read_total'),
    bytesWritten: sum('bytes_written_total'),
    withErrors: new Set(names(errors.filter(({ value }) => value > 0))),
    readLatency: latencies(page, 'read_latency_seconds'),
    writeLatency: latencies(page, 'write_latency_seconds'),
  };
}

/** All workspaces together. Each run first records an artificial 0 s, which is in every bucket and is taken out again. */
function latencies(page: Exposition, name: string): Histogram {
  const series = histogramsOf(page, `${FAMILY}_${name}`);
  const artificial = series.filter(({ buckets }) => (buckets[0]?.count ?? 0) > 0).length;
  const { buckets, total, sum } = sumSeries(series, name);
  return {
    buckets: buckets.map(({ upTo, count }) => ({ upTo, count: count - artificial })),
    total: total - artificial,
    sum,
  };
}
