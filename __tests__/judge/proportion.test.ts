import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost } from '../../src/judge/binomial.js';
import { estimateProportion } from '../../src/judge/proportion.js';

describe('the interval of Clopper and Pearson', () => {
  // The bounds without failures have a closed form, 0.05^(1/n): published as 94.2 %, 97.0 %, 99.0 %, 99.7 %.
  it.each([
    [50, 0.942],
    [100, 0.97],
    [299, 0.99],
    [1000, 0.997],
  ])('of %i without a failure begins at %f', (n, lower) => {
    const estimate = estimateProportion(n, n);
    expect(estimate?.lower).toBeCloseTo(lower, 3);
    expect(estimate?.lower).toBeCloseTo(0.05 ** (1 / n), 9);
    expect(estimate).toMatchObject({ value: 1, upper: 1 });
  });

  // scipy.stats.binomtest(k, n).proportion_ci(0.90, "exact"), also in Hahn and Meeker's tables.
  it.each([
    [5, 10, 0.22244, 0.77756],
    [1, 10, 0.00512, 0.39416],
    [0, 10, 0, 0.25887],
    [8, 20, 0.21707, 0.60642],
  ])('of %i in %i is %f to %f', (good, total, lower, upper) => {
    const estimate = estimateProportion(good, total);
    expect(estimate?.lower).toBeCloseTo(lower, 4);
    expect(estimate?.upper).toBeCloseTo(upper, 4);
  });

  it('has 5 % on each side, by its defining equations', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), fc.nat(1500), (total, part) => {
        fc.pre(part <= total);
        const { lower, upper, value } = estimateProportion(part, total) ?? {
          lower: -1,
          upper: -1,
          value: -1,
        };
        expect(value).toBe(part / total);
        expect(lower).toBeLessThanOrEqual(value);
        expect(upper).toBeGreaterThanOrEqual(value);
        if (part > 0) expect(1 - binomialAtMost(part - 1, total, lower)).toBeCloseTo(0.05, 6);
        else expect(lower).toBe(0);
        if (part < total) expect(binomialAtMost(part, total, upper)).toBeCloseTo(0.05, 6);
        else expect(upper).toBe(1);
      }),
    );
  });

  it('is the mirror image for failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(300), (total, part) => {
        fc.pre(part <= total);
        const good = estimateProportion(part, total);
        const bad = estimateProportion(total - part, total);
        expect(good?.lower).toBeCloseTo(1 - (bad?.upper ?? -1), 9);
      }),
    );
  });

  it('is nothing without trials', () => {
    expect(estimateProportion(0, 0)).toBeUndefined();
  });
});
