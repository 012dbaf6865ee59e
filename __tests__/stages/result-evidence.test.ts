import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResultFile } from '../../src/measure/result-file.js';
import { Redactor } from '../../src/redact/redactor.js';
import { withFile } from '../../src/stages/file-pieces.js';
import { writeWithoutLogs } from '../../src/stages/result-evidence.js';
import { resultDocument, type ResultDocument } from '../support/result-documents.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'result-evidence-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What is kept of a file with this text. */
async function kept(text: string, redactor = new Redactor()): Promise<string> {
  const [source, target] = [path.join(folder, 'source.json'), path.join(folder, 'target.json')];
  writeFileSync(source, text);
  const file = await withFile(source, readResultFile);
  await writeWithoutLogs(source, target, file, redactor);
  return readFileSync(target, 'utf8');
}

const withoutLogs = ({ runs, ...totals }: ResultDocument): object => ({
  ...totals,
  runs: Object.fromEntries(Object.entries(runs).map(([id, run]) => [id, { ...run, logs: '' }])),
});

describe('a result file as evidence', () => {
  it('is the file without its logs', async () => {
    await fc.assert(
      fc.asyncProperty(resultDocument, async (document) => {
        const text = JSON.stringify(document);
        expect(JSON.parse(await kept(text))).toEqual(withoutLogs(JSON.parse(text) as ResultDocument));
      }),
      { numRuns: 100 },
    );
  });

  it('is so too when the logs go on for many pieces, and others have none', async () => {
    const run = { started_at: '2026-01-05T06:00:00Z', duration_ms: 5, error: null };
    const sizes = [0, 300_000, 1, 131_072, 0, 700_001];
    const document = {
      ...{ total_runs: 7, total_pass: 7, total_fail: 0, elapsed: '1s', elapsed_ms: 1000 },
      runs: Object.fromEntries([
        ...sizes.map((size, index) => [`w/${index}`, { logs: 'é'.repeat(size), ...run }]),
        ['w/6', run],
      ]) as ResultDocument['runs'],
    };
    const { 'w/6': last, ...others } = document.runs;
    const expected = withoutLogs({ ...document, runs: others }) as ResultDocument;
    expect(JSON.parse(await kept(JSON.stringify(document)))).toEqual({
      ...expected,
      runs: { ...expected.runs, 'w/6': last },
    });
  });

  it('is there whole or not at all when the disk takes only a part of it', () => {
    const [source, target] = [path.join(folder, 'big.json'), path.join(folder, 'cut.json')];
    const run = { started_at: '2026-01-05T06:00:00Z', duration_ms: 5, error: null };
    const runs = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`w/${index}`, run]));
    const totals = { total_runs: 50, total_pass: 50, total_fail: 0, elapsed: '1s', elapsed_ms: 1000 };
    writeFileSync(source, JSON.stringify({ ...totals, runs }));
    const src = (name: string): string =>
      JSON.stringify(path.resolve(import.meta.dirname, '../../src', name));
    const program = `
      import { readResultFile } from ${src('measure/result-file.ts')};
      import { Redactor } from ${src('redact/redactor.ts')};
      import { withFile } from ${src('stages/file-pieces.ts')};
      import { writeWithoutLogs } from ${src('stages/result-evidence.ts')};
      const [source, target] = ${JSON.stringify([source, target])};
      const file = await withFile(source, readResultFile);
      await writeWithoutLogs(source, target, file, new Redactor());`;
    // The kernel takes the first kilobyte, as of a disk with so much room, and refuses the rest.
    const { status, stderr } = spawnSync(
      'bash',
      [
        '-c',
        'ulimit -f 1; exec "$@"',
        'bash',
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        program,
      ],
      { encoding: 'utf8', env: { ...process.env, TSX_DISABLE_CACHE: '1' } },
    );
    expect(stderr).toContain('EFBIG');
    expect(status).toBe(1);
    expect(existsSync(target)).toBe(false);
  });

  it('has no secret in it, wherever in the file that stands', async () => {
    const secret = 'hunter2-hunter2-hunter2';
    const redactor = new Redactor([secret]);
    const runs = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [
        `w/${index}`,
        {
          logs: 'x'.repeat(index % 50),
          started_at: '2026-01-05T06:00:00Z',
          duration_ms: 5,
          error: secret.repeat(9),
        },
      ]),
    );
    const totals = { total_runs: 2000, total_pass: 0, total_fail: 2000, elapsed: '1s', elapsed_ms: 1000 };
    const text = await kept(JSON.stringify({ ...totals, runs }), redactor);
    expect(text).not.toContain('hunter2');
    expect(Object.keys((JSON.parse(text) as ResultDocument).runs)).toHaveLength(2000);
  });

  it('has no half of one either, in a file that goes on for long without logs', async () => {
    const secret = 'correct/horse/battery/staple';
    const error = `${secret} `.repeat(5);
    const runs = Object.fromEntries(
      Array.from({ length: 60_000 }, (_, index) => [
        `w/${index}`,
        {
          started_at: '2026-01-05T06:00:00Z',
          duration_ms: index,
          error: `${error}${'x'.repeat(index % 41)}`,
        },
      ]),
    );
    const totals = { total_runs: 60_000, total_pass: 0, total_fail: 60_000, elapsed: '1s', elapsed_ms: 1000 };
    const text = await kept(JSON.stringify({ ...totals, runs }), new Redactor([secret]));
    expect(text).not.toMatch(/corre|horse|batt|staple/);
    expect(Object.keys((JSON.parse(text) as ResultDocument).runs)).toHaveLength(60_000);
  });
});
