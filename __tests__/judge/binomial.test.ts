import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost, logGamma, regularizedBeta } from '../../src/judge/binomial.js';
import { ExactBinomial } from '../support/exact-binomial.js';

describe('logGamma', () => {
  it('is the logarithm of factorials', () => {
    let sum = 0;
    for (let n = 1; n <= 2000; n += 1) {
      expect(Math.abs(logGamma(n + 1) - (sum += Math.log(n)))).toBeLessThan(1e-9 * Math.max(1, sum));
    }
  });

  it.each([
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [1.5, Math.log(Math.sqrt(Math.PI) / 2)],
    [0.1, 2.252712651734206],
  ])('of %f', (x, expected) => {
    expect(logGamma(x)).toBeCloseTo(expected, 11);
  });
});

describe('regularizedBeta', () => {
  it('is 0 and 1 at the ends, and symmetric', () => {
    expect(regularizedBeta(0, 3, 4)).toBe(0);
    expect(regularizedBeta(1, 3, 4)).toBe(1);
    const part = fc.double({ min: 0.5, max: 400, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), part, part, (x, a, b) => {
        expect(regularizedBeta(x, a, b)).toBeCloseTo(1 - regularizedBeta(1 - x, b, a), 9);
      }),
    );
  });
});

describe('binomialAtMost', () => {
  it('is the exact sum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 999 }),
        fc.nat(400),
        (n, permille, k) => {
          fc.pre(k <= n);
          const exact = new ExactBinomial(n, permille, 1000).atMost(k);
          expect(Math.abs(binomialAtMost(k, n, permille / 1000) - exact)).toBeLessThan(1e-11);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is the exact sum for thousands too', () => {
    const exact = new ExactBinomial(5000, 95, 100);
    for (const k of [4700, 4720, 4750, 4777, 4800])
      expect(binomialAtMost(k, 5000, 0.95)).toBeCloseTo(exact.atMost(k), 9);
  });

  it('knows what cannot be and what must be', () => {
    expect(binomialAtMost(-1, 10, 0.3)).toBe(0);
    expect(binomialAtMost(10, 10, 0.3)).toBe(1);
  });

  it('stays a probability that grows with k, for a million trials', () => {
    let before = 0;
    for (let k = 949_000; k <= 951_000; k += 100) {
      const now = binomialAtMost(k, 1_000_000, 0.95);
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThanOrEqual(1);
      before = now;
    }
    expect(before).toBeGreaterThan(0.99);
  });
});
