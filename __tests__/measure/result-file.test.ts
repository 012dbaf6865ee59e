import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeResultFile } from '../../bench/result-file.js';
import { ResultFileError } from '../../src/measure/result-file-error.js';
import { readResultFile, type ResultFile } from '../../src/measure/result-file.js';
import {
  readerOf,
  hasFailed,
  reorder,
  resultDocument,
  type ResultDocument,
} from '../support/result-documents.js';
import { explainSkip, hasRecordings, resultFiles, sharedRoot } from '../support/shared.js';

explainSkip('result files of a real CLI');

const read = (text: string | Uint8Array, size = 4096): Promise<ResultFile> => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return readResultFile(readerOf(bytes, size));
};

const LONGEST_ERROR = 16_384;

/** What the reader should find, by JSON.parse. */
function expectSame(file: ResultFile, text: string): void {
  const document = JSON.parse(text) as ResultDocument;
  expect(file).toMatchObject({
    totalRuns: document.total_runs,
    totalPass: document.total_pass,
    totalFail: document.total_fail,
    elapsed: document.elapsed_ms,
  });
  const found = new Map([...file.runs].map((run) => [run.id, run]));
  expect(found.size).toBe(Object.keys(document.runs).length);
  for (const [id, run] of Object.entries(document.runs)) {
    const record = found.get(id);
    expect(record?.startedAt).toEqual(new Date(run.started_at));
    expect(Math.trunc(record?.duration ?? -1)).toBe(run.duration_ms);
    expect(record?.error !== undefined).toBe(hasFailed(run));
    if (typeof run.error === 'string' && hasFailed(run) && run.error.length <= LONGEST_ERROR)
      expect(record?.error).toBe(run.error);
  }
}

/** The logs that a run's range points to. */
function logsIn(text: string, file: ResultFile): Record<string, unknown> {
  const bytes = Buffer.from(text);
  return Object.fromEntries(
    [...file.runs].map(({ id, logs }) => [
      id,
      logs && (JSON.parse(`"${bytes.toString('utf8', logs.start, logs.end)}"`) as unknown),
    ]),
  );
}

function logsOf(text: string): Record<string, unknown> {
  const { runs } = JSON.parse(text) as ResultDocument;
  return Object.fromEntries(Object.entries(runs).map(([id, { logs }]) => [id, logs]));
}

const recorded = resultFiles().filter((name) =>
  /"started_at"/.test(readFileSync(path.join(sharedRoot, name), 'utf8')),
);

describe.runIf(hasRecordings)('files of a real CLI', () => {
  const sizes = [1, 2, 3, 7, 64, 4096];

  it('are there, of every version', () => {
    expect(recorded.length).toBeGreaterThan(20);
    for (const version of ['v2.21.3', 'v2.31.0', 'v2.36.0']) expect(recorded.join()).toContain(version);
  });

  it.each(recorded)('%s is read as JSON.parse reads it, in chunks of any size', async (name) => {
    const text = readFileSync(path.join(sharedRoot, name), 'utf8');
    for (const size of sizes) {
      const file = await read(text, size);
      expectSame(file, text);
      expect(logsIn(text, file)).toEqual(logsOf(text));
    }
  });

  it('a file that ends anywhere is an error that says so', async () => {
    const text = readFileSync(
      path.join(sharedRoot, 'golden/v2.36.0/cli/create-workspaces-428.json'),
      'utf8',
    ).trimEnd();
    const bytes = Buffer.from(text);
    for (let length = 0; length < bytes.length; length += 7)
      await expect(read(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        truncated: true,
      });
    await expect(read(bytes)).resolves.toBeDefined();
  });
});

/** A hundred and twenty copies of its runs, each with a long field. */
function manyRunsOf(document: ResultDocument, fullIdOf: (key: string) => string): ResultDocument {
  const runs: ResultDocument['runs'] = {};
  for (let copy = 0; copy < 120; copy += 1)
    for (const [id, run] of Object.entries(document.runs)) {
      const key = `${id}/${copy}`;
      // The order of the CLI: full_id is first, and something comes after the logs.
      runs[key] = Object.assign({ full_id: '', logs: '' }, run, {
        full_id: fullIdOf(key),
        logs: `${run.logs}${copy}`,
        x_long: '{"logs":"}},{'.repeat(100),
      });
    }
  return {
    ...document,
    total_runs: 120 * document.total_runs,
    total_pass: 120 * document.total_pass,
    total_fail: 120 * document.total_fail,
    runs,
  };
}

describe('any file of the shape', () => {
  it('is read as JSON.parse reads it: chunks, key orders and white space do not matter', async () => {
    const size = fc.constantFrom(1, 2, 3, 7, 13, 64, 4096);
    const layout = fc.constantFrom(undefined, 2, '\t');
    await fc.assert(
      fc.asyncProperty(
        resultDocument,
        size,
        layout,
        fc.nat(12),
        fc.boolean(),
        async (document, chunk, indent, seed, sameOrder) => {
          const runs = Object.fromEntries(
            Object.entries(document.runs).map(([id, run], index) => [
              id,
              reorder(run, sameOrder ? seed : seed + index),
            ]),
          );
          const text = JSON.stringify(reorder({ ...document, runs }, seed), undefined, indent);
          const file = await read(text, chunk);
          expectSame(file, text);
          expect(logsIn(text, file)).toEqual(logsOf(text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is read as JSON.parse reads it when it is so long that it is read in several parts', async () => {
    const keysOf = fc.constantFrom<(key: string) => string>(
      (key) => key,
      () => 'another',
    );
    await fc.assert(
      fc.asyncProperty(
        resultDocument.filter(({ runs }) => Object.keys(runs).length > 0),
        keysOf,
        fc.constantFrom(1000, 4096, 131_072),
        async (document, fullIdOf, chunk) => {
          const text = JSON.stringify(manyRunsOf(document, fullIdOf));
          const file = await read(text, chunk);
          expectSame(file, text);
          expect(logsIn(text, file)).toEqual(logsOf(text));
          expect([...file.logs]).toHaveLength(file.totalRuns);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ['once when it is as the CLI writes it', '2026-01-05T', 1],
    ['twice when its runs began on two days', '2026-01-06T', 2],
  ])('is read %s', async (_, day, times) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'result-file-'));
    try {
      const written = path.join(directory, 'result.json');
      await writeResultFile(written, { runs: 3000, logBytes: [100, 2000], seed: 5, failingShare: 0.1 });
      const text = await readFile(written, 'utf8');
      const half = text.length / 2;
      const bytes = Buffer.from(text.slice(0, half) + text.slice(half).replaceAll('2026-01-05T', day));
      const readAt = readerOf(bytes, 65_536);
      let readings = 0;
      const file = await readResultFile((room, place) => {
        if (place === 0) readings += 1;
        return readAt(room, place);
      });
      expectSame(file, bytes.toString());
      expect(readings).toBe(times);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('is an error wherever it is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(
        resultDocument,
        fc.constantFrom(1, 7, 64),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (document, chunk, where) => {
          const bytes = new TextEncoder().encode(JSON.stringify(document));
          const cut = bytes.subarray(0, Math.floor(bytes.length * where));
          await expect(read(cut, chunk)).rejects.toBeInstanceOf(ResultFileError);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is an error when one byte of it is another, or is still read as JSON.parse reads it', async () => {
    await fc.assert(
      fc.asyncProperty(
        resultDocument,
        fc.nat(),
        fc.constantFrom(...'",:{}[]\\0a '.split('')),
        async (document, at, byte) => {
          const text = JSON.stringify(document);
          const place = at % text.length;
          // As bytes and back: half of a surrogate pair is no text.
          const broken = Buffer.from(text.slice(0, place) + byte + text.slice(place + 1)).toString();
          let parsed: ResultDocument | undefined;
          try {
            parsed = JSON.parse(broken) as ResultDocument;
          } catch {
            // Not JSON any more: only what is inside skipped logs may go unnoticed.
          }
          const file = await read(broken).catch((thrown: unknown) => {
            expect(thrown).toBeInstanceOf(ResultFileError);
            return undefined;
          });
          if (file !== undefined && parsed !== undefined) expectSame(file, broken);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const GOOD = {
  total_runs: 2,
  total_pass: 1,
  total_fail: 1,
  elapsed: '1s',
  elapsed_ms: 1000,
  runs: {
    'workspacebuild/0': { logs: 'a', started_at: '2026-01-05T06:00:00Z', duration_ms: 100, error: '<nil>' },
    'workspacebuild/1': { logs: 'b', started_at: '2026-01-05T06:00:00Z', duration_ms: 200, error: 'broken' },
  },
};
const withFirst = (changes: Record<string, unknown>): string =>
  JSON.stringify({
    ...GOOD,
    runs: { ...GOOD.runs, 'workspacebuild/0': { ...GOOD.runs['workspacebuild/0'], ...changes } },
  });

/** As text, since JSON.stringify gives up on it. */
const withNested = (field: string): string =>
  withFirst({ [field]: 'HERE' }).replace('"HERE"', '['.repeat(100_000) + ']'.repeat(100_000));

describe('files that cannot be used', () => {
  it.each([
    ['one run is missing', { total_runs: 3, total_pass: 2 }],
    ['the totals do not add up', { total_pass: 2 }],
    ['more runs failed than they say', { total_pass: 2, total_fail: 0 }],
    ['fewer runs failed than they say', { total_pass: 0, total_fail: 2 }],
    ['there are no runs', { runs: {} }],
  ])('contradict themselves: %s', async (_, changes) => {
    await expect(read(JSON.stringify({ ...GOOD, ...changes }))).rejects.toThrow(/contradicts itself/);
  });

  it.each([
    ['no runs', JSON.stringify({ ...GOOD, runs: undefined }), /no result file.*runs/],
    ['no totals', JSON.stringify({ runs: GOOD.runs }), /no result file.*total_runs/],
    ['a negative total', JSON.stringify({ ...GOOD, total_pass: -1 }), /total_pass/],
    ['a fraction of a run', JSON.stringify({ ...GOOD, total_runs: 1.5 }), /total_runs/],
    ['a total that is text', JSON.stringify({ ...GOOD, total_fail: '1' }), /total_fail/],
    [
      'a run without time',
      withFirst({ started_at: undefined }),
      /run "workspacebuild\/0" has no usable started_at/,
    ],
    ['a run with a time that is none', withFirst({ started_at: 'yesterday' }), /no usable started_at/],
    ['a run without duration', withFirst({ duration_ms: undefined }), /no usable duration_ms/],
    ['a run with a negative duration', withFirst({ duration_ms: -1 }), /no usable duration_ms/],
    ['a run that is a list', JSON.stringify({ ...GOOD, runs: { a: [] } }), /run "a" is no object/],
    ['runs that are null', JSON.stringify({ ...GOOD, runs: null }), /no result file.*runs are no object/],
    ['runs that are text', JSON.stringify({ ...GOOD, runs: 'two' }), /no result file.*runs are no object/],
    ['a list', '[]', /no result file.*no object/],
    ['a page of HTML', '<!doctype html><p>{', /no JSON between the bytes 0 and 19: .*<!doctype/],
    ['text behind its end', `${JSON.stringify(GOOD)} more`, /no JSON between/],
    ['a comma too many', JSON.stringify(GOOD).replace(/}$/, ',}'), /no JSON between/],
    ['an error nested without end', withNested('error'), /nested more than/],
    ['metrics nested without end', withNested('metrics'), /nested more than/],
    [
      'a time of a run without end',
      withFirst({ duration_ms: 1 }).replace('"duration_ms":1', '"duration_ms":1e999'),
      /no usable duration_ms/,
    ],
  ])('have %s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
    await expect(read(text)).rejects.toBeInstanceOf(ResultFileError);
  });

  it('are empty', async () => {
    await expect(read('')).rejects.toMatchObject({ truncated: true });
  });
});

describe('both dialects of errors', () => {
  it.each([
    ['"<nil>"', '<nil>'],
    ['null', null],
    ['no key', undefined],
  ])('%s is a pass', async (_, error) => {
    const file = await read(withFirst({ error }));
    expect([...file.runs][0]?.error).toBeUndefined();
  });

  it.each([
    ['an empty object is a failure', {}],
    ['a text is a failure', 'create user:'],
    ['an empty text is a failure', ''],
    ['false is a failure', false],
  ])('%s', async (_, error) => {
    const text = JSON.stringify({
      ...(JSON.parse(withFirst({ error })) as object),
      total_pass: 0,
      total_fail: 2,
    });
    expect([...(await read(text)).runs][0]?.error).toBeDefined();
  });

  it('a huge error is cut', async () => {
    const text = JSON.stringify({
      ...(JSON.parse(withFirst({ error: 'x'.repeat(1_000_000) })) as object),
      total_pass: 0,
      total_fail: 2,
    });
    expect([...(await read(text)).runs][0]?.error?.length).toBeLessThan(20_000);
  });
});

it('a log of backslashes and quotes is skipped, wherever a chunk ends', async () => {
  const logs = String.raw`\\\"`.repeat(50) + '","started_at":"' + '\\'.repeat(33);
  const text = JSON.stringify({
    ...GOOD,
    runs: Object.fromEntries(Object.entries(GOOD.runs).map(([id, run]) => [id, { ...run, logs }])),
  });
  for (let size = 1; size <= 90; size += 1) {
    const file = await read(text, size);
    expectSame(file, text);
    expect(Object.values(logsIn(text, file))).toEqual([logs, logs]);
  }
});

describe('bytes of traffic', () => {
  const withRun = (more: Record<string, unknown>): string =>
    JSON.stringify({
      total_runs: 1,
      total_pass: 1,
      total_fail: 0,
      elapsed_ms: 1,
      runs: {
        'workspace-traffic/0': {
          logs: '',
          started_at: '2026-01-05T06:00:00Z',
          duration_ms: 1,
          ...more,
          error: '<nil>',
        },
      },
    });

  it.each<[string, Record<string, unknown>, unknown]>([
    ['since v2.27', { metrics: { bytes_read: 5, bytes_written: 7 } }, { read: 5, written: 7 }],
    ['of v2.24 to v2.26', { total_bytes_read: 5, total_bytes_written: 7 }, { read: 5, written: 7 }],
    ['before v2.24', {}, undefined],
    ['of another suite', { metrics: { end_to_end: '5ms' } }, undefined],
    ['that are no numbers', { metrics: { bytes_read: '5', bytes_written: 7 } }, undefined],
    ['below zero', { metrics: { bytes_read: -5, bytes_written: 7 } }, undefined],
    ['of a run without metrics', { metrics: null }, undefined],
  ])('%s', async (_, more, bytes) => {
    expect([...(await read(withRun(more))).runs][0]?.bytes).toEqual(bytes);
  });
});
