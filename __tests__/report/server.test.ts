import { describe, expect, it } from 'vitest';
import { compareServer } from '../../src/judge/server-comparison.js';
import type { LoadSeries } from '../../src/load/load-types.js';
import { serverDelta } from '../../src/measure/server-latency.js';
import {
  comparisonSentences,
  comparisonTable,
  serverSentence,
  serverTable,
  type ServerReport,
} from '../../src/report/server.js';
import { renderSummary } from '../../src/report/summary.js';
import { failed, skipped } from '../../src/server-evidence.js';
import { loadResultOf, samplesOf, seriesOf } from '../support/load-results.js';
import { reportOf } from '../support/reports.js';
import { observation, serverPage, type RouteOnPage } from '../support/server-pages.js';

const said = (report: ServerReport): string => comparisonSentences(report).join(' ');
const USERS = '/api/v2/users/{user}';
const times = (count: number, value: number): number[] => new Array<number>(count).fill(value);

function reported(routes: readonly RouteOnPage[], series?: readonly LoadSeries[]): ServerReport {
  const delta = serverDelta(observation([serverPage([])], [serverPage(routes)]));
  return { delta, ...(series && { comparison: compareServer(loadResultOf(series), delta) }) };
}

describe('what coderd says', () => {
  it('is how many it answered, how many not well, and the buckets of its quantiles', () => {
    const report = reported([
      {
        path: USERS,
        latencies: [...times(1150, 0.003), ...times(50, 0.3)],
        codes: { 200: 1197, 500: 2, 503: 1 },
      },
    ]);
    expect(serverSentence(report)).toBe(
      'coderd answered 1,200 API requests of everybody in 1 m, 3 of them (0.25 %) with a status of 500 or above: 2 × 500, 1 × 503; by its own histogram the P95 was 1 ms to 5 ms and the P99 100 ms to 500 ms (without streams, and without our own reading of the metrics).',
    );
    expect(serverTable(report)).toContain(
      '| `GET /api/v2/users/{user}` | 1,200 | 1 ms to 5 ms | 100 ms to 500 ms | 3 |',
    );
  });

  it('is why it says nothing', () => {
    expect(serverSentence({ delta: skipped('no such page') })).toBe(
      'Its latencies are skipped (no such page).',
    );
    expect(serverSentence({ delta: failed('no answer within 30 s') })).toBe(
      'Its latencies could not be measured: no answer within 30 s.',
    );
    expect(serverTable({ delta: skipped('x') })).toBeUndefined();
  });

  it('names no quantile of nothing', () => {
    expect(serverSentence(reported([]))).toMatch(/answered 0 API requests .* above \(without streams/);
    expect(serverTable(reported([]))).toBeUndefined();
  });

  it('of many routes is cut, and says so', () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ path: `/api/v2/r${index}`, latencies: [0.1] }));
    expect(serverTable(reported(many))).toContain('…and 5 more, in evidence/server-latency.json.');
  });
});

describe('client and server', () => {
  it('agree', () => {
    const text = said(reported([{ path: USERS, latencies: times(100, 0.03) }], [seriesOf(times(80, 40))]));
    expect(text).toBe(
      'Client and server agree: our P95 of 40 ms lies in 25 ms to 50 ms, our P99 of 40 ms lies in 25 ms to 50 ms. Ours were 80 % of the 100 requests that coderd answered on these routes, and 80 % of all 100 requests to its API.',
    );
  });

  it('disagree when the time is lost before coderd, by how much at least', () => {
    const slow = seriesOf(times(100, 620), { connectionWait: samplesOf(times(100, 70)) });
    const report = reported([{ path: USERS, latencies: times(100, 0.3) }], [slow]);
    expect(said(report)).toContain(
      "Client and server disagree: our P95 of 620 ms lies above the server's own 100 ms to 500 ms; at least 120 ms are spent outside coderd.",
    );
    expect(said(report)).toContain('our wait for a free connection (up to 70 ms in 95 % of the calls).');
    expect(comparisonTable(report)).toContain(
      '| `GET /api/v2/users/{user}` | 100 | **620 ms** | **620 ms** | 100 | 100 ms to 500 ms | 100 ms to 500 ms | 100 % |',
    );
  });

  it('disagree when others were slower', () => {
    const report = reported([{ path: USERS, latencies: times(100, 0.3) }], [seriesOf(times(25, 60))]);
    expect(said(report)).toContain(
      "Client and server disagree: our P95 of 60 ms lies below the server's own 100 ms to 500 ms, by at least 40 ms.",
    );
  });

  it('say when our quantile falls on failed calls', () => {
    const report = reported(
      [{ path: USERS, latencies: times(100, 0.3) }],
      [seriesOf(times(50, 300), { failed: 50 })],
    );
    expect(said(report)).toContain(
      "Our P95 does not exist, since 50 of 100 calls failed; the server's own is 100 ms to 500 ms",
    );
    expect(comparisonTable(report)).toContain('**never**');
  });

  it('say what the server did not count', () => {
    const report = reported(
      [{ path: USERS, latencies: times(10, 0.03) }],
      [seriesOf(times(30, 30)), seriesOf([1], { route: 'tasks', pattern: '/api/v2/tasks' })],
    );
    expect(said(report)).toMatch(/21 calls were answered to us that coderd does not count/);
    expect(said(report)).toContain('coderd counted nothing of our calls of tasks.');
  });

  it('are not compared without the one or the other', () => {
    expect(said({ delta: skipped('x'), comparison: skipped('x') })).toBe('');
    expect(said(reported([]))).toBe('');
    expect(comparisonTable(reported([]))).toBeUndefined();
    expect(said(reported([], [seriesOf([1])]))).toMatch(/^There is nothing to compare/);
  });
});

describe('the summary', () => {
  const server = reported([{ path: USERS, latencies: times(9, 0.03) }], [seriesOf(times(9, 30))]);

  it('has the sentence, and both tables folded', () => {
    const text = renderSummary(reportOf({ server }));
    expect(text).toContain("**On the server's side**\n\n- coderd answered 9 API requests");
    expect(text).toContain("<summary>Latencies, ours beside the server's</summary>");
    expect(text).toContain('<summary>What coderd counted</summary>');
  });

  it('says nothing of it where nothing was looked at', () => {
    expect(renderSummary(reportOf())).not.toContain("server's side");
  });
});
