import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateQuantile } from '../../src/judge/quantile.js';
import { Distribution, orderedValues, RAW_LIMIT, RELATIVE_ERROR } from '../../src/load/recorder.js';

const QUANTILES = [0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

const nearestRank = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(1, Math.ceil(q * sorted.length - 1e-9)) - 1] ?? Number.NaN;
};

const filled = (values: readonly number[], rawLimit?: number): Distribution => {
  const distribution = new Distribution(rawLimit);
  for (const value of values) distribution.add(value);
  return distribution;
};

/** From a microsecond to an hour, as latencies are: spread over the orders of magnitude. */
const latencies = fc.array(
  fc.double({ min: -3, max: 6.5, noNaN: true }).map((exponent) => 10 ** exponent),
  { minLength: 1, maxLength: 400 },
);

describe('a distribution', () => {
  it('is exact while it keeps its values', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        for (const q of QUANTILES) expect(filled(values).quantile(q)).toBe(nearestRank(values, q));
      }),
    );
  });

  it('is within its relative error in buckets', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const distribution = filled(values, 0);
        expect(distribution.data().kind).toBe('buckets');
        for (const q of QUANTILES) {
          const exact = nearestRank(values, q);
          expect(Math.abs(distribution.quantile(q) - exact) / exact).toBeLessThanOrEqual(
            RELATIVE_ERROR + 1e-9,
          );
        }
        expect(distribution.count).toBe(values.length);
      }),
    );
  });

  it('merges to what it would be with all values', () => {
    fc.assert(
      fc.property(latencies, latencies, fc.boolean(), fc.boolean(), (first, second, inBuckets, othersToo) => {
        const merged = filled(first, inBuckets ? 0 : undefined);
        merged.merge(filled(second, othersToo ? 0 : undefined));
        const all = [...first, ...second];
        expect(merged.count).toBe(all.length);
        for (const q of QUANTILES) {
          const exact = nearestRank(all, q);
          expect(Math.abs(merged.quantile(q) - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR + 1e-9);
        }
      }),
    );
  });

  it('keeps every value as it is when it is merged, also one far below what evidence rounds to', () => {
    const merged = filled([2]);
    merged.merge(filled([0.001_234_567]));
    expect(merged.quantile(0.001)).toBe(0.001_234_567);
  });

  it('survives being written as JSON', () => {
    fc.assert(
      fc.property(latencies, fc.boolean(), fc.nat({ max: 3 }), (values, inBuckets, failed) => {
        const distribution = filled(values, inBuckets ? 0 : undefined);
        for (let count = 0; count < failed; count += 1) distribution.fail();
        const read = Distribution.from(
          JSON.parse(JSON.stringify(distribution.data())) as ReturnType<Distribution['data']>,
        );
        expect(read.count).toBe(values.length + failed);
        expect(read.failed).toBe(failed);
        for (const q of QUANTILES) {
          const before = distribution.quantile(q);
          if (before === Infinity) expect(read.quantile(q)).toBe(Infinity);
          else expect(Math.abs(read.quantile(q) - before)).toBeLessThanOrEqual(1e-4);
        }
      }),
    );
  });

  it('counts failed ones as infinitely slow', () => {
    const distribution = filled(Array.from({ length: 95 }, (_none, index) => index + 1));
    for (let count = 0; count < 5; count += 1) distribution.fail();
    expect(distribution.quantile(0.95)).toBe(95);
    expect(distribution.quantile(0.96)).toBe(Infinity);
    expect(distribution.max).toBe(Infinity);
    expect(distribution.mean).toBe(48);
    expect(distribution.data()).toMatchObject({ kind: 'samples', failed: 5 });
  });

  it('has no quantiles without samples', () => {
    expect(new Distribution().quantile(0.5)).toBeNaN();
    expect(new Distribution().max).toBeNaN();
    expect(new Distribution().data()).toEqual({ kind: 'samples', values: [], failed: 0 });
  });

  it('takes bounded memory: a million values over nine orders of magnitude in fewer than 2,500 buckets', () => {
    const distribution = new Distribution();
    for (let index = 0; index < 1_000_000; index += 1)
      distribution.add(0.001 * 10 ** ((9 * index) / 1_000_000));
    const data = distribution.data();
    expect(data.kind === 'buckets' && data.buckets.length).toBeLessThan(2_500);
    expect(JSON.stringify(data).length).toBeLessThan(50_000);
  });

  it('gives the judge its values in order, with the same quantiles', () => {
    const values = Array.from({ length: RAW_LIMIT + 1 }, (_none, index) => 1 + ((index * 7919) % 10_007));
    const distribution = filled(values);
    const samples = orderedValues(distribution.data());
    expect(samples).toHaveLength(values.length);
    expect(samples[0]).toBe(1);
    for (const q of [0.5, 0.95, 0.99]) {
      expect(estimateQuantile({ samples, failed: 0 }, q)?.value).toBe(distribution.quantile(q));
    }
  });
});
