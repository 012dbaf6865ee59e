import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCriterion } from '../../src/judge/criterion.js';
import { estimateQuantile } from '../../src/judge/quantile.js';
import { ExactBinomial } from '../support/exact-binomial.js';
import { judgeSamples, samplesAbove } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

/** Samples 1 to n, so that a bound is its own rank. */
const ranks = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

/**
 * How many of n samples may be above the limit for a pass, and how many are needed for a fail; "never" is undefined.
 * Reference: the table of exact one-sided 95 % tests in the notes on gating (section 6.3).
 */
const TABLE: readonly [n: number, q: number, pass: number | undefined, fail: number][] = [
  [20, 0.95, undefined, 4],
  [50, 0.95, undefined, 6],
  [59, 0.95, 0, 7],
  [100, 0.95, 1, 10],
  [200, 0.95, 4, 16],
  [300, 0.95, 8, 22],
  [500, 0.95, 16, 34],
  [1000, 0.95, 38, 63],
  [5000, 0.95, 224, 277],
  [20, 0.99, undefined, 2],
  [50, 0.99, undefined, 3],
  [59, 0.99, undefined, 3],
  [100, 0.99, undefined, 4],
  [200, 0.99, undefined, 6],
  [300, 0.99, 0, 7],
  [500, 0.99, 1, 10],
  [1000, 0.99, 4, 16],
  [5000, 0.99, 38, 63],
];
const LIMIT = 120;

describe('bounds of a quantile', () => {
  it.each(TABLE)(
    'of %i samples, quantile %f: pass up to %s above the limit, fail from %i on',
    (n, q, pass, fail) => {
      for (let above = 0; above <= Math.min(n, fail + 40); above += 1) {
        const { lower, upper } =
          estimateQuantile({ samples: samplesAbove(n, above, LIMIT), failed: 0 }, q) ?? {};
        expect(upper !== undefined && upper <= LIMIT, `upper bound, ${above} above`).toBe(
          pass !== undefined && above <= pass,
        );
        expect(lower !== undefined && lower > LIMIT, `lower bound, ${above} above`).toBe(above >= fail);
      }
    },
  );

  it('has one-sided ranks that the exact sums give, for any n and q', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 500, max: 999 }), (n, permille) => {
        const exact = new ExactBinomial(n, permille, 1000);
        const { lower, upper } = estimateQuantile({ samples: ranks(n), failed: 0 }, permille / 1000) ?? {};
        // The smallest u with P(X <= u - 1) >= 95 %, the largest l with P(X >= l) >= 95 %.
        if (upper === undefined) expect(exact.atMostReaches(n - 1, 95)).toBe(false);
        else {
          expect(exact.atMostReaches(upper - 1, 95)).toBe(true);
          expect(exact.atMostReaches(upper - 2, 95)).toBe(false);
        }
        if (lower === undefined) expect(exact.atLeastReaches(1, 95)).toBe(false);
        else {
          expect(exact.atLeastReaches(lower, 95)).toBe(true);
          expect(exact.atLeastReaches(lower + 1, 95)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [0.9, 29],
    [0.95, 59],
    [0.99, 299],
    [0.999, 2995],
  ])('of the quantile %f has an upper one from %i samples on', (q, first) => {
    expect(estimateQuantile({ samples: ranks(first), failed: 0 }, q)?.upper).toBe(first);
    expect(estimateQuantile({ samples: ranks(first - 1), failed: 0 }, q)?.upper).toBeUndefined();
  });

  it('are infinite where they fall on failed runs', () => {
    const estimate = estimateQuantile({ samples: ranks(97), failed: 3 }, 0.95);
    expect(estimate).toMatchObject({ n: 100, rank: 95, value: 95, upper: Number.POSITIVE_INFINITY });
  });
});

describe('the estimate', () => {
  it('is the nearest rank: at least the share q is not above it, and less than q is below it', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(samples, fc.nat(5), fc.integer({ min: 1, max: 1000 }), (values, failed, permille) => {
        const ordered = [...values].sort((a, b) => a - b);
        const all = [...ordered, ...Array.from({ length: failed }, () => Number.POSITIVE_INFINITY)];
        const { value, n } = estimateQuantile({ samples: ordered, failed }, permille / 1000) ?? {};
        expect(n).toBe(all.length);
        const notAbove = all.filter((one) => one <= (value ?? -1)).length;
        const below = all.filter((one) => one < (value ?? -1)).length;
        expect(notAbove * 1000).toBeGreaterThanOrEqual(permille * all.length);
        expect(below * 1000).toBeLessThan(permille * all.length);
      }),
    );
  });

  it.each([
    [100, 0.95, 95],
    [1000, 0.95, 950],
    [700, 0.95, 665],
    [300, 0.99, 297],
    [20, 0.95, 19],
    [1, 0.95, 1],
    [10, 0.5, 5],
  ])('of %i samples, quantile %f, has the rank %i', (n, q, rank) => {
    expect(estimateQuantile({ samples: ranks(n), failed: 0 }, q)).toMatchObject({ rank, value: rank });
  });

  it('is nothing without samples', () => {
    expect(estimateQuantile({ samples: [], failed: 0 }, 0.95)).toBeUndefined();
  });
});

describe('the three states of a quantile', () => {
  it.each(TABLE)('n = %i, q = %f: pass up to %s above, and a fail is a breach', (n, q, pass, fail) => {
    const first = q === 0.95 ? 59 : 299;
    const mostForEstimate = n - Math.ceil(n * q - 1e-9);
    for (let above = 0; above <= Math.min(n, fail + 20); above += 1) {
      const { verdict } = judgeSamples(`p${q * 100} < ${LIMIT + 1}s`, samplesAbove(n, above, LIMIT));
      const breaches = above > mostForEstimate;
      const expected = breaches
        ? n >= first || above >= fail
          ? 'fail'
          : 'inconclusive'
        : pass !== undefined && above <= pass
          ? 'pass'
          : 'inconclusive';
      expect(verdict, `${above} above`).toBe(expected);
    }
  });

  it('of too few samples never pass, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 58 }),
        fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 58, maxLength: 58 }),
        (n, values) => {
          expect(judgeSamples('p95 < 2m', values.slice(0, n)).verdict).not.toBe('pass');
        },
      ),
    );
  });

  it('say how many samples lack', () => {
    const { sentence } = judgeSamples(
      'p95 < 2m',
      ranks(50).map((rank) => rank / 10),
    );
    expect(sentence).toMatch(
      /50 workspaces are too few to decide: a P95 needs 59, so it needs 9 more workspaces/,
    );
  });

  it('say how bad it may be', () => {
    const { verdict, sentence } = judgeSamples('p95 < 121s', samplesAbove(100, 3, LIMIT));
    expect(verdict).toBe('inconclusive');
    expect(sentence).toMatch(/at 95 % confidence it may be /);
  });

  it('take a slowest sample at the limit as breaching "<" and meeting "<="', () => {
    const atLimit = Array.from({ length: 100 }, () => 120);
    expect(judgeSamples('p95 < 2m', atLimit).verdict).toBe('fail');
    expect(judgeSamples('p95 <= 2m', atLimit).verdict).toBe('pass');
  });

  it('of lower limits are decided by the lower bound', () => {
    expect(judgeSamples('p95 > 1s', [5]).verdict).toBe('pass');
    expect(judgeSamples('p95 > 10s', ranks(20)).verdict).toBe('pass');
    expect(judgeSamples('p95 > 20s', ranks(20)).verdict).toBe('fail');
  });

  it('count failed runs as infinitely slow', () => {
    expect(
      judgeSamples(
        'p95 < 2m',
        ranks(94).map(() => 1),
        6,
      ).verdict,
    ).toBe('fail');
    expect(
      judgeSamples(
        'p95 < 2m',
        ranks(99).map(() => 1),
        1,
      ).verdict,
    ).toBe('pass');
  });

  it('never get better when a sample gets slower', () => {
    const order = ['fail', 'inconclusive', 'pass'];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 240 }), { minLength: 59, maxLength: 120 }),
        fc.nat(119),
        (values, pick) => {
          const slower = values.map((value, index) => (index === pick % values.length ? value + 200 : value));
          const better = judgeSamples('p95 < 2m', values).verdict;
          expect(order.indexOf(judgeSamples('p95 < 2m', slower).verdict)).toBeLessThanOrEqual(
            order.indexOf(better),
          );
        },
      ),
    );
  });
});

it('a quantile of only failed runs fails', () => {
  const metric = {
    name: 'm',
    shape: 'samples',
    unit: 'seconds',
    samples: [],
    failed: 100,
    phase: '',
    source: 'cli-result',
    evidence: [],
  } as const;
  expect(judgeCriterion(criterionOf('p95 < 2m', { metric: 'm' }), new Map([['m', metric]])).verdict).toBe(
    'fail',
  );
});
