import { goJson } from '../go-json.js';
import { isAtLeast } from '../versions.js';
import { goDuration, type Instant, rfc3339Nano } from './go-format.js';

export interface RunResult {
  testName: string;
  id: string;
  logs: string;
  startedAt: Instant;
  nanoseconds: bigint;
  /** The whole error text; null when the run passed. */
  error: string | null;
  /** The error in one line, for the text output. */
  shortError: string;
  /** Of workspace-traffic. */
  bytes?: { read: number; written: number };
  /** Of other suites that have some. */
  metrics?: Record<string, unknown> | null;
}

export interface Results {
  runs: RunResult[];
  /** Since v2.32 autostart writes numbers for keys, and Go's zero time for every time. */
  timeless?: boolean;
  nanoseconds: bigint;
}

function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}

export function failures(results: Results): number {
  return results.runs.filter((run) => run.error !== null).length;
}

/** v2.24 to v2.26 had two more keys for every suite; since then suites that have some have `metrics`. */
function measured({ bytes, metrics }: RunResult, version: string): Record<string, unknown> {
  if (!isAtLeast(version, 'v2.24.0')) return {};
  if (!isAtLeast(version, 'v2.27.0'))
    return { total_bytes_read: bytes?.read ?? 0, total_bytes_written: bytes?.written ?? 0 };
  if (metrics !== undefined && metrics !== null) return { metrics };
  return bytes === undefined ? {} : { metrics: { bytes_read: bytes.read, bytes_written: bytes.written } };
}

function runJson(run: RunResult, version: string): Record<string, unknown> {
  return {
    full_id: `${run.testName}/${run.id}`,
    test_name: run.testName,
    id: run.id,
    logs: run.logs,
    started_at: rfc3339Nano(run.startedAt),
    duration: goDuration(run.nanoseconds),
    duration_ms: milliseconds(run.nanoseconds),
    ...measured(run, version),
    error: run.error ?? '<nil>',
  };
}

/** A run of autostart, by its place in the list and without times. */
function timelessRun(run: RunResult, index: number): [string, Record<string, unknown>] {
  return [
    String(index),
    {
      full_id: `${run.testName}/${run.id}`,
      test_name: run.testName,
      id: String(index),
      logs: '',
      started_at: '0001-01-01T00:00:00Z',
      duration: '0s',
      duration_ms: 0,
      metrics: run.metrics,
      error: run.error ?? '<nil>',
    },
  ];
}

/** The document of `--output json`: one line, keys of runs sorted as text. */
export function resultsJson(results: Results, version: string, passed: number): string {
  const runs = results.runs
    .map((run, index): [string, Record<string, unknown>] =>
      results.timeless === true
        ? timelessRun(run, index)
        : [`${run.testName}/${run.id}`, runJson(run, version)],
    )
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `${goJson({
    total_runs: results.runs.length,
    total_pass: passed,
    total_fail: results.runs.length - passed,
    elapsed: goDuration(results.timeless === true ? 0n : results.nanoseconds),
    elapsed_ms: results.timeless === true ? 0 : milliseconds(results.nanoseconds),
    runs: Object.fromEntries(runs),
  })}\n`;
}

/** What `--output text` prints: the failed runs with their logs, then the totals. */
export function resultsText(results: Results): string {
  const failed = [...results.runs]
    .sort((left, right) => (`${left.testName}/${left.id}` < `${right.testName}/${right.id}` ? -1 : 1))
    .filter((run) => run.error !== null)
    .map((run) => {
      const logs = run.logs
        .split('\n')
        .map((line) => `\t\t${line}`)
        .join('\n');
      return `\n== FAIL: ${run.testName}/${run.id}\n\n\tError: ${run.shortError}\n\n\tLog:\n${logs}\n`;
    });
  const totals = '\n\nTest results:\n';
  if (results.runs.length === 0) return `${totals}\tNo tests run\n`;
  const sum = results.runs.reduce((total, run) => total + run.nanoseconds, 0n);
  const fail = failures(results);
  const counts = `\tPass:  ${results.runs.length - fail}\n\tFail:  ${fail}\n\tTotal: ${results.runs.length}\n`;
  const times = `\tTotal duration: ${goDuration(results.nanoseconds)}\n\tAvg. duration:  ${goDuration(sum / BigInt(results.runs.length))}\n`;
  return `${failed.join('')}${totals}${counts}\n${times}`;
}
