import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forEachConcurrently } from '../src/concurrency.js';

const moment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('forEachConcurrently', () => {
  it('does every item once, in order, and never more than the limit at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 30 }),
        fc.integer({ min: -1, max: 8 }),
        async (pauses, limit) => {
          const begun: number[] = [];
          let inFlight = 0;
          let peak = 0;
          await forEachConcurrently(pauses, limit, async (pause, index) => {
            begun.push(index);
            inFlight += 1;
            peak = Math.max(peak, inFlight);
            for (let turn = 0; turn < pause; turn += 1) await moment();
            inFlight -= 1;
          });
          expect(begun).toEqual(pauses.map((_, index) => index));
          expect(inFlight).toBe(0);
          expect(peak).toBeLessThanOrEqual(Math.max(1, limit));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses the whole limit', async () => {
    let inFlight = 0;
    let peak = 0;
    await forEachConcurrently([1, 2, 3, 4, 5, 6], 3, async () => {
      inFlight += 1;
      peak = Math.max(peak, inFlight);
      await moment();
      inFlight -= 1;
    });
    expect(peak).toBe(3);
  });

  it('gives the error of a task, after the tasks that had begun', async () => {
    const ended: number[] = [];
    const run = forEachConcurrently([0, 1], 2, async (item) => {
      if (item === 0) throw new Error('the first one broke');
      await moment();
      await moment();
      ended.push(item);
    });
    await expect(run).rejects.toThrow('the first one broke');
    expect(ended).toEqual([1]);
  });

  it('begins nothing more after an error', async () => {
    const begun: number[] = [];
    const run = forEachConcurrently([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await moment();
      if (item === 0) throw new Error('broken');
      await moment();
    });
    await expect(run).rejects.toThrow('broken');
    expect(begun).toEqual([0, 1]);
  });
});
