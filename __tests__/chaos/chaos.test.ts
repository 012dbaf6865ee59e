import { describe, expect, it, vi } from 'vitest';
import { caseOf } from '../../simulator/chaos/cases.js';
import { FAULTS } from '../../simulator/chaos/faults.js';
import { runCase } from '../../simulator/chaos/run-case.js';

/** The short form of `npm run chaos`: every fault once, at moments of a seed of its own. */
const SEED = 7;
const LONGEST_CASE_MS = 300_000;
// Each case starts several processes.
vi.setConfig({ maxConcurrency: 3 });

const cases = FAULTS.map((fault, index) => ({ name: fault.name, number: index + 1 }));

describe.concurrent(
  'whatever goes wrong, nothing is left, leaked or lost',
  { timeout: LONGEST_CASE_MS },
  () => {
    it.each(cases)('$name', async ({ number }) => {
      const { problems, log } = await runCase(caseOf(number, SEED));
      expect(problems, log.join('\n')).toEqual([]);
    });
  },
);

describe('a case', () => {
  it('is the same for the same seed and number', () => {
    expect(JSON.stringify(caseOf(42, 3))).toBe(JSON.stringify(caseOf(42, 3)));
    expect(JSON.stringify(caseOf(42, 3))).not.toBe(JSON.stringify(caseOf(42, 4)));
  });

  it('meets every stage within three rounds of the faults', () => {
    const moments = new Set(
      Array.from({ length: 3 * FAULTS.length }, (_, index) => caseOf(index + 1, 1).moment.name),
    );
    expect(moments.size).toBe(8);
  });
});
