import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { z } from 'zod';
import { writeResultFile, type ResultFileOptions } from './result-file.js';

const run = promisify(execFile);
const ROUNDS = 5;
const BIG_ROUNDS = 5;
const JQ_P95 = '[.runs[].duration_ms] | sort | .[((length * 0.95) | ceil) - 1]';

interface Reading {
  readonly seconds: number;
  /** Of the processor: what a busy machine changes less. */
  readonly cpuSeconds: number;
  readonly p95: number;
  readonly peakMegabytes: number;
}

const oursPrints = z.object({ p95: z.number(), peakKilobytes: z.number() });

/** Reading a result file of 10,000 runs beside jq in one run. */
export const benchReading = (): Promise<readonly string[]> =>
  readBesideJq({ runs: 10_000, logBytes: [25_000, 38_000], seed: 2, failingShare: 0.01 }, ROUNDS);

/** The same for 100,000 runs, 1.4 GB. */
export const benchBigReading = (): Promise<readonly string[]> =>
  readBesideJq({ runs: 100_000, logBytes: [12_000, 12_000], seed: 3, failingShare: 0.01 }, BIG_ROUNDS);

async function readBesideJq(options: ResultFileOptions, rounds: number): Promise<readonly string[]> {
  if (!(await run('jq', ['--version']).catch(() => undefined)))
    return ['jq is missing: install it to compare'];
  const directory = await mkdtemp(path.join(tmpdir(), 'scaletest-bench-'));
  try {
    const reader = await bundleReader(directory);
    const file = path.join(directory, 'result.json');
    await writeResultFile(file, options);
    const { size } = await stat(file);
    const pairs: { ours: Reading; jq: Omit<Reading, 'peakMegabytes'> }[] = [];
    for (let round = 0; round < rounds; round += 1)
      pairs.push({ ours: await readWithOurs(reader, file), jq: await readWithJq(file) });
    if (pairs.some(({ ours, jq }) => ours.p95 !== jq.p95)) throw new Error('our P95 and jq’s differ');
    const [least, most] = options.logBytes.map((bytes) => bytes / 1000);
    const logs = least === most ? `${least}` : `${least} to ${most}`;
    const peak = Math.max(...pairs.map(({ ours }) => ours.peakMegabytes));
    return [
      `Result file of ${options.runs} runs, ${(size / 1e6).toFixed(0)} MB, logs of ${logs} KB a run; ${rounds} rounds, whole processes, in turn; min, median, max:`,
      `  ours  ${spread(pairs.map(({ ours }) => ours.seconds))} s (processor ${spread(pairs.map(({ ours }) => ours.cpuSeconds))} s), peak memory ${peak.toFixed(0)} MB`,
      `  jq    ${spread(pairs.map(({ jq }) => jq.seconds))} s (processor ${spread(pairs.map(({ jq }) => jq.cpuSeconds))} s)`,
      `  ours is ${spread(pairs.map(({ ours, jq }) => jq.seconds / ours.seconds))} times faster (processor ${spread(pairs.map(({ ours, jq }) => jq.cpuSeconds / ours.cpuSeconds))}); the same P95, ${pairs[0]?.ours.p95} ms`,
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The reader as the action bundles it, so that no loader is measured. */
async function bundleReader(directory: string): Promise<string> {
  const outfile = path.join(directory, 'reader.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'read-result-file.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
  });
  return outfile;
}

async function readWithOurs(reader: string, file: string): Promise<Reading> {
  const { printed, ...times } = await timed(process.execPath, [reader, file]);
  const { p95, peakKilobytes } = oursPrints.parse(JSON.parse(printed));
  return { ...times, p95, peakMegabytes: peakKilobytes / 1024 };
}

async function readWithJq(file: string): Promise<Omit<Reading, 'peakMegabytes'>> {
  const { printed, ...times } = await timed('jq', [JQ_P95, file]);
  return { ...times, p95: Number(printed) };
}

/** A whole process; the shell says what its children took of the processor. */
async function timed(
  command: string,
  args: readonly string[],
): Promise<Pick<Reading, 'seconds' | 'cpuSeconds'> & { printed: string }> {
  const began = performance.now();
  const { stdout } = await run('sh', ['-c', '"$@" && times', 'sh', command, ...args]);
  const seconds = (performance.now() - began) / 1000;
  const lines = stdout.trimEnd().split('\n');
  const ofChildren = [...(lines.at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = ofChildren.reduce(
    (sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest),
    0,
  );
  return { seconds, cpuSeconds, printed: lines.slice(0, -2).join('\n') };
}

const spread = (values: readonly number[]): string =>
  [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(2)).join(', ');

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
