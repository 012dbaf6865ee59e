import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunTable, type RunRecord } from '../../src/measure/run-table.js';
import { milliseconds } from '../../src/units.js';
import { nastyText } from '../support/result-documents.js';

const id = fc.oneof(
  nastyText,
  fc.nat().map((number) => `workspacebuild/${number}`),
  fc.constantFrom('a/007', 'a/0', 'a/-1', 'a/1e3', '/5', '7', 'a/b\n/9', 'a/9007199254740993', 'a/'),
);
const count = fc.nat(2 ** 50);
const run: fc.Arbitrary<RunRecord> = fc.record(
  {
    id,
    startedAt: fc.date({ noInvalidDate: true }),
    duration: fc.double({ min: 0, max: 1e9, noNaN: true }).map(milliseconds),
    error: nastyText,
    bytes: fc.record({ read: count, written: count }),
    metrics: fc.dictionary(fc.string(), fc.jsonValue()),
    logs: fc.record({ start: count, end: count }),
  },
  { requiredKeys: ['id', 'startedAt', 'duration'] },
);

const fieldsOf = ({ id: name, startedAt, duration, error, bytes, metrics, logs }: RunRecord): object => ({
  ...{ name, startedAt, duration, error, bytes, metrics, logs },
});

describe('a table of runs', () => {
  it('gives back what was put in, in its order, as often as it is asked', () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
        const table = new RunTable();
        for (const one of runs) table.add(one);
        expect(table.length).toBe(runs.length);
        for (let time = 0; time < 2; time += 1) expect([...table].map(fieldsOf)).toEqual(runs.map(fieldsOf));
      }),
    );
  });

  it('grows as far as needed', () => {
    const table = new RunTable();
    const runOf = (index: number): RunRecord => ({
      id: `workspacebuild/${index}`,
      startedAt: new Date(index),
      duration: milliseconds(index),
    });
    for (let index = 0; index < 5000; index += 1) table.add(runOf(index));
    expect([...table].map(fieldsOf)).toEqual(
      Array.from({ length: 5000 }, (_, index) => fieldsOf(runOf(index))),
    );
  });
});
