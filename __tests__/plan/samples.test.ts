import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samplesNeeded, undecidable } from '../../src/plan/samples.js';
import { criterionOf } from '../support/plans.js';

describe('samplesNeeded', () => {
  it.each([
    [0.9, 29],
    [0.95, 59],
    [0.99, 299],
    [0.999, 2995],
  ])('of the quantile %f is %i', (q, needed) => {
    expect(samplesNeeded(q)).toBe(needed);
  });

  it('is the first n whose largest sample is above the quantile with 95 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 999 }), (permille) => {
        const q = permille / 1000;
        const needed = samplesNeeded(q);
        expect(1 - q ** needed).toBeGreaterThanOrEqual(0.95);
        expect(1 - q ** (needed - 1)).toBeLessThan(0.95);
      }),
    );
  });
});

describe('undecidable', () => {
  it.each([
    ['p95 < 2m', 58, /58 workspaces: a P95 needs 59, so it needs 1 more workspace;/],
    ['p99 < 2m', 100, /100 workspaces: a P99 needs 299, so it needs 199 more workspaces;/],
    ['p90 <= 2m', 10, /P90 needs 29, so it needs 19 more workspaces/],
    ['p99.9 < 2m', 1000, /P99\.9 needs 2995, so it needs 1995 more workspaces/],
  ])('says what %s lacks with %i samples', (expectation, planned, message) => {
    expect(undecidable(criterionOf(expectation, { plannedSamples: planned }))).toMatch(message);
  });

  it.each([
    ['p95 < 2m', 59],
    ['p99 < 2m', 299],
    ['p95 > 1s', 1],
    ['max < 2m', 1],
    ['mean < 2m', 3],
  ])('has nothing against %s with %i samples', (expectation, planned) => {
    expect(undecidable(criterionOf(expectation, { plannedSamples: planned }))).toBeUndefined();
  });

  it('leaves alone what decides nothing', () => {
    const few = { plannedSamples: 5 };
    expect(undecidable(criterionOf('p95 < 2m', { ...few, informational: true }))).toBeUndefined();
    expect(undecidable(criterionOf('p95 < 2m', { ...few, disabled: { reason: 'x' } }))).toBeUndefined();
    expect(undecidable(criterionOf('p95 < 2m'))).toBeUndefined();
  });

  it('refuses more samples than are planned', () => {
    const criterion = criterionOf('max < 2m', { plannedSamples: 10, minSamples: 20 });
    expect(undecidable(criterion)).toMatch(
      /wants at least 20 samples \(min_samples\), but 10 are planned: it needs 10 more workspaces/,
    );
  });
});
