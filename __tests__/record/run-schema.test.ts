import { describe, expect, it } from 'vitest';
import { breachOf, lostFor, type Breach } from '../../src/judge/early-end.js';
import type { RunAccount } from '../../src/record/run-account.js';
import { runSchema } from '../../src/record/run-schema.js';
import type { Metric } from '../../src/measure/metric.js';
import { countMetric, judgeMetric, ratioMetric, samplesMetric } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

/** As a results directory keeps it, where infinity is a text. */
const written = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (one === Infinity ? 'infinite' : one));

function breach(expectation: string, metric: Metric): Breach {
  const { criterion, ...result } = judgeMetric(expectation, metric);
  if (!('observed' in result)) throw new Error(result.sentence);
  return breachOf(criterion, result.observed, result.sentence);
}

const accountOf = (...breaches: readonly Breach[]): RunAccount => ({
  schema: 1,
  mode: 'gate',
  environment: 'https://coder.example.com',
  startedAt: '2026-01-05T06:00:00.123Z',
  resultsDirectory: 'scaletest-results/20260105T060000Z',
  problems: [],
  withheld: {},
  steps: [],
  timeShares: [],
  endedEarly: { seconds: 3, breaches, complete: [] },
});

describe('what ended a load', () => {
  const lost = lostFor(criterionOf('max < 1s'), {
    metric: 'create_workspaces.all.provisioning',
    shape: 'samples',
    most: 10,
    failed: 1,
    beyond: () => 1,
  });
  it.each<[string, Breach | undefined]>([
    ['a quantile', breach('p50 < 1s', samplesMetric([1, 2, 3, 4, 5, 6, 7, 8, 9]))],
    ['a quantile that never came', breach('p90 < 1s', samplesMetric([1], 58))],
    ['a share', breach('>= 99%', ratioMetric(1, 3))],
    ['a number', breach('max < 1s', samplesMetric([1, 2]))],
    ['a number that never came', breach('max < 1s', samplesMetric([1], 1))],
    ['a count', breach('== 0', countMetric(1))],
    ['a part of a load', lost],
  ])('is read as it was written, with its keys in their order: %s', (_, found) => {
    if (found === undefined) throw new Error('nothing was lost');
    const account = accountOf(found);
    const read = runSchema.parse(JSON.parse(written(account)));
    expect(read).toEqual(account);
    expect(written(read.endedEarly?.breaches[0]?.observed)).toBe(written(found.observed));
  });
});
