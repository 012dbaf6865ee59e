import { open, type FileHandle } from 'node:fs/promises';
import { failureCause, type FailureCause } from '../measure/failure-cause.js';
import type { ResultFile } from '../measure/result-file.js';
import { hasPassed, type RunRecord } from '../measure/run-table.js';
import type { Redactor } from '../redact/redactor.js';
import { readRange } from './file-pieces.js';

const LONGEST_LOGS = 2 * 1024 * 1024;
const LOG_TAIL = 4096;
/** Of so many the end of the log is kept; the cause is kept of all. */
const MOST_LOG_TAILS = 1000;

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

/** Why the failed runs of a group failed. Their logs are read one at a time. */
export async function readFailedRuns(
  source: string,
  group: string,
  file: ResultFile,
  redactor: Redactor,
): Promise<readonly FailedRun[]> {
  const input = await open(source);
  try {
    const runs: FailedRun[] = [];
    for (const run of file.runs) {
      if (hasPassed(run)) continue;
      const described = await describe(input, group, run, redactor);
      runs.push(runs.length < MOST_LOG_TAILS ? described : { ...described, logTail: '' });
    }
    return runs;
  } finally {
    await input.close();
  }
}

async function describe(
  input: FileHandle,
  group: string,
  run: RunRecord,
  redactor: Redactor,
): Promise<FailedRun> {
  const logs = redactor.clean(run.logs === undefined ? '' : await readLogs(input, run.logs));
  return {
    group,
    run: run.id,
    startedAt: run.startedAt.toISOString(),
    seconds: run.duration / 1000,
    cause: failureCause(redactor.clean(run.error ?? ''), logs),
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
