import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/run/pace.js';
import type { Clock } from '../../src/ports.js';
import { milliseconds } from '../../src/units.js';

/** A clock on which only sleeping takes time. */
function sleepingClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(0),
    monotonic: () => milliseconds(0),
    sleep: (duration) => {
      slept.push(duration);
      return Promise.resolve();
    },
  };
}

describe('Pace', () => {
  it('is not needed where everything fits into the limit', () => {
    expect(Pace.under(512, 400, sleepingClock())).toBeUndefined();
    expect(Pace.under(0, 10_000, sleepingClock())).toBeUndefined();
  });

  it('never lets more than the limit pass in a minute', async () => {
    const clock = sleepingClock();
    const pace = Pace.under(512, 1000, clock);
    expect(pace).toBeDefined();
    const signal = new AbortController().signal;
    for (let call = 0; call < 1000; call += 1) await pace?.turn(signal);
    expect(clock.slept).toHaveLength(1000);
    const inTheFirstMinute = clock.slept.filter((at) => at < 60_000).length;
    expect(inTheFirstMinute).toBeLessThanOrEqual(462);
    expect(inTheFirstMinute).toBeGreaterThan(400);
    const gaps = clock.slept.slice(1).map((at, index) => at - (clock.slept[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(100);
  });
});
