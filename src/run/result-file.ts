import { writeFile } from 'node:fs/promises';
import type { Milliseconds } from '../units.js';

/** One workspace's run, as the CLI writes it. */
export interface FinishedRun {
  readonly index: number;
  readonly startedAt: Date;
  readonly duration: Milliseconds;
  readonly logs: string;
  /** Undefined when the run passed. */
  readonly error?: string;
}

const TEST_NAME = 'workspacebuild';

/** Writes the same file as `coder exp scaletest create-workspaces --output=json:…` (scaletest/harness/results.go). */
export async function writeResultFile(
  path: string,
  runs: readonly FinishedRun[],
  elapsed: Milliseconds,
): Promise<void> {
  const sorted = runs
    .map((run) => ({ key: `${TEST_NAME}/${run.index}`, run }))
    // Go's encoder sorts map keys as strings: 0, 1, 10, 11, 2.
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const failed = runs.filter(({ error }) => error !== undefined).length;
  const document = {
    total_runs: runs.length,
    total_pass: runs.length - failed,
    total_fail: failed,
    elapsed: goDuration(elapsed),
    elapsed_ms: Math.trunc(elapsed),
    runs: Object.fromEntries(sorted.map(({ key, run }) => [key, runDocument(key, run)])),
  };
  await writeFile(path, `${goJson(document)}\n`, { mode: 0o600 });
}

function runDocument(key: string, run: FinishedRun): Record<string, unknown> {
  return {
    full_id: key,
    test_name: TEST_NAME,
    id: String(run.index),
    logs: run.logs,
    started_at: run.startedAt.toISOString(),
    duration: goDuration(run.duration),
    duration_ms: Math.trunc(run.duration),
    error: run.error ?? '<nil>',
  };
}

/** Go's encoding/json escapes what HTML could take for markup. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go's time.Duration as text, to the millisecond: `1m30.5s`, `250ms`, `0s`. */
export function goDuration(duration: Milliseconds): string {
  const total = Math.trunc(duration);
  if (total === 0) return '0s';
  if (total < 1000) return `${total}ms`;
  const hours = Math.floor(total / 3_600_000);
  const mins = Math.floor((total % 3_600_000) / 60_000);
  const secs = `${(total % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${mins}m${secs}`;
  return mins > 0 ? `${mins}m${secs}` : secs;
}
