import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorTexts, expectNothingCreated, inWorld, reasonOf } from '../e2e/support.js';
import { cases, damaged, LONGEST_MS } from './cases.js';

const EXAMPLE = readFileSync(path.join(import.meta.dirname, '../../examples/scaletest-config.yaml'), 'utf8');
const HURTFUL = [
  'null',
  '{}',
  '[]',
  '-1',
  '1e999',
  '\n',
  ': ',
  '"',
  '*a',
  '__proto__: 1',
  '9'.repeat(400),
  '5m',
];
/** What the runtime says of a mistake of ours, and a person cannot mend. */
const CRASH =
  /Cannot read|is not a function|is not iterable|undefined|ZodError|call stack|Invalid time value|NaN/;

describe('the committed action', { timeout: LONGEST_MS }, () => {
  const texts = fc.sample(damaged([EXAMPLE], HURTFUL), { ...cases(5), seed: 17 });

  it.each(texts.map((text, index) => [index + 1, text] as const))(
    'plans or refuses a damaged config, and says which (case %i)',
    (_, text) =>
      inWorld({}, async (world) => {
        const run = await world.run(text, { inputs: { mode: 'plan', tests: 'all' } });
        const said = `${errorTexts(run)} ${reasonOf(run)}`;
        expect(run.outputs['verdict'] ?? '').not.toBe('pass');
        if (run.main.exitCode !== 0) expect(run.outputs['verdict']).toBe('error');
        expect(said, text).not.toMatch(CRASH);
        expectNothingCreated(world);
      }),
  );
});
