import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpectationError, parseExpectation } from '../../src/config/expectation.js';
import { thrownBy } from '../support/fakes.js';

const quantile = fc
  .integer({ min: 500, max: 999 })
  .map((permille) => ({ kind: 'quantile' as const, q: permille / 1000, name: `p${permille / 10}` }));
const aggregate = fc.oneof(
  quantile,
  fc.constantFrom('max', 'min', 'mean', 'count').map((kind) => ({ kind, name: kind })),
  fc.constant({ kind: 'value', name: '' }),
);
const operator = fc.constantFrom('<', '<=', '>', '>=', '==');
const quantity = fc.oneof(
  fc.nat(100_000).map((value) => ({ text: String(value), threshold: value, unit: 'count' })),
  fc.nat(1000).map((value) => ({ text: `${value / 10}%`, threshold: value / 1000, unit: 'ratio' })),
  fc.nat(100_000).map((value) => ({ text: `${value}ms`, threshold: value / 1000, unit: 'seconds' })),
  fc.nat(1000).map((value) => ({ text: `${value}m`, threshold: value * 60, unit: 'seconds' })),
  fc
    .tuple(
      fc.nat(100_000),
      fc.constantFrom(['B', 1], ['KB', 1e3], ['MB', 1e6], ['KiB', 1024], ['GiB', 1024 ** 3]),
    )
    .map(([value, [symbol, factor]]) => ({
      text: `${value}${symbol}/s`,
      threshold: value * factor,
      unit: 'bytes_per_second',
    })),
);
const space = fc.stringMatching(/^[ \t]{0,3}$/);

describe('expectations', () => {
  it('reads whatever the grammar can write, with any white space and letter case', () => {
    fc.assert(
      fc.property(
        aggregate,
        operator,
        quantity,
        space,
        space,
        fc.boolean(),
        (part, symbol, amount, before, gap, upper) => {
          const name = upper ? part.name.toUpperCase() : part.name;
          const text = `${before}${name}${name === '' ? '' : ` ${gap}`}${symbol}${gap}${amount.text}${before}`;
          const parsed = parseExpectation(text);
          expect(parsed.operator).toBe(symbol);
          expect(parsed.unit).toBe(amount.unit);
          expect(parsed.threshold).toBeCloseTo(amount.threshold, 9);
          expect(parsed.aggregate.kind).toBe(part.kind);
          if (parsed.aggregate.kind === 'quantile' && 'q' in part)
            expect(parsed.aggregate.q).toBeCloseTo(part.q, 9);
          expect(parsed.text).toBe(text.trim());
          // What it shows is what it reads.
          expect(parseExpectation(parsed.text)).toEqual(parsed);
        },
      ),
    );
  });

  it('refuses any other text with an ExpectationError inside the text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'p95',
        '<',
        '2m',
        ' ',
        'max',
        '%',
        '99%',
        'slope',
        '>=',
        '1e9',
        '9'.repeat(400),
        'MB/s',
        's',
      ),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
        (text) => {
          try {
            const { threshold } = parseExpectation(text);
            expect(threshold).toBeGreaterThanOrEqual(0);
            // What nothing can breach is no limit.
            expect(threshold).toBeLessThan(Infinity);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ExpectationError);
            const { offset } = thrown as ExpectationError;
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset).toBeLessThanOrEqual(text.length);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['p95 < 2x', 6, /"2x" is no quantity/],
    ['p95   <=   banana', 11, /"banana" is no quantity/],
    ['  p49 < 2m', 2, /quantiles go from p50 to p99.9, not p49/],
    ['p99.95 < 2m', 0, /quantiles go from p50 to p99.9/],
    ['median < 2m', 0, /"median" is no aggregate; there are p50/],
    ['slope < 1%/h', 0, /"slope" needs a metric that is watched over time/],
    ['>= 101%', 3, /"101%" is no quantity/],
    ['p95 = 2m', 4, /is no expectation; write for example "p95 < 2m"/],
    ['p95 < 2m and more', 9, /is no expectation/],
    ['p95 <', 5, /is no expectation/],
    ['  < < 5', 6, /is no expectation/],
    [`< ${'9'.repeat(400)}`, 2, /is no quantity/],
    [`p95 < ${'9'.repeat(400)}s`, 6, /is no quantity/],
    [`> ${'9'.repeat(400)}MB/s`, 2, /is no quantity/],
    ['', 0, /is no expectation/],
  ])('shows where %j is wrong', (text, offset, message) => {
    const thrown = thrownBy(() => parseExpectation(text));
    expect(thrown).toBeInstanceOf(ExpectationError);
    expect(thrown).toMatchObject({ offset, message: expect.stringMatching(message) as string });
  });

  it.each([
    ['p50', 0.5],
    ['p95', 0.95],
    ['P99', 0.99],
    ['p99.9', 0.999],
    ['p97.5', 0.975],
  ])('knows the quantile %s', (name, q) => {
    const { aggregate: parsed } = parseExpectation(`${name} < 1s`);
    expect(parsed.kind === 'quantile' && Math.abs(parsed.q - q) < 1e-12).toBe(true);
  });
});
