import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { writeResultFile } from './result-file.js';

const run = promisify(execFile);
const ROUNDS = 5;
const BIG_BUFFER = 64 * 1024 * 1024;
const JQ_P95 = '[.runs[].duration_ms] | sort | .[((length * 0.95) | ceil) - 1]';

interface Reading {
  readonly seconds: number;
  readonly p95: number;
  readonly peakMegabytes: number;
}

/** Reading a result file of 10,000 runs beside jq in one run, and the memory beside that for 1,000 runs. */
export async function benchReading(): Promise<readonly string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'scaletest-bench-'));
  try {
    const reader = path.join(directory, 'reader.mjs');
    await build({
      entryPoints: [path.join(import.meta.dirname, 'read-result-file.ts')],
      outfile: reader,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
    });
    const small = path.join(directory, 'small.json');
    const big = path.join(directory, 'big.json');
    await writeResultFile(small, { runs: 1000, logBytes: [25_000, 38_000], seed: 1, failingShare: 0.01 });
    await writeResultFile(big, { runs: 10_000, logBytes: [25_000, 38_000], seed: 2, failingShare: 0.01 });
    const { size } = await stat(big);
    const ours: Reading[] = [];
    const jq: Reading[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await readWithOurs(reader, big));
      jq.push(await readWithJq(big));
    }
    const smallReading = await readWithOurs(reader, small);
    const [first] = ours;
    if (first === undefined || jq.some(({ p95 }) => p95 !== first.p95))
      throw new Error('our P95 and jq’s differ');
    const ourTime = median(ours.map(({ seconds }) => seconds));
    const jqTime = median(jq.map(({ seconds }) => seconds));
    const ratios = ours.map(({ seconds }, index) => (jq[index]?.seconds ?? Number.NaN) / seconds);
    return [
      `Result file of 10,000 runs, ${(size / 1e6).toFixed(0)} MB, logs of 25 to 38 KB a run; ${ROUNDS} rounds, whole processes, in turn:`,
      `  ours  median ${ourTime.toFixed(2)} s, peak memory ${Math.max(...ours.map(({ peakMegabytes }) => peakMegabytes)).toFixed(0)} MB (${smallReading.peakMegabytes.toFixed(0)} MB for 1,000 runs)`,
      `  jq    median ${jqTime.toFixed(2)} s`,
      `  ours is ${median(ratios).toFixed(1)} times faster (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}); the same P95, ${first.p95} ms`,
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readWithOurs(reader: string, file: string): Promise<Reading> {
  const began = performance.now();
  const { stdout } = await run(process.execPath, [reader, file]);
  const seconds = (performance.now() - began) / 1000;
  const answer = JSON.parse(stdout) as { p95: number; peakKilobytes: number };
  return { seconds, p95: answer.p95, peakMegabytes: answer.peakKilobytes / 1024 };
}

async function readWithJq(file: string): Promise<Reading> {
  const began = performance.now();
  const { stdout } = await run('jq', [JQ_P95, file], { maxBuffer: BIG_BUFFER });
  return { seconds: (performance.now() - began) / 1000, p95: Number(stdout), peakMegabytes: Number.NaN };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
