import { z } from 'zod';
import { milliseconds, seconds, toMilliseconds, type Milliseconds } from '../units.js';
import { parseGoDuration } from './go-duration.js';
import type { ByteRange } from './logs-apart.js';
import { ResultFileError } from './result-file-error.js';
import type { RunRecord, TransferredBytes } from './run-table.js';

const LONGEST_ERROR = 16_384;
const count = z.number().int().nonnegative();
/** Since v2.27 under `metrics`; v2.24 to v2.26 had two keys of their own. */
const bytesShape = z.union([
  z
    .object({ metrics: z.object({ bytes_read: count, bytes_written: count }) })
    .transform(({ metrics }) => ({ read: metrics.bytes_read, written: metrics.bytes_written })),
  z
    .object({ total_bytes_read: count, total_bytes_written: count })
    .transform((run) => ({ read: run.total_bytes_read, written: run.total_bytes_written })),
]);

/** What a result file says of a run; whatever else stands there is passed over. */
export interface RunFields {
  readonly full_id?: unknown;
  /** In place of the text, its number in the file. */
  readonly logs?: unknown;
  readonly started_at?: unknown;
  readonly duration?: unknown;
  readonly duration_ms?: unknown;
  readonly error?: unknown;
  readonly metrics?: unknown;
  readonly total_bytes_read?: unknown;
  readonly total_bytes_written?: unknown;
}

export function objectOr(value: unknown, complaint: () => string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ResultFileError(complaint());
  return value;
}

const DEEPEST = 64;

export function refuseDeep(value: unknown, levels = DEEPEST): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new ResultFileError(`values are nested more than ${DEEPEST} deep`);
  for (const part of Object.values(value)) refuseDeep(part, levels - 1);
}

/** @throws ResultFileError for a run that says no time. */
export function runRecord(id: string, fields: RunFields, logs: ByteRange | undefined): RunRecord {
  const { started_at: started, duration_ms: whole, error } = fields;
  const startedAt = new Date(typeof started === 'string' ? started : Number.NaN);
  if (Number.isNaN(startedAt.getTime())) refuseRun(id, 'started_at');
  if (typeof whole !== 'number' || !Number.isFinite(whole) || whole < 0) refuseRun(id, 'duration_ms');
  refuseDeep(error);
  refuseDeep(fields.metrics);
  return {
    id,
    startedAt,
    duration: durationOf(whole, fields.duration),
    error: isPass(error) ? undefined : errorText(error),
    bytes: bytesOf(fields),
    metrics: metricsOf(fields),
    logs,
  };
}

function refuseRun(id: string, field: string): never {
  throw new ResultFileError(`the run "${id}" has no usable ${field}`);
}

/** The shapes of a passing run's error: `"<nil>"` since v2.3, `null` before, or no key. */
const isPass = (error: unknown): boolean => error === '<nil>' || error === null || error === undefined;

/** Whole milliseconds are exact enough, but for a run that took less than one. */
function durationOf(whole: number, duration: unknown): Milliseconds {
  if (whole > 0) return milliseconds(whole);
  return toMilliseconds(parseGoDuration(typeof duration === 'string' ? duration : '') ?? seconds(0));
}

/** Most suites have none, and a zod union for each of ten thousand runs would cost more than the rest. */
function bytesOf(fields: RunFields): TransferredBytes | undefined {
  if (!('metrics' in fields) && !('total_bytes_read' in fields)) return undefined;
  return bytesShape.safeParse(fields).data;
}

function metricsOf({ metrics }: RunFields): Readonly<Record<string, unknown>> | undefined {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return undefined;
  return { ...metrics };
}

/** Up to v2.2 a failed run's error is an object without content. */
function errorText(error: unknown): string {
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}
