import { judgeCriterion } from '../../src/judge/criterion.js';
import type { CriterionResult } from '../../src/judge/verdict.js';
import type {
  BucketMetric,
  CountMetric,
  Metric,
  RatioMetric,
  SampleMetric,
  ValueMetric,
} from '../../src/measure/metric.js';
import type { Criterion } from '../../src/plan/plan-types.js';
import { criterionOf } from './plans.js';

const ORIGIN = { phase: 'create', source: 'cli-result', evidence: ['evidence/file.json'] } as const;
const NAME = 'create_workspaces.all.provisioning';

export const samplesMetric = (values: readonly number[], failed = 0, name = NAME): SampleMetric => ({
  ...ORIGIN,
  name,
  shape: 'samples',
  unit: 'seconds',
  samples: [...values].sort((a, b) => a - b),
  failed,
});

export const ratioMetric = (good: number, total: number, name = NAME): RatioMetric => ({
  ...ORIGIN,
  name,
  shape: 'ratio',
  good,
  total,
});

export const countMetric = (value: number, name = NAME): CountMetric => ({
  ...ORIGIN,
  name,
  shape: 'count',
  value,
});

/** Of n samples so many are above the limit, and all others at most there. */
export const samplesAbove = (n: number, above: number, limit: number): number[] =>
  Array.from({ length: n }, (_, index) => (index < n - above ? limit : limit + 1 + index));

export function judgeMetric(
  expect: string,
  metric: Metric,
  changes: Partial<Criterion> = {},
): CriterionResult {
  return judgeCriterion(
    criterionOf(expect, { metric: metric.name, ...changes }),
    new Map([[metric.name, metric]]),
  );
}

export const judgeSamples = (expect: string, values: readonly number[], failed = 0): CriterionResult =>
  judgeMetric(expect, samplesMetric(values, failed));

/** Bounds with the number of measurements up to and at each; the rest up to the total lies above. */
export const bucketMetric = (
  counts: readonly (readonly [upTo: number, count: number])[],
  total: number,
  sum = total,
  name = NAME,
): BucketMetric => ({
  ...ORIGIN,
  name,
  shape: 'buckets',
  unit: 'seconds',
  buckets: counts.map(([upTo, count]) => ({ upTo, count })),
  total,
  sum,
});

export const valueMetric = (
  value: number,
  unit: ValueMetric['unit'] = 'bytes_per_second',
  name = NAME,
): ValueMetric => ({ ...ORIGIN, name, shape: 'value', unit, value });
