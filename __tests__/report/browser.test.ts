import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/measure/metric.js';
import { browserSentence } from '../../src/report/browser.js';
import { flatMetrics } from '../../src/report/flat-metrics.js';
import { planLines, renderPlan } from '../../src/report/plan-text.js';
import { renderSummary } from '../../src/report/summary.js';
import { bucketMetric, countMetric, ratioMetric } from '../support/metrics.js';
import { browserStepWith, planOf, stepOf, withBrowsers } from '../support/plans.js';
import { METRICS, reportOf } from '../support/reports.js';

const BROWSERS: readonly Metric[] = [
  countMetric(140, 'dashboard.actions'),
  bucketMetric(
    [
      [0.1, 80],
      [0.25, 137],
    ],
    140,
    21,
    'dashboard.action_duration',
  ),
  ratioMetric(3, 140, 'dashboard.action_error_rate'),
];
const plan = withBrowsers(planOf([stepOf()]));
const report = (metrics: readonly Metric[] = BROWSERS) =>
  reportOf({ plan, metrics: [...METRICS, ...metrics], criteria: [] });

const SENTENCE =
  '5 browsers performed 140 actions in 5 m; 3 of them failed (a failed action counts as infinitely slow); the P50 of an action was at most 100 ms, the P95 100 ms to 250 ms.';

describe('the sentence on browsers', () => {
  it('says what they did and how long it took', () => {
    expect(browserSentence(report())).toBe(SENTENCE);
    expect(renderSummary(report())).toContain(`**Browsers.** ${SENTENCE}`);
  });

  it('is not there without browsers, nor without a measurement', () => {
    expect(browserSentence(reportOf({ metrics: BROWSERS }))).toBeUndefined();
    const missing: Metric = { name: 'dashboard.actions', shape: 'missing', reason: 'gone' };
    expect(browserSentence(report([missing]))).toBeUndefined();
  });
});

it('the summary says in its details why there were none', () => {
  const checks = [{ name: 'browser suite', status: 'ok', message: 'left out: it does nothing' }] as const;
  const summary = renderSummary(reportOf({ readiness: { schema: 1, checks } }));
  expect(summary).toContain('- Browsers: left out: it does nothing');
  expect(summary).not.toContain('To know');
});

it('the flat metrics have count, mean and rate, and no quantile of buckets', () => {
  expect(flatMetrics(BROWSERS)).toEqual({
    'dashboard.actions.value': 140,
    'dashboard.action_duration.mean': 0.15,
    'dashboard.action_duration.count': 140,
    'dashboard.action_error_rate.value': 0.021429,
  });
});

describe('the plan', () => {
  it('says what the browsers will do, and that it depends', () => {
    const text = planLines(plan).join('\n');
    expect(text).toContain(
      'dashboard-browser: 5 browsers, an action every 10s ± 5s, for 5m; left out where the readiness checks find that the suite does nothing there, or no Chromium',
    );
    expect(text).toContain('coder exp scaletest dashboard --target-users=0:5');
    expect(renderPlan(plan)).toMatch(/\| dashboard-browser \| +\| +\| +5 \| +5m \|/);
  });

  it('says it without a condition where they are asked for', () => {
    const always = withBrowsers(planOf([stepOf()]), browserStepWith({ wanted: 'always' }));
    expect(planLines(always).join('\n')).toMatch(/for 5m\n/);
  });
});
