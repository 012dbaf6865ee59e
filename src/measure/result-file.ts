import { z } from 'zod';
import { milliseconds, seconds, toMilliseconds, type Milliseconds } from '../units.js';
import { parseGoDuration } from './go-duration.js';
import { JsonCursor, ResultFileError, type ByteRange } from './json-cursor.js';
import { countRuns, hasPassed, RunTable, type Runs, type TransferredBytes } from './run-table.js';

export interface ResultFile {
  readonly totalRuns: number;
  readonly totalPass: number;
  readonly totalFail: number;
  readonly elapsed: Milliseconds;
  readonly runs: Runs;
}

const LONGEST_ERROR = 16_384;
const count = z.number().int().nonnegative();
const totalsShape = z.object({
  total_runs: count,
  total_pass: count,
  total_fail: count,
  elapsed_ms: z.number().nonnegative(),
});
/** Since v2.27 under `metrics`; v2.24 to v2.26 had two keys of their own. */
const bytesShape = z.union([
  z
    .object({ metrics: z.object({ bytes_read: count, bytes_written: count }) })
    .transform(({ metrics }) => ({ read: metrics.bytes_read, written: metrics.bytes_written })),
  z
    .object({ total_bytes_read: count, total_bytes_written: count })
    .transform((run) => ({ read: run.total_bytes_read, written: run.total_bytes_written })),
]);

/** Fills the room from a place of the file on, as far as it likes; returns how many bytes that were, 0 at its end. */
export type ReadAt = (room: Uint8Array, place: number) => Promise<number>;

/**
 * Reads a result file of any size: runs without their logs, which are skipped and not decoded.
 * @param readAt is asked for the file's beginning again when the fast way does not fit the file.
 * @throws ResultFileError for a file that is truncated, no result file, or contradicts itself.
 */
export async function readResultFile(readAt: ReadAt): Promise<ResultFile> {
  try {
    return await readOnce(readAt, 'search');
  } catch (thrown) {
    if (!(thrown instanceof ResultFileError)) throw thrown;
    // The search relies on the same key coming after `logs` in every run. The exact way decides.
    return readOnce(readAt, 'exact');
  }
}

async function readOnce(readAt: ReadAt, skipping: 'search' | 'exact'): Promise<ResultFile> {
  const cursor = new JsonCursor();
  const parser = new ResultParser(cursor, skipping);
  for (let place = 0; ;) {
    const bytes = await readAt(cursor.room(), place);
    if (bytes === 0) break;
    place += bytes;
    cursor.filled(bytes);
    parser.goOn();
  }
  cursor.end();
  parser.goOn();
  return parser.result();
}

/** Of a run; whatever else stands there is passed over. */
interface RunFields {
  started_at?: unknown;
  duration?: unknown;
  duration_ms?: unknown;
  error?: unknown;
  metrics?: unknown;
  total_bytes_read?: unknown;
  total_bytes_written?: unknown;
}

/** Goes through the file step by step; a step for which the bytes at hand do not suffice is made again later. */
class ResultParser {
  readonly #totals: Record<string, unknown> = {};
  readonly #runs = new RunTable();
  #hasRuns = false;
  #id = '';
  #fields: RunFields = {};
  #logs: ByteRange | undefined;
  #logsStart = 0;
  /** What comes after the logs of each run, learned from the first one: `","started_at":"`. */
  #follower: Buffer | undefined;
  /** Does the next thing in the file; false when it needs more bytes. */
  #step: () => boolean = () => this.#begin();

  constructor(
    private readonly cursor: JsonCursor,
    private readonly skipping: 'search' | 'exact',
  ) {}

  /** As far as the bytes at hand suffice. */
  goOn(): void {
    while (this.#step());
  }

  result(): ResultFile {
    const totals = totalsShape.safeParse(this.#totals);
    if (!totals.success || !this.#hasRuns) {
      const missing = totals.success ? 'runs' : (totals.error.issues[0]?.path.join('.') ?? 'its totals');
      throw new ResultFileError(`this is no result file of a scale test: ${missing} is missing or wrong`);
    }
    const file: ResultFile = {
      totalRuns: totals.data.total_runs,
      totalPass: totals.data.total_pass,
      totalFail: totals.data.total_fail,
      elapsed: milliseconds(totals.data.elapsed_ms),
      runs: this.#runs,
    };
    refuseContradictions(file);
    return file;
  }

  readonly #begin = (): boolean =>
    this.cursor.attempt(() => {
      this.cursor.expect('{');
      this.#step = this.cursor.accept('}') ? this.#rest : this.#total;
    });

  readonly #rest = (): boolean => {
    this.cursor.expectNothingMore();
    return false;
  };

  readonly #total = (): boolean =>
    this.cursor.attempt(() => {
      const key = this.cursor.key();
      if (key === 'runs') {
        this.cursor.expect('{');
        this.#step = this.cursor.accept('}') ? this.#afterTotal : this.#openRun;
        this.#hasRuns = true;
      } else {
        this.#totals[key] = this.cursor.value();
        this.#step = this.#afterTotal;
      }
    });

  readonly #afterTotal = (): boolean =>
    this.cursor.attempt(() => {
      this.#step = this.cursor.hasNext('}') ? this.#total : this.#rest;
    });

  readonly #openRun = (): boolean =>
    this.cursor.attempt(() => {
      const id = this.cursor.key();
      this.cursor.expect('{');
      if (this.cursor.accept('}')) this.#refuseRun(id, 'started_at');
      this.#id = id;
      this.#fields = {};
      this.#logs = undefined;
      this.#step = this.#field;
    });

  readonly #field = (): boolean =>
    this.cursor.attempt(() => {
      const key = this.cursor.key();
      if (key === 'logs') {
        this.cursor.expect('"');
        this.#logsStart = this.cursor.place;
        this.#step = this.#skipLogs;
        return;
      }
      if (isKept(key)) this.#fields[key] = this.cursor.value();
      else this.cursor.skipValue();
      this.#step = this.#afterField;
    });

  readonly #skipLogs = (): boolean => {
    const follower = this.skipping === 'search' ? this.#follower : undefined;
    if (!this.cursor.skipString(follower)) return false;
    this.#logs = { start: this.#logsStart, end: this.cursor.place - 1 };
    this.#follower ??= this.cursor.follower();
    this.#step = this.#afterField;
    return true;
  };

  readonly #afterField = (): boolean =>
    this.cursor.attempt(() => {
      if (this.cursor.hasNext('}')) this.#step = this.#field;
      else {
        this.#step = this.#afterRun;
        this.#closeRun();
      }
    });

  readonly #afterRun = (): boolean =>
    this.cursor.attempt(() => {
      this.#step = this.cursor.hasNext('}') ? this.#openRun : this.#afterTotal;
    });

  #closeRun(): void {
    const fields = this.#fields;
    const { started_at: started, duration_ms: whole, error } = fields;
    const startedAt = new Date(typeof started === 'string' ? started : Number.NaN);
    if (Number.isNaN(startedAt.getTime())) this.#refuseRun(this.#id, 'started_at');
    if (typeof whole !== 'number' || whole < 0) this.#refuseRun(this.#id, 'duration_ms');
    this.#runs.add({
      id: this.#id,
      startedAt,
      duration: durationOf(whole, fields.duration),
      ...(!isPass(error) && { error: errorText(error) }),
      ...bytesOf(fields),
      ...metricsOf(fields),
      ...(this.#logs && { logs: this.#logs }),
    });
  }

  #refuseRun(id: string, field: string): never {
    throw new ResultFileError(`the run "${id}" has no usable ${field}`);
  }
}

const KEPT: ReadonlySet<string> = new Set<keyof RunFields>([
  'started_at',
  'duration',
  'duration_ms',
  'error',
  'metrics',
  'total_bytes_read',
  'total_bytes_written',
]);
const isKept = (key: string): key is keyof RunFields => KEPT.has(key);

/** The shapes of a passing run's error: `"<nil>"` since v2.3, `null` before, or no key. */
const isPass = (error: unknown): boolean => error === '<nil>' || error === null || error === undefined;

/** Whole milliseconds are exact enough, but for a run that took less than one. */
function durationOf(whole: number, duration: unknown): Milliseconds {
  if (whole > 0) return milliseconds(whole);
  return toMilliseconds(parseGoDuration(typeof duration === 'string' ? duration : '') ?? seconds(0));
}

/** Most suites have none, and a zod union for each of ten thousand runs would cost more than the rest. */
function bytesOf(fields: RunFields): { bytes?: TransferredBytes } {
  if (!('metrics' in fields) && !('total_bytes_read' in fields)) return {};
  const { success, data } = bytesShape.safeParse(fields);
  return success ? { bytes: data } : {};
}

function metricsOf({ metrics }: RunFields): { metrics?: Readonly<Record<string, unknown>> } {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return {};
  return { metrics: { ...metrics } };
}

/** Up to v2.2 a failed run's error is an object without content. */
function errorText(error: unknown): string {
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}

function refuseContradictions(file: ResultFile): void {
  const { totalRuns, totalPass, totalFail, runs } = file;
  const failed = countRuns(runs, (run) => !hasPassed(run));
  if (totalRuns !== totalPass + totalFail || totalRuns !== runs.length || totalFail !== failed) {
    throw new ResultFileError(
      `the file contradicts itself: its totals say ${totalRuns} runs, ${totalPass} passed and ${totalFail} failed, but it lists ${runs.length} runs, of which ${failed} failed`,
    );
  }
}
