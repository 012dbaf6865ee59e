import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RatePacer } from '../../src/coder/rate-pacer.js';
import { milliseconds } from '../../src/units.js';

const headers = (limit: number | string, remaining: number | string): Headers =>
  new Headers({ 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(remaining) });

describe('RatePacer', () => {
  it('does not slow anything down while there is plenty', () => {
    const pacer = new RatePacer();
    pacer.observe('/a', headers(512, 400), milliseconds(0));
    expect(pacer.delay('/a', milliseconds(1))).toBe(0);
  });

  it('does not slow anything down without a limiter', () => {
    const pacer = new RatePacer();
    pacer.observe('/a', headers(512, 3), milliseconds(0));
    pacer.observe('/a', new Headers(), milliseconds(10));
    expect(pacer.delay('/a', milliseconds(11))).toBe(0);
  });

  it.each([
    ['x', 'y'],
    [0, 0],
    [-5, -5],
  ])('ignores headers that are no numbers: %s, %s', (limit, remaining) => {
    const pacer = new RatePacer();
    pacer.observe('/a', headers(limit, remaining), milliseconds(0));
    expect(pacer.delay('/a', milliseconds(0))).toBe(0);
  });

  it('never lets more than the limit a minute through once the budget is low, however many ask at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 600 }), fc.integer({ min: 1, max: 300 }), (limit, asking) => {
        const pacer = new RatePacer();
        pacer.observe('/a', headers(limit, 0), milliseconds(0));
        const times = Array.from({ length: asking }, () => pacer.delay('/a', milliseconds(0)));
        for (let index = 0; index < asking; index += 1) {
          const from = times[index] ?? 0;
          const within = times.filter((time) => time >= from && time < from + 60_000).length;
          expect(within).toBeLessThanOrEqual(limit + 1);
        }
        expect(pacer.delay('/b', milliseconds(0))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
