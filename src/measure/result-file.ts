import { z } from 'zod';
import { milliseconds, seconds, toMilliseconds, type Milliseconds } from '../units.js';
import { parseGoDuration } from './go-duration.js';
import { JsonWindow, ResultFileError, type ByteRange, type Parsing } from './json-window.js';

/** One run of a suite, without its logs. */
export interface RunRecord {
  readonly id: string;
  readonly startedAt: Date;
  readonly duration: Milliseconds;
  /** Undefined when the run passed. */
  readonly error?: string;
  /** What workspace-traffic read from and wrote to the workspace; before v2.24 no file has it. */
  readonly bytes?: TransferredBytes;
  /** What the suite measured itself, as it stands in the file; since v2.27, of suites that have some. */
  readonly metrics?: Readonly<Record<string, unknown>>;
  /** Where its logs stand in the file. */
  readonly logs?: ByteRange;
}

export interface TransferredBytes {
  readonly read: number;
  readonly written: number;
}

export interface ResultFile {
  readonly totalRuns: number;
  readonly totalPass: number;
  readonly totalFail: number;
  readonly elapsed: Milliseconds;
  readonly runs: readonly RunRecord[];
}

/** The shapes of a passing run's error: `"<nil>"` since v2.3, `null` before, or no key. */
const PASSED = z.union([z.literal('<nil>'), z.null(), z.undefined()]);
const LONGEST_ERROR = 16_384;
/** Bytes of what follows `logs` that are searched for: long enough to be fast, short enough to be the same in each run. */
const FOLLOWER_LENGTH = 12;

const count = z.number().int().nonnegative();
const totalsShape = z.object({
  total_runs: count,
  total_pass: count,
  total_fail: count,
  elapsed_ms: z.number().nonnegative(),
});
const runShape = z.object({
  started_at: z.string(),
  duration_ms: z.number().nonnegative(),
  duration: z.string().optional(),
  error: z.unknown().optional(),
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

/**
 * Reads a result file of any size: runs without their logs, which are skipped and not decoded.
 * @param open gives the file's bytes from the beginning; it is called again when the fast way does not fit the file.
 * @throws ResultFileError for a file that is truncated, no result file, or contradicts itself.
 */
export async function readResultFile(open: () => AsyncIterable<Uint8Array>): Promise<ResultFile> {
  try {
    return await readOnce(open(), 'search');
  } catch (thrown) {
    if (!(thrown instanceof ResultFileError)) throw thrown;
    // The search relies on the same key coming after `logs` in every run. The exact way decides.
    return readOnce(open(), 'exact');
  }
}

async function readOnce(
  chunks: AsyncIterable<Uint8Array>,
  skipping: 'search' | 'exact',
): Promise<ResultFile> {
  const window = new JsonWindow();
  const parsing = new ResultParser(window, skipping).document();
  let step = parsing.next();
  for await (const chunk of chunks) {
    window.append(chunk);
    step = parsing.next();
    if (step.done) break;
  }
  window.end();
  while (!step.done) step = parsing.next();
  return step.value;
}

class ResultParser {
  readonly #totals: Record<string, unknown> = {};
  readonly #runs: RunRecord[] = [];
  #hasRuns = false;
  #follower: Buffer | undefined;

  constructor(
    private readonly window: JsonWindow,
    private readonly skipping: 'search' | 'exact',
  ) {}

  *document(): Parsing<ResultFile> {
    yield* this.window.object((key) => this.#topLevel(key));
    yield* this.window.rest();
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

  *#topLevel(key: string): Parsing<void> {
    if (key !== 'runs') {
      this.#totals[key] = yield* this.window.value();
      return;
    }
    this.#hasRuns = true;
    yield* this.window.object((id) => this.#run(id));
  }

  *#run(id: string): Parsing<void> {
    const fields: Record<string, unknown> = {};
    let logs: ByteRange | undefined;
    const skipLogs = (): Parsing<ByteRange> => this.#skipLogs();
    const value = (): Parsing<unknown> => this.window.value();
    yield* this.window.object(function* (key) {
      if (key === 'logs') logs = yield* skipLogs();
      else fields[key] = yield* value();
    });
    const parsed = runShape.safeParse(fields);
    const startedAt = new Date(String(fields['started_at']));
    if (!parsed.success || Number.isNaN(startedAt.getTime())) {
      throw new ResultFileError(
        `the run "${id}" has no usable ${parsed.success ? 'started_at' : (parsed.error.issues[0]?.path.join('.') ?? 'fields')}`,
      );
    }
    this.#runs.push({
      id,
      startedAt,
      duration: durationOf(parsed.data),
      ...(!PASSED.safeParse(parsed.data.error).success && { error: errorText(parsed.data.error) }),
      ...bytesOf(fields),
      ...metricsOf(fields),
      ...(logs && { logs }),
    });
  }

  *#skipLogs(): Parsing<ByteRange> {
    if (this.skipping === 'exact') return yield* this.window.skipString();
    if (this.#follower !== undefined) return yield* this.window.skipString(this.#follower);
    const range = yield* this.window.skipString();
    // Learned from the first run: the closing quote and what comes after it, `","started_at`.
    const bytes = this.window.surroundings(1, FOLLOWER_LENGTH);
    if (bytes.length === FOLLOWER_LENGTH + 1 && bytes.indexOf('","') === 0) this.#follower = bytes;
    return range;
  }
}

/** Whole milliseconds are exact enough, but for a run that took less than one. */
function durationOf({ duration_ms: whole, duration }: z.infer<typeof runShape>): Milliseconds {
  return whole > 0 ? milliseconds(whole) : toMilliseconds(parseGoDuration(duration ?? '') ?? seconds(0));
}

/** Most suites have none, and a zod union for each of ten thousand runs would cost more than the rest. */
function bytesOf(fields: Record<string, unknown>): { bytes?: TransferredBytes } {
  if (!('metrics' in fields) && !('total_bytes_read' in fields)) return {};
  const { success, data } = bytesShape.safeParse(fields);
  return success ? { bytes: data } : {};
}

function metricsOf({ metrics }: Record<string, unknown>): { metrics?: Readonly<Record<string, unknown>> } {
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
  const failed = runs.filter(({ error }) => error !== undefined).length;
  if (totalRuns !== totalPass + totalFail || totalRuns !== runs.length || totalFail !== failed) {
    throw new ResultFileError(
      `the file contradicts itself: its totals say ${totalRuns} runs, ${totalPass} passed and ${totalFail} failed, but it lists ${runs.length} runs, of which ${failed} failed`,
    );
  }
}
