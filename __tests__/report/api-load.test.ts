import { describe, expect, it } from 'vitest';
import { summarizeLoad } from '../../src/measure/load-summary.js';
import { apiLoadDetails, apiLoadResult, apiLoadSentences } from '../../src/report/api-load.js';
import { guideFiles, scaleTestReport } from '../../src/report/guide-files.js';
import { renderSummary } from '../../src/report/summary.js';
import { loadResultOf, seriesOf, upTo } from '../support/loads.js';
import { reportOf } from '../support/reports.js';

const RESULT = loadResultOf([
  seriesOf('workspaces', upTo(100), { phase: 'create' }),
  seriesOf('templates', upTo(50)),
  seriesOf('rare', [900]),
  seriesOf('workspaces', [1000], { warmUp: true }),
  seriesOf('buildinfo', [1, 2, 3], { pool: false }),
]);
const load = summarizeLoad(RESULT);
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');
const sentences = (changes: Parameters<typeof loadResultOf>[1] = {}): string =>
  plain(apiLoadSentences({ load: summarizeLoad({ ...RESULT, ...changes }) }).join(' '));

describe('the sentences on the API load', () => {
  it('say how many, how slow, where, and what is left out', () => {
    expect(sentences()).toBe(
      '50 virtual users made 151 API calls in 1 m 1 s: P50 38 ms, P95 94 ms, P99 100 ms, where the network and the router alone (buildinfo) take 3 ms at the P95. ' +
        'The P95 was 95 ms while workspaces were being created (n = 100), 49 ms with nothing else going on (n = 51). ' +
        'Slowest routes: workspaces (P95 95 ms, n = 100), templates (P95 48 ms, n = 50). ' +
        'The first visit of each user (1 calls) is left out, since it opens the connections.',
    );
  });

  it('name what went wrong', () => {
    const { calls, sockets, health } = RESULT;
    const text = sentences({
      series: [seriesOf('templates', upTo(50), { failed: 3 })],
      calls: { ...calls, failed: 3, throttled: 7, leftOut: 20 },
      sockets: { ...sockets, drops: 2, refused: 1 },
      health: { ...health, saturated: 'the load generator was saturated: busy' },
    });
    expect(text).toContain('3 calls failed, most often templates: status 500 (3 times).');
    expect(text).toContain('7 calls were refused by the rate limiter and have no latency.');
    expect(text).toContain('20 calls were left out, since their user or workspace was not there yet.');
    expect(text).toContain('2 inbox connections were ended by the other side and 1 were refused.');
    expect(text).toContain('The load generator was saturated: busy.');
  });

  it('say when the rate limiter came close, and only then', () => {
    const left = (leastRemaining: number): string =>
      sentences({
        rateLimits: [
          { route: 'tasks', limit: 512, leastRemaining: 400 },
          { route: 'templates', limit: 512, leastRemaining },
        ],
      });
    expect(left(50)).toContain(
      'The rate limiter came close: of 512 calls a minute to templates, 50 were left.',
    );
    expect(left(60)).not.toContain('rate limiter');
  });

  it('are none where there was no load', () => {
    expect(apiLoadSentences({})).toEqual([]);
    expect(apiLoadDetails({})).toBeUndefined();
    expect(renderSummary(reportOf())).not.toContain('API load');
  });
});

it('has a row for each phase and each route in the summary', () => {
  const text = renderSummary(reportOf({ load }));
  expect(text).toContain('**API load**');
  expect(text).toMatch(/\| create \| 100 \| .*\n\| dashboard \| 51 \|/);
  expect(text).toMatch(/\| workspaces \| `GET \/api\/v2\/workspaces` \| 100 \|/);
});

describe('the guide’s files', () => {
  const named = (name: string, report = reportOf({ load })): unknown =>
    guideFiles(report).find((file) => file.name === name)?.content;

  it('hold the latencies in milliseconds, under both names of the guide', () => {
    expect(named('dashboard-results.json')).toMatchObject({
      users: 50,
      total_calls: 151,
      success_rate: 1,
      latency: { p50_ms: 38, p95_ms: 94, p99_ms: 100, samples: 151 },
      latency_p95_ms: 94,
      latency_p99_ms: 100,
      phases: { create: { p95_ms: 95, samples: 100 } },
    });
    expect(named('api-load-results.json')).toEqual(named('dashboard-results.json'));
    expect(scaleTestReport(reportOf({ load })).content).toMatchObject({
      results: { api_latency: { latency: { p95_ms: 94 } } },
    });
  });

  it('round whole milliseconds upwards, so that 500.2 ms is no 500', () => {
    const slow = summarizeLoad(loadResultOf([seriesOf('templates', [500.2])]));
    expect(apiLoadResult({ load: slow })).toMatchObject({ latency_p95_ms: 501 });
  });

  it('are not written when a quantile falls on failed calls, or nothing was called', () => {
    const failing = summarizeLoad(loadResultOf([seriesOf('templates', upTo(90), { failed: 10 })]));
    for (const bad of [failing, summarizeLoad(loadResultOf([]))]) {
      expect(named('dashboard-results.json', reportOf({ load: bad }))).toBeUndefined();
      expect(scaleTestReport(reportOf({ load: bad })).content).not.toHaveProperty('results.api_latency');
    }
  });
});
