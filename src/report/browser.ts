import { formatDuration } from '../config/units.js';
import { bucketAt } from '../judge/buckets.js';
import { formatBucket, formatQuantity } from '../judge/format.js';
import { quantileRanks } from '../judge/quantile.js';
import type { Metric } from '../measure/metric.js';
import type { DashboardBrowserStep } from '../plan/plan-types.js';
import { browserStepOf } from '../plan/steps.js';
import { metricNamed, type RunReport } from './run-report.js';

/** What the browsers will do, for the plan. */
export function browserStepSentence(step: DashboardBrowserStep): string {
  const condition =
    step.wanted === 'always'
      ? ''
      : '; left out where the readiness checks find that the suite does nothing there, or no Chromium';
  return `${step.suite}: ${step.users} browsers, an action every ${formatDuration(step.interval)} ± ${formatDuration(step.jitter)}, for ${formatDuration(step.timeout)}${condition}`;
}

/** What the browsers showed, in one sentence; undefined where none clicked or nothing was measured. */
export function browserSentence({ metrics, plan }: Pick<RunReport, 'metrics' | 'plan'>): string | undefined {
  const step = browserStepOf(plan);
  const actions = metricNamed(metrics, 'dashboard.actions');
  const errors = metricNamed(metrics, 'dashboard.action_error_rate');
  if (step === undefined || actions?.shape !== 'count' || errors?.shape !== 'ratio') return undefined;
  const parts = [
    `${formatQuantity(step.users, 'count')} browsers performed ${formatQuantity(actions.value, 'count')} actions in ${formatQuantity(step.timeout, 'seconds')}`,
    `${formatQuantity(errors.good, 'count')} of them failed (a failed action counts as infinitely slow)`,
    ...durationText(metricNamed(metrics, 'dashboard.action_duration')),
  ];
  return `${parts.join('; ')}.`;
}

function durationText(metric: Metric | undefined): string[] {
  if (metric?.shape !== 'buckets' || metric.total === 0) return [];
  const text = (q: number): string => {
    const { above, upTo } = bucketAt(metric, quantileRanks(metric.total, q).rank);
    return formatBucket({ above, ...(Number.isFinite(upTo) && { upTo }) }, metric.unit);
  };
  return [`the P50 of an action was ${text(0.5)}, the P95 ${text(0.95)}`];
}
