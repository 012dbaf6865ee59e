import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { runLog } from './run-log.js';

export interface ResultFileOptions {
  runs: number;
  /** Smallest and largest size of a run's log, before it is escaped; the recordings have 25 to 38 kB. */
  logBytes: [min: number, max: number];
  /** The same seed gives the same bytes. */
  seed: number;
  /** 0 to 1; exactly so many runs fail, evenly spread. */
  failingShare: number;
}

const firstStartMs = Date.UTC(2026, 0, 5, 6, 0, 0);
const concurrency = 100;

/**
 * Writes a result file of `coder exp scaletest create-workspaces` byte for byte as Go's encoder does: one line,
 * the recorded order of keys, runs sorted as strings, `<`, `>` and `&` escaped. It is written run by run, so it
 * may be larger than any string that node can hold.
 */
export async function writeResultFile(path: string, options: ResultFileOptions): Promise<void> {
  const failing = Math.round(options.runs * options.failingShare);
  const lastEnd = runNumbers(options).reduce((latest, index) => {
    const { startedNs, durationNs } = timesOf(options.seed, index);
    return startedNs + durationNs > latest ? startedNs + durationNs : latest;
  }, 0n);
  const summary = {
    total_runs: options.runs,
    total_pass: options.runs - failing,
    total_fail: failing,
    elapsed: goDuration(lastEnd),
    elapsed_ms: Number(lastEnd / 1_000_000n),
  };
  const file = createWriteStream(path);
  file.write(`${goJson(summary).slice(0, -1)},"runs":{`);
  let separator = '';
  for (const id of runNumbers(options).map(String).sort()) {
    const entry = `${separator}${goJson(`workspacebuild/${id}`)}:${goJson(resultOf(Number(id), options))}`;
    if (!file.write(entry)) await once(file, 'drain');
    separator = ',';
  }
  file.end('}}\n');
  await finished(file);
}

const runNumbers = ({ runs }: ResultFileOptions): number[] =>
  Array.from({ length: runs }, (_none, index) => index);

function resultOf(index: number, options: ResultFileOptions): object {
  const { startedNs, durationNs } = timesOf(options.seed, index);
  const random = seededRandom(options.seed ^ 0x5bd1e995, index);
  const [min, max] = options.logBytes;
  const bytes = min + Math.floor(random() * (max - min + 1));
  const failed = fails(index, options);
  const startedAtMs = firstStartMs + Number(startedNs / 1_000_000n);
  const durationMs = Number(durationNs / 1_000_000n);
  return {
    full_id: `workspacebuild/${index}`,
    test_name: 'workspacebuild',
    id: String(index),
    logs: runLog({ index, startedAtMs, durationMs, failed, random }, bytes),
    started_at: goTime(startedNs),
    duration: goDuration(durationNs),
    duration_ms: durationMs,
    error: failed ? buildError : '<nil>',
  };
}

/** Whether the rounded count of failures steps up at this run. */
function fails(index: number, { runs, failingShare }: ResultFileOptions): boolean {
  const failing = Math.round(runs * failingShare);
  return Math.floor(((index + 1) * failing) / runs) > Math.floor((index * failing) / runs);
}

/** Derived from seed and index alone: the totals come before the runs in the file, so both need them. */
function timesOf(seed: number, index: number): { startedNs: bigint; durationNs: bigint } {
  const random = seededRandom(seed, index);
  const wave = Math.floor(index / concurrency);
  const startedNs = BigInt(wave * 60_000 + (index % concurrency) * 7) * 1_000_000n + nanoseconds(random);
  // Log-normal around 45 s, as build times are.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const durationNs = BigInt(Math.round(45_000 * Math.exp(0.35 * normal))) * 1_000_000n + nanoseconds(random);
  return { startedNs, durationNs };
}

const nanoseconds = (random: () => number): bigint => BigInt(Math.floor(random() * 1_000_000));

/** Go's `%+v` of the error, recorded with v2.36.0. */
const buildError = [
  'create workspace:',
  '    github.com/coder/coder/v2/scaletest/createworkspaces.(*Runner).Run',
  '        /home/runner/work/coder/coder/scaletest/createworkspaces/run.go:98',
  '  - wait for build:',
  '    github.com/coder/coder/v2/scaletest/workspacebuild.(*Runner).RunReturningWorkspace',
  '        /home/runner/work/coder/coder/scaletest/workspacebuild/run.go:87',
  '  - build failed with status "failed": terraform apply: exit status 1:',
  '    github.com/coder/coder/v2/scaletest/workspacebuild.waitForBuild',
  '        /home/runner/work/coder/coder/scaletest/workspacebuild/run.go:229',
].join('\n');

/** JSON.stringify with the further escapes of Go's encoding/json. */
export const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Go's time.Duration.String for anything from a microsecond up. */
export function goDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 3)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 6)}ms`;
  const minutes = nanoseconds / 60_000_000_000n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const unit = 10n ** BigInt(places);
  const fraction = (value % unit).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? (value / unit).toString() : `${value / unit}.${fraction}`;
}

/** RFC 3339 with nanoseconds, trailing zeros cut. */
function goTime(sinceFirstStartNs: bigint): string {
  const seconds = new Date(firstStartMs + Number(sinceFirstStartNs / 1_000_000_000n) * 1_000)
    .toISOString()
    .slice(0, 19);
  const fraction = (sinceFirstStartNs % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** mulberry32, started apart for every run. */
function seededRandom(seed: number, index: number): () => number {
  let state = (seed + Math.imul(index + 1, 0x9e3779b1)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
