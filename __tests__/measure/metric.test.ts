import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peakOverlap } from '../../src/measure/metric.js';

describe('peakOverlap', () => {
  it('is the most intervals at one moment, counted moment by moment', () => {
    const interval = fc.tuple(fc.nat(30), fc.nat(10)).map(([from, length]) => ({ from, to: from + length }));
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 20 }), (intervals) => {
        const moments = Array.from({ length: 41 }, (_, moment) => moment);
        const counts = moments.map(
          (moment) => intervals.filter(({ from, to }) => from <= moment && moment < to).length,
        );
        expect(peakOverlap(intervals)).toBe(Math.max(0, ...counts));
      }),
    );
  });

  it('does not count one that ends when another begins', () => {
    expect(
      peakOverlap([
        { from: 0, to: 5 },
        { from: 5, to: 9 },
      ]),
    ).toBe(1);
  });
});
