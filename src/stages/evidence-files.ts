import { open, type FileHandle } from 'node:fs/promises';
import { failureCause, type FailureCause } from '../measure/failure-cause.js';
import type { ResultFile, RunRecord } from '../measure/result-file.js';
import { redact } from '../redact.js';

const CHUNK_BYTES = 512 * 1024;
const LONGEST_LOGS = 2 * 1024 * 1024;
const LOG_TAIL = 4096;
const MOST_FAILED_RUNS = 1000;

/**
 * A file in pieces; the next one is read while the last one is looked at. Two buffers are used in turn, so whoever keeps
 * a piece has to copy it.
 */
export async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  const input = await open(file);
  const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const;
  try {
    let pending = input.read(buffers[0], 0, CHUNK_BYTES);
    for (;;) {
      const { bytesRead, buffer } = await pending;
      if (bytesRead === 0) return;
      pending = input.read(buffer === buffers[0] ? buffers[1] : buffers[0], 0, CHUNK_BYTES);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await input.close();
  }
}

/** A failed run, as evidence. */
export interface FailedRun {
  readonly group: string;
  readonly run: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly cause: FailureCause;
  /** The last 4 KB of its logs, without secrets. */
  readonly logTail: string;
}

/** Writes a result file as evidence: as it is, but without `logs`, which hold passwords, and redacted. */
export async function writeWithoutLogs(
  source: string,
  target: string,
  file: ResultFile,
  secrets: readonly string[],
): Promise<void> {
  const ranges = file.runs.flatMap(({ logs }) => logs ?? []).sort((a, b) => a.start - b.start);
  const input = await open(source);
  const output = await open(target, 'w');
  try {
    const { size } = await input.stat();
    let position = 0;
    for (const end of [...ranges.map(({ start }) => start), size]) {
      while (position < end) {
        const text = await readRange(input, position, Math.min(end, position + CHUNK_BYTES));
        await output.write(redact(text, secrets));
        position += CHUNK_BYTES;
      }
      position = ranges.find(({ start }) => start === end)?.end ?? size;
    }
  } finally {
    await input.close();
    await output.close();
  }
}

/** Why the failed runs of a group failed. Their logs are read one at a time. */
export async function readFailedRuns(
  source: string,
  group: string,
  file: ResultFile,
  secrets: readonly string[],
): Promise<readonly FailedRun[]> {
  const failed = file.runs.filter(({ error }) => error !== undefined).slice(0, MOST_FAILED_RUNS);
  const input = await open(source);
  try {
    const runs: FailedRun[] = [];
    for (const run of failed) runs.push(await describe(input, group, run, secrets));
    return runs;
  } finally {
    await input.close();
  }
}

async function describe(
  input: FileHandle,
  group: string,
  run: RunRecord,
  secrets: readonly string[],
): Promise<FailedRun> {
  const logs = redact(run.logs === undefined ? '' : await readLogs(input, run.logs), secrets);
  return {
    group,
    run: run.id,
    startedAt: run.startedAt.toISOString(),
    seconds: run.duration / 1000,
    cause: failureCause(redact(run.error ?? '', secrets), logs),
    logTail: logs.slice(-LOG_TAIL),
  };
}

/** Decodes the logs of a run, of very long ones only the end. */
async function readLogs(input: FileHandle, range: { start: number; end: number }): Promise<string> {
  const start = Math.max(range.start, range.end - LONGEST_LOGS);
  const raw = await readRange(input, start, range.end);
  // A cut may go through an escape sequence, which is at most six characters long.
  for (let skipped = 0; skipped <= 6; skipped += 1) {
    try {
      return String(JSON.parse(`"${raw.slice(skipped)}"`));
    } catch {
      // Tries one character further on.
    }
  }
  return '';
}

async function readRange(input: FileHandle, start: number, end: number): Promise<string> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await input.read(buffer, 0, buffer.length, start);
  return buffer.toString('utf8', 0, bytesRead);
}
