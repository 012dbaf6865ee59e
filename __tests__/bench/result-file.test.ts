import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goDuration, goJson, type ResultFileOptions, writeResultFile } from '../../bench/result-file.js';

const folder = mkdtempSync(join(tmpdir(), 'result-file-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const small: ResultFileOptions = { runs: 12, logBytes: [25_000, 38_000], seed: 7, failingShare: 0.25 };

async function written(options: ResultFileOptions): Promise<string> {
  const path = join(folder, 'result.json');
  await writeResultFile(path, options);
  return readFileSync(path, 'utf8');
}

const runSchema = z.strictObject({
  full_id: z.string(),
  test_name: z.literal('workspacebuild'),
  id: z.string(),
  logs: z.string(),
  started_at: z.iso.datetime(),
  duration: z.string(),
  duration_ms: z.int(),
  error: z.string(),
});
const fileSchema = z.strictObject({
  total_runs: z.int(),
  total_pass: z.int(),
  total_fail: z.int(),
  elapsed: z.string(),
  elapsed_ms: z.int(),
  runs: z.record(z.string(), runSchema),
});

describe('writeResultFile', () => {
  it('has the keys and the order of the recording', async () => {
    const text = await written(small);
    // Strict schemas keep the order of the schema, so compare the parsed text itself.
    const raw = JSON.parse(text) as Record<string, Record<string, object>>;
    expect(Object.keys(raw)).toEqual([
      'total_runs',
      'total_pass',
      'total_fail',
      'elapsed',
      'elapsed_ms',
      'runs',
    ]);
    expect(Object.keys(raw.runs ?? {}).slice(0, 4)).toEqual([
      'workspacebuild/0',
      'workspacebuild/1',
      'workspacebuild/10',
      'workspacebuild/11',
    ]);
    expect(Object.keys(raw.runs?.['workspacebuild/0'] ?? {})).toEqual([
      'full_id',
      'test_name',
      'id',
      'logs',
      'started_at',
      'duration',
      'duration_ms',
      'error',
    ]);
    expect(text.endsWith('}}}\n')).toBe(true);
    expect(text.indexOf('\n')).toBe(text.length - 1);
  });

  it('holds plausible runs, and exactly the failures asked for', async () => {
    const text = await written(small);
    const file = fileSchema.parse(JSON.parse(text));
    expect(file).toMatchObject({ total_runs: 12, total_pass: 9, total_fail: 3 });
    const runs = Object.values(file.runs);
    const failed = runs.filter(({ error }) => error !== '<nil>');
    expect(failed).toHaveLength(3);
    expect(failed[0]?.error).toContain('build failed with status "failed": terraform apply: exit status 1');
    expect(failed[0]?.logs).toContain('\n\terror:\tError running command: InsufficientInstanceCapacity');
    for (const { logs } of runs) {
      expect(logs.length).toBeGreaterThan(24_900);
      expect(logs.length).toBeLessThanOrEqual(38_000);
      expect(logs).toContain('\\"password\\":\\"Passw0rdPassw0rd\\"');
    }
    expect(text).toContain('"error":"\\u003cnil\\u003e"');
    expect(text).not.toMatch(/[<>&]/);
  });

  it('gives the same bytes for the same seed', async () => {
    const first = await written(small);
    expect(await written(small)).toBe(first);
    expect(await written({ ...small, seed: 8 })).not.toBe(first);
  });

  it('can write a file without runs', async () => {
    expect(await written({ ...small, runs: 0 })).toBe(
      '{"total_runs":0,"total_pass":0,"total_fail":0,"elapsed":"0s","elapsed_ms":0,"runs":{}}\n',
    );
  });
});

describe('Go spellings', () => {
  it('writes durations as Go does', () => {
    expect(goDuration(3_933_262_412n)).toBe('3.933262412s');
    expect(goDuration(90_001_234_567n)).toBe('1m30.001234567s');
    expect(goDuration(10_921_500_000_000n)).toBe('3h2m1.5s');
    expect(goDuration(34_048n)).toBe('34.048µs');
    expect(goDuration(151_586_243n)).toBe('151.586243ms');
  });

  it('escapes as Go does', () => {
    expect(goJson('<a> & \u2028')).toBe('"\\u003ca\\u003e \\u0026 \\u2028"');
  });
});
