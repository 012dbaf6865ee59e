import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResultFile } from '../../src/measure/result-file.js';
import { goDuration, writeResultFile, type FinishedRun } from '../../src/run/result-file.js';
import { milliseconds } from '../../src/units.js';
import { readerOf, nastyText } from '../support/result-documents.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

explainSkip('the shape of a real result file');

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'results-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const runOf = (index: number, changes: Partial<FinishedRun> = {}): FinishedRun => ({
  index,
  startedAt: new Date('2026-01-05T06:00:00.123Z'),
  duration: milliseconds(1234.567),
  logs: '',
  ...changes,
});

async function written(runs: readonly FinishedRun[]): Promise<string> {
  const file = path.join(directory, 'result.json');
  await writeResultFile(file, runs, milliseconds(5000.9));
  return readFile(file, 'utf8');
}

/** Keys and types, in order; runs and texts stand for all of their kind. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]);
}

describe.runIf(hasRecordings)('the file of driver "api"', () => {
  it.each(['v2.36.0', 'v2.31.0', 'v2.21.3'])('has the shape of a real one of %s', async (version) => {
    const real = JSON.parse(sharedText(`golden/${version}/cli/create-workspaces.json`)) as { runs: object };
    const own = JSON.parse(await written([runOf(0)])) as { runs: object };
    expect(shapeOf({ ...own, runs: null })).toEqual(shapeOf({ ...real, runs: null }));
    expect(shapeOf(Object.values(own.runs)[0])).toEqual(shapeOf(Object.values(real.runs)[0]));
    expect(Object.keys(own.runs)[0]).toBe(Object.keys(real.runs)[0]);
    expect(Object.values(own.runs)[0]).toMatchObject({
      test_name: (Object.values(real.runs)[0] as { test_name: string }).test_name,
      error: '<nil>',
    });
  });

  it('is one line with a line break at its end, like the real one', async () => {
    const real = sharedText('golden/v2.36.0/cli/create-workspaces.json');
    const own = await written([runOf(0), runOf(1)]);
    expect(own.endsWith('\n')).toBe(real.endsWith('\n'));
    expect(own.trimEnd().includes('\n')).toBe(real.trimEnd().includes('\n'));
  });

  it('escapes what Go escapes', async () => {
    const own = await written([runOf(0, { error: '<a> & b\u2028' })]);
    expect(own).toContain(String.raw`\u003ca\u003e \u0026 b\u2028`);
    expect(sharedText('golden/v2.36.0/cli/create-workspaces.json')).toContain(String.raw`\u003cnil\u003e`);
    expect(own).not.toMatch(/[<>&]/);
  });
});

describe('writing and reading', () => {
  it('gives the same runs back, whatever stands in them', async () => {
    const run = fc.record({
      duration: fc.integer({ min: 0, max: 1e7 }),
      logs: nastyText,
      error: fc.option(
        nastyText.filter((text) => text !== '<nil>'),
        { nil: undefined },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 13 }), async (list) => {
        const runs = list.map(({ duration, logs, error }, index) =>
          runOf(index, { duration: milliseconds(duration), logs, ...(error !== undefined && { error }) }),
        );
        const text = await written(runs);
        const file = await readResultFile(readerOf(Buffer.from(text), 512));
        expect(file).toMatchObject({
          totalRuns: runs.length,
          totalFail: runs.filter(({ error }) => error !== undefined).length,
          elapsed: 5000,
        });
        const found = new Map([...file.runs].map((one) => [one.id, one]));
        for (const { index, duration, startedAt, error } of runs) {
          const one = found.get(`workspacebuild/${index}`);
          expect(one).toMatchObject({ duration, startedAt });
          expect(one?.error).toBe(error);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has its runs in Go’s order of keys', async () => {
    const { runs } = JSON.parse(await written(Array.from({ length: 12 }, (_, index) => runOf(index)))) as {
      runs: object;
    };
    expect(Object.keys(runs)).toEqual(
      [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `workspacebuild/${index}`),
    );
  });

  it('is readable by its owner only: it may hold secrets', async () => {
    const file = path.join(directory, 'private.json');
    await writeResultFile(file, [], milliseconds(1));
    expect((await stat(file)).mode & 0o077).toBe(0);
  });
});

describe('goDuration', () => {
  it.each([
    [0, '0s'],
    [0.4, '0s'],
    [1, '1ms'],
    [999.9, '999ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [90_500, '1m30.5s'],
    [3_600_000, '1h0m0s'],
    [3_723_004, '1h2m3.004s'],
  ])('%f ms is %s', (value, text) => {
    expect(goDuration(milliseconds(value))).toBe(text);
  });
});
