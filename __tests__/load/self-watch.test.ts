import { describe, expect, it } from 'vitest';
import { saturation, SelfWatch } from '../../src/load/self-watch.js';

const calm = {
  sendLagP99Ms: 0.5,
  sendLagMaxMs: 30,
  eventLoopLagP99Ms: 1,
  eventLoopLagMaxMs: 30,
  cpuShare: 0.2,
  largestBacklog: 2,
  connectionWaitP99Ms: 4_000,
};

describe('the generator’s watch over itself', () => {
  it('is content with a calm generator, also when users waited for connections', () => {
    expect(saturation(calm)).toBeUndefined();
  });

  it.each([
    [
      { sendLagP99Ms: 332.34, largestBacklog: 9 },
      /1 % of the calls were sent more than 250 ms after their time \(P99 332\.3 ms, at most 9 arrivals late at once\)/,
    ],
    [
      { eventLoopLagP99Ms: 355 },
      /event loop was late by more than 250 ms for 1 % of the time \(P99 355\.0 ms\)/,
    ],
    [{ cpuShare: 0.97 }, /it used 97 % of one core/],
  ])('names what was too much: %j', (more, sentence) => {
    expect(saturation({ ...calm, ...more })).toMatch(/^the load generator was saturated: .*[^.]$/);
    expect(saturation({ ...calm, ...more })).toMatch(sentence);
  });

  it('names all of it', () => {
    const reasons = saturation({ ...calm, sendLagP99Ms: 332, cpuShare: 1 }) ?? '';
    expect(reasons.split('; ')).toHaveLength(2);
  });

  it('sees a blocked event loop and a busy core', async () => {
    const watch = new SelfWatch();
    watch.start();
    // Its first look lies before the block.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const end = performance.now() + 300;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 30));
    watch.sent(3);
    watch.sent(40);
    const health = watch.health();
    watch.stop();
    expect(health.eventLoopLagMaxMs).toBeGreaterThan(200);
    expect(health.cpuShare).toBeGreaterThan(0);
    expect(health.sendLagMaxMs).toBe(40);
    expect(health.saturated).toMatch(/saturated/);
  });

  it('does not take turning the event loop for work', async () => {
    const watch = new SelfWatch();
    watch.start();
    const end = performance.now() + 200;
    while (performance.now() < end);
    watch.spun(10_000);
    expect(watch.health().cpuShare).toBe(0);
    watch.stop();
  });

  it('has nothing to say before anything was sent', () => {
    expect(new SelfWatch().health()).toMatchObject({
      sendLagP99Ms: 0,
      connectionWaitP99Ms: 0,
      largestBacklog: 0,
    });
  });
});
