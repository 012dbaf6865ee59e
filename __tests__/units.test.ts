import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { milliseconds, minutes, ratio, seconds, toMilliseconds, toSeconds } from '../src/units.js';

describe('units', () => {
  it('refuses what is not a number', () => {
    expect(() => seconds(Number.NaN)).toThrow(RangeError);
    expect(() => milliseconds(Number.NaN)).toThrow(RangeError);
    expect(() => ratio(Number.NaN)).toThrow(RangeError);
  });

  it('allows an infinite time: a failed run is infinitely slow', () => {
    expect(seconds(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps shares between 0 and 1', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        if (value >= 0 && value <= 1) expect(ratio(value)).toBe(value);
        else expect(() => ratio(value)).toThrow(RangeError);
      }),
    );
  });

  it('converts there and back', () => {
    expect(toSeconds(milliseconds(1500))).toBe(1.5);
    expect(toMilliseconds(seconds(1.5))).toBe(1500);
    expect(minutes(2)).toBe(120);
  });
});
