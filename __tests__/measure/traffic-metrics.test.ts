import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/measure/metric.js';
import { readResultFile } from '../../src/measure/result-file.js';
import type { RunRecord } from '../../src/measure/run-table.js';
import { describeTrafficPage, readTrafficPage } from '../../src/measure/traffic-page.js';
import { trafficMetrics, trafficProblem, type TrafficEvidence } from '../../src/measure/traffic-metrics.js';
import { trafficMetricNames } from '../../src/plan/metric-names.js';
import { milliseconds, seconds } from '../../src/units.js';
import { workspaceOf } from '../support/observed.js';
import { readerOf } from '../support/result-documents.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

explainSkip('recorded traffic');

const TICKS = 100;
const BYTES = TICKS * 1024;

function runOf(index: number, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: `workspace-traffic/${index}`,
    startedAt: new Date('2026-01-05T06:00:00Z'),
    duration: milliseconds(10_050),
    bytes: { read: BYTES + TICKS, written: BYTES },
    ...changes,
  };
}
const runs = (count: number): RunRecord[] => Array.from({ length: count }, (_, index) => runOf(index));
const withoutBytes = ({ id, startedAt, duration }: RunRecord): RunRecord => ({ id, startedAt, duration });

/** The page of some workspaces: 1 read of 11 in the first bucket is the artificial one. */
function pageText(names: readonly string[], changes: { errors?: number; bytes?: number } = {}): string {
  const { errors = 0, bytes = BYTES } = changes;
  const lines = (family: string, type: string, of: (labels: string) => readonly string[]): string =>
    `# HELP coderd_scaletest_${family} \n# TYPE coderd_scaletest_${family} ${type}\n${names
      .flatMap((name) => of(`agent_name="main",username="u",workspace_name="${name}"`))
      .map((line) => `coderd_scaletest_${family}${line}\n`)
      .join('')}`;
  const histogram = (labels: string): string[] => [
    `_bucket{${labels},le="0.005"} 1`,
    `_bucket{${labels},le="0.1"} 61`,
    `_bucket{${labels},le="0.25"} 101`,
    `_bucket{${labels},le="+Inf"} 101`,
    `_sum{${labels}} 8`,
    `_count{${labels}} 101`,
  ];
  return [
    lines('bytes_read_total', 'counter', (labels) => [`{${labels}} ${bytes + TICKS}`]),
    lines('bytes_written_total', 'counter', (labels) => [`{${labels}} ${bytes}`]),
    lines('read_errors_total', 'counter', (labels) => [`{${labels}} ${errors}`]),
    lines('read_latency_seconds', 'histogram', histogram),
    lines('write_errors_total', 'counter', (labels) => [`{${labels}} 0`]),
    lines('write_latency_seconds', 'histogram', histogram),
  ].join('');
}

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `scaletest-w-${index}`);
const PAGE = 'evidence/workspace-traffic.metrics.txt';
const pageOf = (text: string, isFinal = true) => ({ text, isFinal, evidence: PAGE });

function evidenceOf(changes: Partial<TrafficEvidence> = {}): TrafficEvidence {
  return {
    expected: 20,
    bytesPerTick: 1024,
    tickInterval: seconds(0.1),
    duration: seconds(10),
    echoes: true,
    runs: runs(20),
    evidence: 'evidence/workspace-traffic.json',
    page: pageOf(pageText(names(20))),
    ...changes,
  };
}
const observed = (count: number) => ({
  observedAt: '2026-01-05T06:10:00Z',
  workspaces: names(count).map((name) => workspaceOf({}, { name })),
});
const metricsOf = (changes: Partial<TrafficEvidence> = {}): readonly Metric[] =>
  trafficMetrics(evidenceOf(changes), observed(20));
const metric = (metrics: readonly Metric[], name: string): Metric | undefined =>
  metrics.find((one) => one.name === `workspace_traffic.${name}`);

describe('traffic that went well', () => {
  const metrics = metricsOf();

  it('has a success rate and a drop rate', () => {
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 20, total: 20, source: 'cli-result' });
    expect(metric(metrics, 'drop_rate')).toMatchObject({ good: 0, total: 20 });
  });

  it('has the bytes that came back, a second and of those that were to be sent', () => {
    expect(metric(metrics, 'throughput')).toMatchObject({
      shape: 'value',
      unit: 'bytes_per_second',
      value: (20 * BYTES) / 10,
      evidence: ['evidence/workspace-traffic.json'],
    });
    expect(metric(metrics, 'throughput_ratio')).toMatchObject({ unit: 'ratio', value: 1 });
  });

  it('has latencies of all workspaces together, without the artificial sample of each', () => {
    expect(metric(metrics, 'read_latency')).toMatchObject({
      shape: 'buckets',
      source: 'cli-prometheus',
      evidence: [PAGE],
      buckets: [
        { upTo: 0.005, count: 0 },
        { upTo: 0.1, count: 20 * 60 },
        { upTo: 0.25, count: 20 * 100 },
      ],
      total: 20 * 100,
      sum: 20 * 8,
    });
  });
});

describe('runs', () => {
  it('of which the CLI left out a workspace count it as failed', () => {
    const metrics = metricsOf({ runs: runs(19) });
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 19, total: 20 });
    expect(metric(metrics, 'throughput_ratio')).toMatchObject({ value: 0.95 });
  });

  it('that failed are drops', () => {
    const metrics = metricsOf({ runs: [...runs(19), runOf(19, { error: 'zero bytes read from agent' })] });
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 19, total: 20 });
    expect(metric(metrics, 'drop_rate')).toMatchObject({ good: 1, total: 20 });
  });

  it.each([
    [5000, 1],
    [9499, 1],
    [9500, 0],
    [10_000, 0],
    [45_000, 0],
  ])('that passed after %d ms of 10 s: %d drops', (duration, drops) => {
    const metrics = metricsOf({ runs: [...runs(19), runOf(19, { duration: milliseconds(duration) })] });
    expect(metric(metrics, 'drop_rate')).toMatchObject({ good: drops });
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 20 - drops });
  });

  it('whose connections had errors by the page are drops', () => {
    const metrics = metricsOf({ page: pageOf(pageText(names(20), { errors: 2 })) });
    expect(metric(metrics, 'drop_rate')).toMatchObject({ good: 20, total: 20 });
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 20 });
  });

  it('of more workspaces than were made are all judged', () => {
    const metrics = metricsOf({ expected: 19 });
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 20, total: 20 });
  });
});

describe('the lesser of what was written and read', () => {
  const swallowed = runs(20).map((run) => ({ ...run, bytes: { read: 10, written: BYTES } }));

  it('counts where everything comes back', () => {
    const page = pageOf(pageText(names(20)));
    expect(metric(metricsOf({ runs: swallowed, page }), 'throughput')).toMatchObject({ value: 20 });
  });

  it('does not where an app may swallow it', () => {
    const metrics = metricsOf({ runs: swallowed, echoes: false });
    expect(metric(metrics, 'throughput_ratio')).toMatchObject({ value: 1 });
  });
});

describe('no numbers', () => {
  it.each<[string, Partial<TrafficEvidence>, RegExp]>([
    ['without a usable result file', { runs: { unusable: 'no file' } }, /^no file$/],
    ['of zero runs', { runs: [] }, /no workspace got traffic/],
    ['below 95 %', { runs: runs(18) }, /only 18 of 20 workspaces got traffic; at least 95 % are needed/],
    [
      'when nobody knows how many were to get traffic',
      { expected: { unusable: 'no answer' } },
      /how many workspaces had to get traffic is not known: no answer/,
    ],
  ])('%s', (_, changes, reason) => {
    expect(trafficProblem(evidenceOf(changes))).toMatch(reason);
    const metrics = metricsOf(changes);
    expect(metrics.map(({ name }) => name).sort()).toEqual(
      trafficMetricNames(20)
        .map(({ name }) => name)
        .sort(),
    );
    for (const one of metrics) expect(one).toMatchObject({ shape: 'missing' });
  });

  it('of zero runs although all workspaces failed before', () => {
    expect(trafficProblem(evidenceOf({ expected: 0, runs: [] }))).toMatch(/no workspace got traffic/);
  });
});

describe('the metrics page', () => {
  const latency = (page: TrafficEvidence['page'], ofRuns = runs(20)) =>
    metric(metricsOf({ page, runs: ofRuns }), 'read_latency');

  it.each<[string, TrafficEvidence['page'], RegExp]>([
    [
      'is missing',
      { unusable: 'the metrics page is missing' },
      /^workspace-traffic: the metrics page is missing/,
    ],
    ['is garbage', pageOf('<html>\n'), /cannot be read: line 1/],
    ['is empty', pageOf(''), /tells of no workspace/],
    [
      'is another program’s',
      pageOf(pageText(['scaletest-other-0'])),
      /another program's: it tells of scaletest-other-0/,
    ],
    [
      'is of the middle',
      pageOf(pageText(names(20), { bytes: BYTES / 2 }), false),
      /tells of \d+ bytes, but the result file of \d+/,
    ],
    [
      'is of another run on the same workspaces',
      pageOf(pageText(names(20), { bytes: BYTES * 2 })),
      /tells of \d+ bytes, but/,
    ],
  ])('that %s gives no latency, and takes nothing from the rest', (_, page, reason) => {
    expect(latency(page)).toMatchObject({
      shape: 'missing',
      reason: expect.stringMatching(reason) as unknown,
    });
    expect(metric(metricsOf({ page }), 'success_rate')).toMatchObject({ good: 20, total: 20 });
    expect(metric(metricsOf({ page }), 'throughput_ratio')).toMatchObject({ value: 1 });
  });

  it('that was read just before the end is good enough', () => {
    expect(latency(pageOf(pageText(names(20), { bytes: BYTES * 0.97 }), false))).toMatchObject({
      shape: 'buckets',
    });
  });

  it('is taken as it is where the workspaces could not be read', () => {
    const metrics = trafficMetrics(evidenceOf(), { unusable: 'no answer' });
    expect(metric(metrics, 'read_latency')).toMatchObject({ shape: 'buckets' });
  });

  it('has the bytes that result files before v2.24 lack', () => {
    const metrics = metricsOf({ runs: runs(20).map(withoutBytes) });
    expect(metric(metrics, 'throughput')).toMatchObject({
      source: 'cli-prometheus',
      evidence: [PAGE],
      value: (20 * BYTES) / 10,
    });
  });

  it('of the middle has them not', () => {
    const metrics = metricsOf({ runs: runs(20).map(withoutBytes), page: pageOf(pageText(names(20)), false) });
    for (const name of ['throughput', 'throughput_ratio', 'read_latency'])
      expect(metric(metrics, name)).toMatchObject({
        shape: 'missing',
        reason: expect.stringMatching(/could not be read after the traffic had ended/) as unknown,
      });
  });

  it('is told in the log, and nothing else is', () => {
    expect(describeTrafficPage(pageText(names(3)))).toBe('3 workspaces, 0.3 MB written and 0.3 MB read');
    for (const text of ['', '<html>', 'up 1\n', '# TYPE x counter\nx 1\n'])
      expect(describeTrafficPage(text)).toBeUndefined();
  });
});

describe.runIf(hasRecordings)('recorded traffic', () => {
  const recorded = async (name: string) =>
    (await readResultFile(readerOf(new TextEncoder().encode(sharedText(`golden/${name}`)), 4096))).runs;
  const allOf = async (name: string, duration: number, page?: string) => {
    const evidence = evidenceOf({
      runs: await recorded(name),
      expected: (await recorded(name)).length,
      duration: seconds(duration),
      page: page === undefined ? { unusable: 'not recorded' } : pageOf(sharedText(`golden/${page}`)),
    });
    return trafficMetrics(evidence, { unusable: 'not recorded' });
  };

  it.each([
    ['v2.36.0/cli/workspace-traffic', 0.98],
    ['v2.36.0/cli/workspace-traffic-ssh', 0.95],
  ])('%s is measured in full', async (name, least) => {
    const metrics = await allOf(`${name}.json`, 12, `${name}.metrics-end.txt`);
    expect(metric(metrics, 'success_rate')).toMatchObject({ good: 14, total: 14 });
    expect(metric(metrics, 'drop_rate')).toMatchObject({ good: 0 });
    const share = metric(metrics, 'throughput_ratio');
    expect(share?.shape === 'value' ? share.value : 0).toBeGreaterThan(least);
    for (const latency of ['read_latency', 'write_latency'])
      expect(metric(metrics, latency)).toMatchObject({ shape: 'buckets' });
  });

  it('of v2.31.0 has bytes, of v2.21.3 none', async () => {
    const newer = await allOf('v2.31.0/cli/workspace-traffic.json', 8);
    expect(metric(newer, 'throughput')).toMatchObject({ value: (3 * 80_896) / 8 });
    const older = await allOf('v2.21.3/cli/workspace-traffic.json', 8);
    expect(metric(older, 'throughput')).toMatchObject({
      shape: 'missing',
      reason: expect.stringMatching(/before v2.24 write none\), and not recorded/) as unknown,
    });
    expect(metric(older, 'success_rate')).toMatchObject({ good: 3, total: 3 });
  });

  it('has the page’s sums in its file', async () => {
    const page = readTrafficPage(sharedText('golden/v2.36.0/cli/workspace-traffic.metrics-end.txt'));
    const bytes = [...(await recorded('v2.36.0/cli/workspace-traffic.json'))].map((run) => run.bytes);
    expect(page.bytesRead).toBe(bytes.reduce((sum, one) => sum + (one?.read ?? 0), 0));
    expect(page.bytesWritten).toBe(bytes.reduce((sum, one) => sum + (one?.written ?? 0), 0));
    // A write of each tick, and the one that the end of the run cut short; the artificial ones are out.
    expect(page.writeLatency.total).toBe(page.bytesWritten / 1024 + page.workspaces.size);
  });
});
