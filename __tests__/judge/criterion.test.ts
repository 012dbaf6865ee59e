import { describe, expect, it } from 'vitest';
import { judgeCriterion } from '../../src/judge/criterion.js';
import type { Metric } from '../../src/measure/metric.js';
import {
  bucketMetric,
  countMetric,
  judgeMetric,
  ratioMetric,
  samplesMetric,
  valueMetric,
} from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

const fast = (n: number): number[] => Array.from({ length: n }, () => 0.1);
const slow = (n: number): number[] => Array.from({ length: n }, () => 0.9);

describe('numbers in doubt', () => {
  const doubt = 'the load generator was saturated: busy';

  it('decide nothing, whether they would pass or fail', () => {
    for (const values of [fast(400), slow(400)]) {
      const result = judgeMetric('p95 < 500ms', { ...samplesMetric(values), doubt });
      expect(result.verdict).toBe('inconclusive');
      expect(result.sentence).toContain(doubt);
    }
    const rate = judgeMetric('>= 99%', { ...ratioMetric(1, 400), doubt });
    expect(rate).toMatchObject({ verdict: 'inconclusive', observed: { value: 1 / 400 } });
  });

  it('are an error all the same where there are none', () => {
    expect(judgeMetric('p95 < 500ms', { ...samplesMetric([]), doubt })).toMatchObject({ verdict: 'error' });
  });
});

describe('what is no number', () => {
  const expectations = ['p95 < 2m', 'max < 2m', 'mean < 2m', 'mean >= 0s', 'count >= 0'];
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('is an error: %d', (value) => {
    for (const text of ['== 0', '<= 1', '>= 0'])
      expect(judgeMetric(text, countMetric(value))).toMatchObject({
        verdict: 'error',
        sentence: 'what was read for create_workspaces.all.provisioning is no number',
      });
    for (const text of ['< 1MB/s', '>= 1KB/s'])
      expect(judgeMetric(text, valueMetric(value)).verdict).toBe('error');
    for (const text of expectations)
      expect(judgeMetric(text, bucketMetric([[1, 5]], value)).verdict).toBe('error');
    expect(judgeMetric('>= 0%', ratioMetric(value, 5)).verdict).toBe('error');
  });

  it('is an error also among samples and as a sum', () => {
    for (const text of expectations) {
      expect(judgeMetric(text, samplesMetric([1, Number.NaN, 3])).verdict).toBe('error');
      expect(judgeMetric(text, bucketMetric([[1, 5]], 5, Number.NaN)).verdict).toBe('error');
    }
  });
});

describe('buckets with too few measurements', () => {
  it('say how many lack', () => {
    const few = bucketMetric([[0.1, 18]], 18, 1, 'api.latency');
    expect(judgeMetric('p95 < 100ms', few)).toMatchObject({
      verdict: 'inconclusive',
      sentence: expect.stringMatching(
        /; 18 calls are too few to decide: a P95 needs 59, so it needs 41 more calls$/,
      ) as string,
    });
  });
});

describe('the delay of the measuring itself', () => {
  const late = (values: number[]): Metric => ({ ...samplesMetric(values), ownDelay: 0.08 });
  const at = (value: number): number[] => Array.from({ length: 400 }, () => value);

  it('leaves a failure open that it may have made', () => {
    const result = judgeMetric('p95 < 500ms', late(at(0.55)));
    expect(result.verdict).toBe('inconclusive');
    expect(result.sentence.replaceAll(/[\u00a0\u202f]/g, ' ')).toMatch(
      /; but up to 80 ms of it may be the delay of the load generator$/,
    );
  });

  it('changes neither a greater failure nor a pass', () => {
    expect(judgeMetric('p95 < 500ms', late(at(0.59))).verdict).toBe('fail');
    expect(judgeMetric('max < 500ms', late(at(0.59))).verdict).toBe('fail');
    expect(judgeMetric('p95 < 500ms', late(at(0.49))).verdict).toBe('pass');
  });

  it('says nothing of a lower limit', () => {
    expect(judgeMetric('min > 600ms', late(at(0.59))).verdict).toBe('fail');
  });
});

describe('parts of a metric', () => {
  const whole = samplesMetric(fast(2000), 0, 'api.latency');
  const judge = (...parts: Metric[]) =>
    judgeCriterion(
      criterionOf('p95 < 500ms', { metric: 'api.latency', parts: parts.map(({ name }) => name) }),
      new Map([whole, ...parts].map((metric) => [metric.name, metric])),
    );

  it('warn where one alone breaches', () => {
    const result = judge(
      samplesMetric(slow(60), 0, 'api.latency.slow'),
      samplesMetric(fast(60), 0, 'api.latency.fast'),
    );
    expect(result.verdict).toBe('warn');
    expect(result.sentence.replaceAll(/[\u00a0\u202f]/g, ' ')).toMatch(
      /; but api\.latency\.slow alone is at 900 ms$/,
    );
  });

  it('say nothing with too few samples, or none', () => {
    const few = samplesMetric(slow(58), 0, 'api.latency.few');
    const none = samplesMetric([], 0, 'api.latency.none');
    const missing: Metric = { name: 'api.latency.missing', shape: 'missing', reason: 'was not called' };
    expect(judge(few, none, missing).verdict).toBe('pass');
  });

  it('never make a failure milder', () => {
    const failing = judgeCriterion(
      criterionOf('p95 < 50ms', { metric: 'api.latency', parts: ['api.latency.fast'] }),
      new Map([
        ['api.latency', whole],
        ['api.latency.fast', samplesMetric(fast(60), 0, 'api.latency.fast')],
      ]),
    );
    expect(failing.verdict).toBe('fail');
  });
});
