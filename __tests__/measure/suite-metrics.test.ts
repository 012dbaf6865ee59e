import { describe, expect, it } from 'vitest';
import { parseGoDuration } from '../../src/measure/go-duration.js';
import type { Metric } from '../../src/measure/metric.js';
import { readResultFile } from '../../src/measure/result-file.js';
import type { RunRecord } from '../../src/measure/run-table.js';
import { describeSuitePage, suitePageMetrics } from '../../src/measure/suite-page.js';
import { suiteMetrics, suiteProblem, type SuiteEvidence } from '../../src/measure/suite-metrics.js';
import { milliseconds } from '../../src/units.js';
import { goDuration, parseGoDuration as simulatedParser } from '../../simulator/coder/cli/go-format.js';
import { readerOf } from '../support/result-documents.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

explainSkip('result files of the other suites');

const START = new Date('2026-01-05T06:00:00Z');

function runOf(changes: Partial<RunRecord> = {}): RunRecord {
  return { id: 's/0', startedAt: START, duration: milliseconds(2000), ...changes };
}

function evidenceOf(runs: SuiteEvidence['runs'], changes: Partial<SuiteEvidence> = {}): SuiteEvidence {
  const planned = 'unusable' in runs ? 2 : runs.length;
  return { suite: 's', planned, runs, evidence: 'evidence/s.json', notMeasured: [], ...changes };
}

const byName = (evidence: SuiteEvidence): Record<string, Metric> =>
  Object.fromEntries(suiteMetrics(evidence).map((metric) => [metric.name, metric]));

/** As the gate reads a recording. */
async function golden(name: string, planned: number, suite = name): Promise<Record<string, Metric>> {
  const bytes = new TextEncoder().encode(sharedText(`golden/v2.36.0/cli/${name}.json`));
  const { runs } = await readResultFile(readerOf(bytes, 4096));
  return byName({ suite, planned, runs, evidence: `evidence/${suite}.json`, notMeasured: [] });
}

describe.skipIf(!hasRecordings)('recordings of a real CLI', () => {
  it('autostart: its numbers are in its metrics, and it has no duration', async () => {
    const metrics = await golden('autostart', 2);
    expect(metrics).toMatchObject({
      'autostart.success_rate': { good: 2, total: 2 },
      'autostart.duration': { shape: 'missing' },
      'autostart.end_to_end_latency_seconds': {
        unit: 'seconds',
        samples: [142.260243425, 142.376203549],
        failed: 0,
      },
      'autostart.trigger_to_completion_seconds': { samples: [51.765591989, 51.881280581] },
    });
    // Names and ids are no numbers.
    expect(Object.keys(metrics)).toHaveLength(4);
  });

  it('bridge: Go’s durations are times', async () => {
    const metrics = await golden('bridge', 2);
    expect(metrics['bridge.avg_duration']).toMatchObject({ shape: 'samples', unit: 'seconds' });
    expect(metrics['bridge.avg_duration']).toHaveProperty('samples.0', 0.000673833);
    expect(metrics['bridge.total_tokens']).toMatchObject({ unit: 'count', samples: [45, 45] });
    expect(metrics['bridge.duration']).toMatchObject({ samples: [0.002, 0.003] });
  });

  it('workspace-updates: a list by workspace gives a sample each', async () => {
    expect(
      (await golden('workspace-updates', 3))['workspace-updates.workspace_updates_latency_seconds'],
    ).toMatchObject({
      samples: [0.152168505, 0.193069683, 0.275215529, 19.773188559],
      failed: 0,
    });
  });

  it('notifications: moments are counted', async () => {
    expect(await golden('notifications', 5)).toMatchObject({
      'notifications.success_rate': { good: 5, total: 5 },
      'notifications.notification_websocket_receipt_time': { shape: 'count', value: 1 },
      'notifications.notification_smtp_receipt_time': { shape: 'count', value: 0 },
    });
  });

  it('task-status without external agents: every run failed', async () => {
    expect(await golden('task-status-no-external-agent', 2, 'task-status')).toMatchObject({
      'task-status.success_rate': { good: 0, total: 2 },
      'task-status.duration': { samples: [], failed: 2 },
    });
  });
});

describe('the runs of a suite', () => {
  it.each<[string, SuiteEvidence, string | undefined]>([
    ['none at all', evidenceOf([], { planned: 3 }), 's: the suite did zero runs of 3 planned'],
    [
      'too few',
      evidenceOf([runOf()], { planned: 2 }),
      's: only 1 of 2 planned runs were done; at least 95 % are needed',
    ],
    ['no file', evidenceOf({ unusable: 's: no file' }), 's: no file'],
    ['all', evidenceOf([runOf()]), undefined],
    [
      'nearly all',
      evidenceOf(
        Array.from({ length: 19 }, () => runOf()),
        { planned: 20 },
      ),
      undefined,
    ],
  ])('%s', (_, evidence, problem) => {
    expect(suiteProblem(evidence)).toBe(problem);
    if (problem !== undefined)
      expect(suiteMetrics(evidence).every(({ shape }) => shape === 'missing')).toBe(true);
  });

  it('that are missing or failed are infinitely slow, also in what the suite measured itself', () => {
    const passed = Array.from({ length: 18 }, () => runOf({ metrics: { wait_seconds: 3 } }));
    // What a failed run measured may be of a part only.
    const failed = runOf({ error: 'no', metrics: { wait_seconds: 0.1 } });
    const metrics = byName(evidenceOf([...passed, failed], { planned: 20 }));
    expect(metrics).toMatchObject({
      's.success_rate': { good: 18, total: 20 },
      's.duration': { failed: 2 },
      's.wait_seconds': { failed: 2 },
    });
    expect(metrics['s.wait_seconds']).toHaveProperty('samples.length', 18);
  });

  it('count a time of 0 as never seen: it is the CLI’s word for it', () => {
    const metrics = byName(evidenceOf([runOf({ metrics: { seen_seconds: { a: 1, b: 0 } } })]));
    expect(metrics['s.seen_seconds']).toMatchObject({ samples: [1], failed: 1 });
  });

  it('that passed without telling a time never told it', () => {
    const metrics = byName(
      evidenceOf([runOf({ metrics: { a_seconds: 1 } }), runOf({ metrics: { a_seconds: {} } }), runOf()]),
    );
    expect(metrics['s.a_seconds']).toMatchObject({ samples: [1], failed: 2 });
  });

  it('of which few tell a count leave it unmeasured', () => {
    const metrics = byName(evidenceOf([runOf({ metrics: { tokens: 5 } }), runOf()]));
    expect(metrics['s.tokens']).toEqual({
      name: 's.tokens',
      shape: 'missing',
      reason: 's: only 1 of 2 runs tell their tokens',
    });
  });

  it('have milliseconds as times, and texts and booleans as nothing', () => {
    const metrics = byName(
      evidenceOf([runOf({ metrics: { pause_ms: 1500, status: 'done', seen: true, asked: 3 } })], {
        notMeasured: ['asked'],
      }),
    );
    expect(Object.keys(metrics).sort()).toEqual(['s.duration', 's.pause_ms', 's.success_rate']);
    expect(metrics['s.pause_ms']).toMatchObject({ unit: 'seconds', samples: [1.5] });
  });
});

const PAGE = `# TYPE coderd_scaletest_wait_seconds histogram
coderd_scaletest_wait_seconds_bucket{user="a",le="1"} 1
coderd_scaletest_wait_seconds_bucket{user="a",le="+Inf"} 1
coderd_scaletest_wait_seconds_sum{user="a"} 0.5
coderd_scaletest_wait_seconds_count{user="a"} 1
coderd_scaletest_wait_seconds_bucket{user="b",le="1"} 0
coderd_scaletest_wait_seconds_bucket{user="b",le="+Inf"} 2
coderd_scaletest_wait_seconds_sum{user="b"} 7
coderd_scaletest_wait_seconds_count{user="b"} 2
# TYPE coderd_scaletest_errors_total counter
coderd_scaletest_errors_total{action="x"} 2
coderd_scaletest_errors_total{action="y"} 1
# TYPE go_goroutines gauge
go_goroutines 12
`;

describe('the metrics page of a suite', () => {
  it('gives its histograms and counters, all labels together', () => {
    expect(Object.fromEntries(suitePageMetrics(PAGE))).toEqual({
      wait_seconds: {
        shape: 'buckets',
        unit: 'seconds',
        buckets: [{ upTo: 1, count: 1 }],
        total: 3,
        sum: 7.5,
      },
      errors_total: { shape: 'count', value: 3 },
    });
    expect(describeSuitePage(PAGE)).toBe('10 numbers on its metrics page');
    expect(describeSuitePage('<html>\n')).toBeUndefined();
    expect(describeSuitePage('go_goroutines 12\n')).toBeUndefined();
  });

  const page = { text: PAGE, isFinal: true, evidence: 'evidence/s.metrics.txt' };

  it('does not take the place of what stands in the file', () => {
    const metrics = byName(evidenceOf([runOf({ metrics: { wait_seconds: 2 } })], { page }));
    expect(metrics).toMatchObject({
      's.wait_seconds': { shape: 'samples', source: 'cli-result' },
      's.errors_total': { shape: 'count', value: 3, source: 'cli-prometheus', evidence: [page.evidence] },
    });
  });

  it.each<[string, SuiteEvidence['page']]>([
    ['in the middle of the load', { ...page, isFinal: false }],
    ['never', { unusable: 'the page is missing' }],
  ])('that was read %s is left out, so that who asks for it gets an error', (_, read) => {
    const metrics = byName(evidenceOf([runOf()], read === undefined ? {} : { page: read }));
    expect(Object.keys(metrics)).toEqual(['s.success_rate', 's.duration']);
  });

  it('that cannot be read is no metric', () => {
    const metrics = byName(evidenceOf([runOf()], { page: { ...page, text: 'not\ta page' } }));
    expect(metrics['s.metrics_page']).toMatchObject({ shape: 'missing' });
  });
});

describe('Go’s durations', () => {
  it.each([
    ['673.833µs', 0.000673833],
    ['673.833μs', 0.000673833],
    ['12us', 0.000012],
    ['5ns', 5e-9],
    ['2.5s', 2.5],
    ['1h2m3.5s', 3723.5],
    ['0s', 0],
  ])('%s', (text, value) => expect(parseGoDuration(text)).toBeCloseTo(value, 12));

  it.each(['', '5', 'h', '1 s', '-1s', '8d30540a-d2f9-49e8-875f-fe353eb9ff6c', 'scaletest-1', '1d'])(
    '"%s" is none',
    (text) => expect(parseGoDuration(text)).toBeUndefined(),
  );

  it('are read as another parser reads them', () => {
    for (const nanoseconds of [1n, 999n, 1000n, 1_234_567n, 59_999_999_999n, 3_600_000_000_001n]) {
      const text = goDuration(nanoseconds);
      expect(parseGoDuration(text)).toBeCloseTo((simulatedParser(text, false) ?? Number.NaN) / 1000, 9);
    }
  });
});
