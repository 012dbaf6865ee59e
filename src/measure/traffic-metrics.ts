import type { ObservedWorkspaces } from '../evidence.js';
import { trafficMetricNames } from '../plan/metric-names.js';
import type { Seconds } from '../units.js';
import type { Histogram } from './histogram-sum.js';
import type { BucketMetric, Metric } from './metric.js';
import { readable, type MetricsPage, type Unusable } from './metrics-page.js';
import { countRuns, hasPassed, type RunRecord, type Runs, type TransferredBytes } from './run-table.js';
import { readTrafficPage, type TrafficPage } from './traffic-page.js';
import { COVERAGE } from './coverage.js';

/** What workspace-traffic left behind. */
export interface TrafficEvidence {
  /** The workspaces that were made with an agent, which all have to get traffic; or why nobody knows. */
  readonly expected: number | Unusable;
  readonly bytesPerTick: number;
  readonly tickInterval: Seconds;
  /** How long each run sends. */
  readonly duration: Seconds;
  /** Whether what is written comes back, as a terminal does it; an app may only swallow it. */
  readonly echoes: boolean;
  readonly runs: Runs | Unusable;
  /** Where the result file without its logs is kept. */
  readonly evidence: string;
  /** The suite's own metrics page. */
  readonly page: MetricsPage | Unusable;
}

const PHASE = 'traffic';
/** A run that passed in less of its time lost its connection: up to v2.31 the CLI lets such runs pass. */
const WHOLE_RUN = 0.98;
/** Short runs are mostly connecting and closing, so the clock's grain must not make drops of them. */
const RUN_GRAIN_MS = 500;

/** Why the suite's runs say nothing; undefined when they can be judged. */
export function trafficProblem({ expected, runs }: TrafficEvidence): string | undefined {
  const suite = 'workspace-traffic';
  if ('unusable' in runs) return runs.unusable;
  if (runs.length === 0) return `${suite}: no workspace got traffic, although the CLI found nothing wrong`;
  if (typeof expected !== 'number')
    return `${suite}: how many workspaces had to get traffic is not known: ${expected.unusable}`;
  if (runs.length < expected * COVERAGE)
    return `${suite}: only ${runs.length} of ${expected} workspaces got traffic; at least ${COVERAGE * 100} % are needed`;
  return undefined;
}

/** All metrics of the suite workspace-traffic. */
export function trafficMetrics(
  evidence: TrafficEvidence,
  observation: ObservedWorkspaces | Unusable,
): readonly Metric[] {
  const problem = trafficProblem(evidence);
  const { runs, expected } = evidence;
  if (problem !== undefined || 'unusable' in runs || typeof expected !== 'number')
    return trafficMetricNames(0).map(({ name }) => ({
      name,
      shape: 'missing',
      reason: problem ?? 'not measured',
    }));
  const measured = { evidence, runs, total: Math.max(expected, runs.length) };
  const page = usablePage(evidence, runs, observation);
  return [
    ...connectionMetrics(measured, page),
    ...throughputMetrics(measured, page),
    latencyMetric('read_latency', page),
    latencyMetric('write_latency', page),
  ];
}

interface Measured {
  readonly evidence: TrafficEvidence;
  readonly runs: Runs;
  /** How many workspaces had to get traffic. */
  readonly total: number;
}

type UsablePage = { readonly content: TrafficPage; readonly page: MetricsPage };

const metricName = (metric: string): string => `workspace_traffic.${metric}`;

function endedEarly({ duration }: RunRecord, planned: Seconds): boolean {
  return duration < Math.min(planned * 1000 * WHOLE_RUN, planned * 1000 - RUN_GRAIN_MS);
}

/** Which connections held. A workspace that the CLI left out, warning only on stderr, did not. */
function connectionMetrics({ evidence, runs, total }: Measured, page: UsablePage | Unusable): Metric[] {
  const dropped = countRuns(runs, (run) => !hasPassed(run) || endedEarly(run, evidence.duration));
  const withErrors = 'unusable' in page ? 0 : page.content.withErrors.size;
  const origin = { phase: PHASE, source: 'cli-result', evidence: [evidence.evidence] } as const;
  return [
    {
      ...origin,
      name: metricName('success_rate'),
      shape: 'ratio',
      good: runs.length - dropped,
      total,
    },
    {
      ...origin,
      name: metricName('drop_rate'),
      ...(!('unusable' in page) && { evidence: [evidence.evidence, page.page.evidence] }),
      shape: 'ratio',
      // The page names workspaces and the file runs, mostly of the same connections: the greater number is shown.
      good: Math.min(runs.length, Math.max(dropped, withErrors)),
      total: runs.length,
    },
  ];
}

/**
 * What got through, by what was asked for: all workspaces for the whole duration. Of a terminal, which gives back all
 * that it gets, the lesser of written and read counts, so that bytes that only left the client count for nothing.
 */
function throughputMetrics({ evidence, runs, total }: Measured, page: UsablePage | Unusable): Metric[] {
  const transferred = transferredBytes(runs, page);
  const names = ['throughput', 'throughput_ratio'].map(metricName);
  if ('unusable' in transferred)
    return names.map((name) => ({ name, shape: 'missing', reason: transferred.unusable }));
  const { read, written, ...source } = transferred;
  const through = evidence.echoes ? Math.min(read, written) : written;
  const seconds = evidence.duration;
  const target = (evidence.bytesPerTick / evidence.tickInterval) * seconds * total;
  const origin = {
    phase: PHASE,
    source: source.source,
    evidence: [source.source === 'cli-result' ? evidence.evidence : source.evidence],
    shape: 'value',
  } as const;
  return [
    { ...origin, name: metricName('throughput'), unit: 'bytes_per_second', value: through / seconds },
    { ...origin, name: metricName('throughput_ratio'), unit: 'ratio', value: through / target },
  ];
}

type Transferred = { readonly read: number; readonly written: number } & (
  { readonly source: 'cli-result' } | { readonly source: 'cli-prometheus'; readonly evidence: string }
);

const bytesOf = (runs: Runs): readonly TransferredBytes[] =>
  Array.from(runs, ({ bytes }) => bytes ?? []).flat();

/** From the result file; before v2.24 from the page, when it was read after the last byte. */
function transferredBytes(runs: Runs, page: UsablePage | Unusable): Transferred | Unusable {
  const bytes = bytesOf(runs);
  if (bytes.length > 0)
    return {
      source: 'cli-result',
      read: bytes.reduce((sum, { read }) => sum + read, 0),
      written: bytes.reduce((sum, { written }) => sum + written, 0),
    };
  const old = 'workspace-traffic: the result file has no bytes (CLIs before v2.24 write none)';
  if ('unusable' in page) return { unusable: `${old}, and ${page.unusable}` };
  if (!page.page.isFinal)
    return { unusable: `${old}, and the metrics page could not be read after the traffic had ended` };
  return {
    source: 'cli-prometheus',
    evidence: page.page.evidence,
    read: page.content.bytesRead,
    written: page.content.bytesWritten,
  };
}

function latencyMetric(metric: 'read_latency' | 'write_latency', page: UsablePage | Unusable): Metric {
  const name = metricName(metric);
  if ('unusable' in page) return { name, shape: 'missing', reason: `workspace-traffic: ${page.unusable}` };
  const latencies: Histogram =
    metric === 'read_latency' ? page.content.readLatency : page.content.writeLatency;
  const buckets: BucketMetric = {
    name,
    phase: PHASE,
    source: 'cli-prometheus',
    evidence: [page.page.evidence],
    shape: 'buckets',
    unit: 'seconds',
    ...latencies,
  };
  return buckets;
}

/** The page when it can be read, is this suite's own, and tells of nearly all of the traffic; else why not. */
function usablePage(
  { page }: TrafficEvidence,
  runs: Runs,
  observation: ObservedWorkspaces | Unusable,
): UsablePage | Unusable {
  if ('unusable' in page) return page;
  const content = readable(() => readTrafficPage(page.text));
  if ('unusable' in content) return content;
  const foreign = foreignPage(content, observation) ?? partialPage(content, runs, page);
  return foreign === undefined ? { content, page } : { unusable: foreign };
}

/** Where the port was taken the CLI goes on without a page, and another program answers there. */
function foreignPage(
  { workspaces }: TrafficPage,
  observation: ObservedWorkspaces | Unusable,
): string | undefined {
  if (workspaces.size === 0) return 'the metrics page tells of no workspace';
  if ('unusable' in observation) return undefined;
  const own = new Set(observation.workspaces.map(({ name }) => name));
  const others = [...workspaces].filter((name) => !own.has(name));
  return others.length === 0
    ? undefined
    : `the metrics page at the suite's port is another program's: it tells of ${others[0] ?? ''}, which is no workspace of this run`;
}

/** A page that was last read long before the end, or another run's on the same workspaces. */
function partialPage(
  { bytesRead, bytesWritten }: TrafficPage,
  runs: Runs,
  { isFinal }: MetricsPage,
): string | undefined {
  const bytes = bytesOf(runs);
  const inFile = bytes.reduce((sum, { read, written }) => sum + read + written, 0);
  if (bytes.length === 0)
    return isFinal ? undefined : 'the metrics page could not be read after the traffic had ended';
  const onPage = bytesRead + bytesWritten;
  if (onPage >= inFile * COVERAGE && onPage <= inFile / COVERAGE) return undefined;
  return `the metrics page tells of ${onPage} bytes, but the result file of ${inFile}`;
}
