import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBucket, formatQuantity } from '../../src/judge/format.js';

describe('formatQuantity', () => {
  it.each([
    [0, 'seconds', '0 s'],
    [0.845, 'seconds', '845 ms'],
    [1.5, 'seconds', '1.5 s'],
    [9.876, 'seconds', '9.88 s'],
    [45.67, 'seconds', '45.7 s'],
    [94, 'seconds', '1 m 34 s'],
    [120, 'seconds', '2 m'],
    [3600, 'seconds', '1 h'],
    [3661, 'seconds', '1 h 1 m 1 s'],
    [Number.POSITIVE_INFINITY, 'seconds', 'never'],
    [0.993, 'ratio', '99.3 %'],
    [1, 'ratio', '100 %'],
    [0, 'ratio', '0 %'],
    [0.99996, 'ratio', '99.99 %'],
    [1000, 'count', '1,000'],
    [0, 'count', '0'],
    [0, 'bytes_per_second', '0 B/s'],
    [999, 'bytes_per_second', '999 B/s'],
    [40_000, 'bytes_per_second', '40 KB/s'],
    [1_228_800, 'bytes_per_second', '1.2 MB/s'],
    [2.5e9, 'bytes_per_second', '2.5 GB/s'],
  ] as const)('%f %s is %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it('never shows 100 % for less', () => {
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        fc.oneof(
          share,
          share.map((value) => 1 - value * 1e-9).filter((value) => value < 1),
        ),
        (value) => {
          expect(formatQuantity(value, 'ratio')).not.toBe('100 %');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never shows 0 % for more', () => {
    expect(formatQuantity(1 / 50_000, 'ratio')).not.toBe('0 %');
  });

  it('shows shares that differ by a tenth of a percent differently', () => {
    const texts = Array.from({ length: 1001 }, (_, permille) => formatQuantity(permille / 1000, 'ratio'));
    expect(new Set(texts).size).toBe(1001);
  });

  it('shows a time within one percent, from milliseconds to a day', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 86_400, noNaN: true }), (value) => {
        const factors: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
        const shown = [...formatQuantity(value, 'seconds').matchAll(/([\d.]+) (h|ms|m|s)/g)].reduce(
          (sum, [, amount = '', unit = '']) => sum + Number(amount) * (factors[unit] ?? Number.NaN),
          0,
        );
        expect(Math.abs(shown - value) / value).toBeLessThan(0.011);
      }),
    );
  });
});

describe('formatBucket', () => {
  it.each([
    [{ above: 0, upTo: 0.005 }, 'at most 5 ms'],
    [{ above: 0.1, upTo: 0.25 }, '100 ms to 250 ms'],
    [{ above: 1, upTo: 2.5 }, '1 s to 2.5 s'],
    [{ above: 10 }, 'above 10 s'],
  ])('%j is %s', (bucket, text) => {
    expect(formatBucket(bucket, 'seconds')).toBe(text);
  });
});
