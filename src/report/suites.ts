import { formatBucket, formatQuantity } from '../judge/format.js';
import { bucketAt } from '../judge/buckets.js';
import { estimateQuantile, quantileRanks } from '../judge/quantile.js';
import type { Metric } from '../measure/metric.js';
import { suiteStepsOf } from '../plan/steps.js';
import { metricNamed, type RunReport } from './run-report.js';

/** A sentence holds no more; the others are in metrics.json. */
const MOST_METRICS = 4;

/** What each of the CLI's other suites showed, a sentence each. */
export function suiteSentences({ metrics, plan }: Pick<RunReport, 'metrics' | 'plan'>): readonly string[] {
  return suiteStepsOf(plan).flatMap(({ suite }) => {
    const success = metricNamed(metrics, `${suite}.success_rate`);
    if (success?.shape !== 'ratio') return [];
    const own = metrics
      .filter(({ name }) => name.startsWith(`${suite}.`) && name !== success.name)
      .sort((a, b) => Number(isTime(b)) - Number(isTime(a)))
      .flatMap((metric) => describe(metric, metric.name.slice(suite.length + 1)));
    const more = own.length > MOST_METRICS ? [`${own.length - MOST_METRICS} more in metrics.json`] : [];
    const passed = `${success.good} of ${success.total} runs passed`;
    return [`${suite}: ${[passed, ...own.slice(0, MOST_METRICS), ...more].join('; ')}.`];
  });
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Times before counts: they are what a suite is run for. */
const isTime = (metric: Metric): boolean => 'unit' in metric && metric.unit === 'seconds';

function describe(metric: Metric, name: string): string[] {
  switch (metric.shape) {
    case 'samples': {
      if (metric.unit === 'count') return [`${name}: ${formatQuantity(sum(metric.samples), 'count')} in all`];
      const p95 = estimateQuantile(metric, 0.95);
      if (p95 === undefined) return [];
      return [`the P95 of ${name} was ${formatQuantity(p95.value, metric.unit)} (n = ${p95.n})`];
    }
    case 'buckets': {
      const { above, upTo } = bucketAt(metric, quantileRanks(metric.total, 0.95).rank);
      const bucket = { above, ...(Number.isFinite(upTo) && { upTo }) };
      return [`the P95 of ${name} was ${formatBucket(bucket, metric.unit)} (n = ${metric.total})`];
    }
    case 'count':
      return [`${name}: ${formatQuantity(metric.value, 'count')}`];
    case 'ratio':
    case 'value':
    case 'missing':
      return [];
  }
}
