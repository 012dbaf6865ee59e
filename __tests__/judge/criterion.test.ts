import { describe, expect, it } from 'vitest';
import { judgeCriterion } from '../../src/judge/criterion.js';
import type { Metric } from '../../src/measure/metric.js';
import { judgeMetric, ratioMetric, samplesMetric } from '../support/metrics.js';
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
