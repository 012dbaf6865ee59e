import { describe, expect, it } from 'vitest';
import {
  browserMetrics,
  browserProblem,
  countLoggedActions,
  type BrowserEvidence,
} from '../../src/measure/browser-metrics.js';
import { describeBrowserPage, readBrowserPage } from '../../src/measure/browser-page.js';
import type { Metric } from '../../src/measure/metric.js';
import { readResultFile } from '../../src/measure/result-file.js';
import type { RunRecord, Runs } from '../../src/measure/run-table.js';
import { milliseconds, seconds } from '../../src/units.js';
import { readerOf } from '../support/result-documents.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

explainSkip('recorded browsers');

const PAGE = 'evidence/dashboard-browser.metrics.txt';
const FAMILY = 'coderd_scaletest_dashboard';

/** A page with bounds of 0.1 s and 5 s; counts of each action up to the first, the second, and of all. */
function pageText(
  actions: Readonly<Record<string, readonly [number, number, number]>>,
  errors: Readonly<Record<string, number>> = {},
): string {
  const durations = Object.entries(actions).flatMap(([action, [first, second, all]]) => [
    `${FAMILY}_duration_seconds_bucket{action="${action}",le="0.1"} ${first}`,
    `${FAMILY}_duration_seconds_bucket{action="${action}",le="5"} ${second}`,
    `${FAMILY}_duration_seconds_bucket{action="${action}",le="+Inf"} ${all}`,
    `${FAMILY}_duration_seconds_sum{action="${action}"} ${all}`,
    `${FAMILY}_duration_seconds_count{action="${action}"} ${all}`,
  ]);
  const failures = Object.entries(errors).map(
    ([action, count]) => `${FAMILY}_errors_total{action="${action}"} ${count}`,
  );
  return [...durations, ...failures].map((line) => `${line}\n`).join('');
}

const runOf = (index: number, changes: Partial<RunRecord> = {}): RunRecord => ({
  id: `dashboard/dashboard-scaletest-${index}`,
  startedAt: new Date('2026-01-05T06:00:00Z'),
  duration: milliseconds(60_100),
  ...changes,
});
const runs = (count: number, changes: Partial<RunRecord> = {}): RunRecord[] =>
  Array.from({ length: count }, (_, index) => runOf(index, changes));

function evidenceOf(changes: Partial<BrowserEvidence> = {}): BrowserEvidence {
  return {
    wanted: 'always',
    users: 5,
    duration: seconds(60),
    interval: seconds(10),
    runs: runs(5),
    page: { text: pageText({ workspace_list: [20, 30, 30] }), evidence: PAGE },
    logged: 31,
    ...changes,
  };
}
const page = (text: string): BrowserEvidence['page'] => ({ text, evidence: PAGE });
const named = (metrics: readonly Metric[], name: string): Metric | undefined =>
  metrics.find((metric) => metric.name === `dashboard.${name}`);

describe('the metrics of browsers', () => {
  it('count actions, their times and their failures, all actions together', () => {
    const text = pageText(
      { workspace_list: [10, 20, 20], template_list: [0, 8, 10], workspace_details: [0, 2, 2] },
      { template_list: 1 },
    );
    const metrics = browserMetrics(evidenceOf({ page: page(text), logged: 32 }));
    const origin = { phase: 'dashboard', source: 'cli-prometheus', evidence: [PAGE] };
    expect(metrics).toEqual([
      { ...origin, name: 'dashboard.actions', shape: 'count', value: 32 },
      {
        ...origin,
        name: 'dashboard.action_duration',
        shape: 'buckets',
        unit: 'seconds',
        buckets: [
          { upTo: 0.1, count: 10 },
          { upTo: 5, count: 30 },
        ],
        total: 32,
        sum: 32,
      },
      { ...origin, name: 'dashboard.action_error_rate', shape: 'ratio', good: 1, total: 32 },
    ]);
  });

  it('take the slowest of a kind for the failed ones, which are infinitely slow', () => {
    const text = pageText(
      { workspace_list: [10, 10, 10], workspace_details: [1, 5, 5] },
      { workspace_details: 3 },
    );
    const duration = named(browserMetrics(evidenceOf({ page: page(text), logged: 15 })), 'action_duration');
    expect(duration).toMatchObject({
      buckets: [
        { upTo: 0.1, count: 11 },
        { upTo: 5, count: 12 },
      ],
      total: 15,
    });
  });

  it('are missing, with the reason, where the browsers say nothing', () => {
    const evidence = evidenceOf({ page: page('') });
    const reason = browserProblem(evidence);
    expect(reason).toMatch(/no action was performed/);
    expect(browserMetrics(evidence)).toEqual(
      ['actions', 'action_duration', 'action_error_rate'].map((name) => ({
        name: `dashboard.${name}`,
        shape: 'missing',
        reason,
      })),
    );
  });
});

describe('browsers that say nothing', () => {
  const idle = runs(5, { duration: milliseconds(13_200) });
  const broken = runs(5, {
    duration: milliseconds(20),
    error:
      'init chromedp ctx:\n    github.com/coder/coder/v2/scaletest/dashboard.(*Runner).runUntilDeadlineExceeded\n        /home/runner/work/coder/coder/scaletest/dashboard/run.go:78\n  - set viewport size: exec: "google-chrome": executable file not found in $PATH',
  });

  it.each<[string, Partial<BrowserEvidence>, RegExp]>([
    ['no result file', { runs: { unusable: 'dashboard-browser: no file' } }, /^dashboard-browser: no file$/],
    ['no runs', { runs: [] }, /no browser was started, because the CLI found no scale-test users/],
    [
      'a workspaces page that never comes',
      { runs: idle, page: page('') },
      /no action was performed: the workspaces page was not there within 10 s or the browser crashed/,
    ],
    [
      'no browser that starts',
      { runs: broken, page: page('') },
      /no action was performed: init chromedp ctx: set viewport size: exec: "google-chrome": executable file not found/,
    ],
    [
      'browsers that ran and did nothing',
      { page: page('') },
      /no action was performed, although 5 browsers ran to the end/,
    ],
    [
      'no page',
      { page: { unusable: 'the metrics page at 127.0.0.1:1 is missing: gone' } },
      /the metrics page at 127\.0\.0\.1:1 is missing: gone/,
    ],
    ['a page that is none', { page: page('<html>\n') }, /the metrics page cannot be read: line 1/],
    [
      'another program’s page',
      { page: page('go_goroutines 7\n') },
      /the metrics page cannot be read: it is another program's: it tells of go_goroutines/,
    ],
    [
      'the page of another run',
      { logged: 12 },
      /is another program's: it tells of 30 actions, but the suite's log of 12/,
    ],
    ['a page that is too old', { logged: 60 }, /last read too early: it tells of 30 of the 60 actions/],
    [
      'browsers most of which ended early',
      { runs: [...runs(2), ...idle.slice(2)] },
      /only 2 of 5 browsers worked to the end: the workspaces page was not there/,
    ],
    ['too few users', { runs: runs(4) }, /only 4 of 5 browsers worked to the end$/],
  ])('are a problem for %s', (_, changes, problem) => {
    expect(browserProblem(evidenceOf(changes))).toMatch(problem);
    // Also where nobody asked for them: they were planned, and what is not measured is never green.
    expect(browserProblem(evidenceOf({ ...changes, wanted: 'auto' }))).toMatch(
      /; with "dashboard\.browser: never" the run does without browsers$/,
    );
  });

  it('are none where a few last actions are missing on the page, or the log could not be read', () => {
    expect(browserProblem(evidenceOf({ logged: 35 }))).toBeUndefined();
    expect(browserProblem(evidenceOf({ logged: 36 }))).toMatch(/too early/);
    const { logged, ...withoutLog } = evidenceOf();
    expect(logged).toBe(31);
    expect(browserProblem(withoutLog)).toBeUndefined();
  });
});

describe('a page', () => {
  it('without content is one, of a suite that has not acted yet', () => {
    expect(readBrowserPage('')).toEqual({ actions: 0, failed: 0, buckets: [], sum: 0 });
    expect(describeBrowserPage('')).toBe('0 actions, 0 of them failed');
  });

  it.each([
    ['more failures than actions', pageText({ a: [1, 1, 1] }, { a: 2 })],
    ['no page', 'hello'],
    [
      'different buckets',
      `${pageText({ a: [1, 1, 1] })}${pageText({ b: [1, 1, 1] }).replaceAll('le="5"', 'le="6"')}`,
    ],
  ])('with %s is none', (_, text) => {
    expect(describeBrowserPage(text)).toBeUndefined();
  });
});

describe.runIf(hasRecordings)('the recorded browsers', () => {
  const recordedRuns = async (name: string): Promise<Runs> => {
    const bytes = Buffer.from(sharedText(`golden/${name}.json`));
    return (await readResultFile(readerOf(bytes, 1000))).runs;
  };
  const recorded = async (name: string, changes: Partial<BrowserEvidence>): Promise<BrowserEvidence> => {
    const found = await recordedRuns(name);
    return evidenceOf({
      runs: found,
      users: 2,
      page: page(sharedText(`golden/${name}.metrics-mid.txt`)),
      logged: countLoggedActions(sharedText(`golden/${name}.stdout`)),
      ...changes,
    });
  };

  it('of v2.21.3 performed 20 actions before the page was read, and 24 in all', async () => {
    const evidence = await recorded('v2.21.3/cli/dashboard', { interval: seconds(5) });
    expect(evidence.logged).toBe(24);
    // Recorded in the middle, so 4 actions are missing on it.
    expect(browserProblem(evidence)).toMatch(/it tells of 20 of the 24 actions/);
    const metrics = browserMetrics({ ...evidence, logged: 22 });
    expect(named(metrics, 'actions')).toMatchObject({ value: 20 });
    expect(named(metrics, 'action_error_rate')).toMatchObject({ good: 2, total: 20 });
    // Of 20 actions 18 succeeded, all within half a second; the two that waited for 4.5 s failed.
    const duration = named(metrics, 'action_duration');
    if (duration?.shape !== 'buckets') throw new Error('no buckets');
    expect(duration.buckets.map(({ upTo, count }) => [upTo, count])).toEqual([
      [0.005, 0],
      [0.01, 0],
      [0.025, 0],
      [0.05, 9],
      [0.1, 10],
      [0.25, 17],
      [0.5, 18],
      [1, 18],
      [2.5, 18],
      [5, 18],
      [10, 18],
    ]);
    expect(duration.sum).toBeCloseTo(0.421558425 + 8.998213456 + 1.243539263, 9);
  });

  it('of v2.36.0 passed and did nothing', async () => {
    const evidence = await recorded('v2.36.0/cli/dashboard', { interval: seconds(3) });
    expect(evidence.logged).toBe(0);
    expect(browserProblem(evidence)).toMatch(
      /^dashboard-browser: no action was performed: the workspaces page was not there within 3 s/,
    );
  });

  it('of v2.36.0 under rate limits are told with their cause', async () => {
    const found = await recordedRuns('v2.36.0/cli/dashboard-428');
    expect(browserProblem(evidenceOf({ runs: found, users: 2, page: page(''), logged: 0 }))).toMatch(
      /no action was performed: get scaletest user: .*unexpected status code 428/,
    );
  });
});
