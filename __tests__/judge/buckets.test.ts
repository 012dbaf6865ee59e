import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketAt } from '../../src/judge/buckets.js';
import { bucketMetric, judgeMetric, samplesMetric, valueMetric } from '../support/metrics.js';

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** 1,000 measurements: 900 up to 100 ms, 80 more up to 250 ms, 20 up to 1 s. */
const LATENCY = bucketMetric(
  [
    [0.1, 900],
    [0.25, 980],
    [1, 1000],
  ],
  1000,
  80,
);
/** The same, and the last 100 take longer than any bound. */
const OPEN = bucketMetric(
  [
    [0.1, 900],
    [0.25, 900],
    [1, 900],
  ],
  1000,
  Infinity,
);

describe('a quantile of buckets', () => {
  it.each([
    // The P95 is in the bucket from 100 ms to 250 ms.
    ['p95 < 250ms', 'pass'],
    ['p95 <= 250ms', 'pass'],
    ['p95 < 1s', 'pass'],
    ['p95 < 249ms', 'inconclusive'],
    ['p95 < 101ms', 'inconclusive'],
    ['p95 < 100ms', 'fail'],
    ['p95 <= 100ms', 'fail'],
    ['p95 < 50ms', 'fail'],
    ['p50 < 100ms', 'pass'],
    ['p50 < 90ms', 'inconclusive'],
    ['p99 < 1s', 'pass'],
    ['p99 < 250ms', 'fail'],
    ['p95 > 100ms', 'pass'],
    ['p95 >= 250ms', 'fail'],
    ['p95 > 200ms', 'inconclusive'],
    ['p95 == 200ms', 'inconclusive'],
    ['p95 == 2s', 'fail'],
  ])('%s: %s', (expectation, verdict) => {
    expect(judgeMetric(expectation, LATENCY).verdict).toBe(verdict);
  });

  it('is shown as its bucket, never as a number inside of it', () => {
    const result = judgeMetric('p95 < 200ms', LATENCY);
    expect(result).toMatchObject({ observed: { kind: 'bucket', above: 0.1, upTo: 0.25, n: 1000 } });
    expect(result.sentence).toMatch(
      /^P95 100 ms to 250 ms \(n = 1000\), expected p95 < 200ms; only the bucket is known, .*100 ms, 250 ms, 1 s$/,
    );
    expect(judgeMetric('p50 < 100ms', LATENCY).sentence).toMatch(/^P50 at most 100 ms/);
  });

  it('above the last bound is above every limit up to there, and no limit beyond can be shown', () => {
    expect(judgeMetric('p95 < 1s', OPEN)).toMatchObject({
      verdict: 'fail',
      observed: { kind: 'bucket', above: 1, n: 1000 },
      sentence: expect.stringMatching(/^P95 above 1 s/) as unknown,
    });
    expect(judgeMetric('p95 < 1h', OPEN).verdict).toBe('inconclusive');
    expect(judgeMetric('p95 > 1s', OPEN).verdict).toBe('pass');
  });

  it('needs as many measurements as one of samples does', () => {
    const few = (n: number) => bucketMetric([[0.1, n]], n);
    expect(judgeMetric('p95 < 100ms', few(58)).verdict).toBe('inconclusive');
    expect(judgeMetric('p95 < 100ms', few(59)).verdict).toBe('pass');
    expect(judgeMetric('p95 < 50ms', few(59)).verdict).toBe('inconclusive');
  });

  it('is an error of nothing', () => {
    expect(judgeMetric('p95 < 1s', bucketMetric([[0.1, 0]], 0)).verdict).toBe('error');
  });

  it('warns by the same rule', () => {
    const warn = { text: 'p95 < 100ms', aggregate: { kind: 'quantile', q: 0.95, name: 'p95' } } as const;
    const level = { ...warn, operator: '<', threshold: 0.1, unit: 'seconds' } as const;
    expect(judgeMetric('p95 < 250ms', LATENCY, { warn: level }).verdict).toBe('warn');
  });
});

describe('the other aggregates of buckets', () => {
  it.each([
    ['max < 1s', 'pass'],
    ['max < 900ms', 'inconclusive'],
    ['max < 250ms', 'fail'],
    ['min > 1ms', 'inconclusive'],
    ['min < 100ms', 'pass'],
    ['mean < 81ms', 'pass'],
    ['mean < 80ms', 'fail'],
    ['count >= 1000', 'pass'],
    ['count > 1000', 'fail'],
  ])('%s: %s', (expectation, verdict) => {
    expect(judgeMetric(expectation, LATENCY).verdict).toBe(verdict);
  });

  it('have no maximum above the last bound', () => {
    expect(judgeMetric('max < 1h', OPEN).verdict).toBe('inconclusive');
    expect(judgeMetric('max < 1s', OPEN).verdict).toBe('fail');
    expect(judgeMetric('mean < 1h', OPEN).verdict).toBe('fail');
  });
});

it('never contradicts the samples that were put into the buckets', () => {
  const sample = fc.double({ min: 1e-6, max: 20, noNaN: true });
  const expectation = fc.tuple(
    fc.constantFrom('p50', 'p90', 'p95', 'p99', 'max', 'min'),
    fc.constantFrom('<', '<=', '>', '>='),
    fc.oneof(fc.constantFrom(...BOUNDS), fc.constantFrom(0.003, 0.02, 0.07, 0.3, 0.7, 3, 15)),
  );
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 400 }), expectation, (samples, asked) => {
      const [aggregate, operator, threshold] = asked;
      const text = `${aggregate} ${operator} ${threshold}s`;
      const counts = BOUNDS.map((bound) => [bound, samples.filter((one) => one <= bound).length] as const);
      const exact = judgeMetric(text, samplesMetric(samples)).verdict;
      const byBuckets = judgeMetric(text, bucketMetric(counts, samples.length)).verdict;
      // A sample exactly at a bound is the one case in which "<" and "<=" differ.
      if (samples.some((one) => one === threshold)) return;
      if (byBuckets !== 'inconclusive') expect(byBuckets).toBe(exact);
      if (BOUNDS.includes(threshold)) expect(byBuckets).toBe(exact);
    }),
    { numRuns: 500 },
  );
});

it('finds the bucket of every place', () => {
  expect([1, 900, 901, 980, 981, 1000].map((rank) => bucketAt(LATENCY, rank))).toEqual([
    { above: 0, upTo: 0.1 },
    { above: 0, upTo: 0.1 },
    { above: 0.1, upTo: 0.25 },
    { above: 0.1, upTo: 0.25 },
    { above: 0.25, upTo: 1 },
    { above: 0.25, upTo: 1 },
  ]);
  expect(bucketAt(OPEN, 901)).toEqual({ above: 1, upTo: Infinity });
});

describe('one number with a unit', () => {
  it.each([
    ['>= 40KB/s', 40_000, 'pass', '40 KB/s'],
    ['>= 40KB/s', 39_999, 'fail', '40 KB/s'],
    ['>= 1.2MB/s', 1_250_000, 'pass', '1.3 MB/s'],
    ['> 0B/s', 0, 'fail', '0 B/s'],
  ])('%s of %d: %s', (expectation, value, verdict, shown) => {
    const result = judgeMetric(expectation, valueMetric(value));
    expect(result.verdict).toBe(verdict);
    expect(result.sentence).toContain(shown);
  });

  it('may be more than all of what was asked for', () => {
    expect(judgeMetric('>= 90%', valueMetric(1.01, 'ratio'))).toMatchObject({
      verdict: 'pass',
      sentence: '101 %, expected >= 90%',
    });
  });
});
