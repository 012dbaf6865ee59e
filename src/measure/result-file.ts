import { z } from 'zod';
import { messageOf } from '../errors.js';
import { milliseconds, type Milliseconds } from '../units.js';
import { LogsApart, type ByteRange, type Skipping } from './logs-apart.js';
import { ResultFileError } from './result-file-error.js';
import { objectOr, refuseDeep, runRecord, type RunFields } from './run-fields.js';
import { countRuns, hasPassed, RunTable, type Runs } from './run-table.js';

export interface ResultFile {
  readonly totalRuns: number;
  readonly totalPass: number;
  readonly totalFail: number;
  readonly elapsed: Milliseconds;
  readonly runs: Runs;
  /** Where logs stand in the file, in its order. */
  readonly logs: Iterable<ByteRange>;
}

const NO_RESULT_FILE = 'this is no result file of a scale test';
/** Measured: of larger batches the collector has more work, and smaller ones cost calls. */
const BATCH_BYTES = 64 * 1024;
const MOST_TEXT = 256 * 1024 ** 2;
const count = z.number().int().nonnegative();
const totalsShape = z.object({
  total_runs: count,
  total_pass: count,
  total_fail: count,
  elapsed_ms: z.number().nonnegative(),
});

/** Fills the room from a place of the file on, as far as it likes; returns how many bytes that were, 0 at its end. */
export type ReadAt = (room: Uint8Array, place: number) => Promise<number>;

/**
 * Reads a result file of any size: runs without their logs, which are skipped and not decoded.
 * @param readAt is asked for the file's beginning again when a fast way does not fit the file.
 * @throws ResultFileError for a file that is truncated, no result file, or contradicts itself.
 */
export async function readResultFile(readAt: ReadAt): Promise<ResultFile> {
  for (const skipping of ['by day', 'by key'] as const) {
    try {
      return await readOnce(readAt, skipping);
    } catch (thrown) {
      // What is searched for may not come after each run's logs. The exact way decides.
      if (!(thrown instanceof ResultFileError)) throw thrown;
    }
  }
  return readOnce(readAt, 'exact');
}

async function readOnce(readAt: ReadAt, skipping: Skipping): Promise<ResultFile> {
  const apart = new LogsApart(skipping);
  const parser = new ResultParser(apart);
  for (let place = 0; ;) {
    const bytes = await readAt(apart.room(), place);
    if (bytes === 0) break;
    place += bytes;
    apart.filled(bytes);
    if (skipping !== 'exact' && apart.isInLogs && apart.textLength >= BATCH_BYTES) parser.batch();
    if (apart.textLength > MOST_TEXT)
      throw new ResultFileError(`it holds more than ${MOST_TEXT / 1024 ** 2} MB besides logs`);
  }
  apart.end();
  return parser.end();
}

/**
 * Makes a list of runs from the inside of an object: the key of a run and its `full_id` are the same. Nor are its other
 * names kept: the engine would remember each of them.
 */
const withoutKeys = (runs: string): string =>
  runs.replace(
    /\},"([^"\\]*)":\{"full_id":"\1",(?:"test_name":"[^"\\]*","id":"[^"\\]*",)?/g,
    '},{"full_id":"$1",',
  );

/**
 * Parses a file in batches of runs. A batch ends within the logs of a run, so the document is closed there, and the next
 * batch begins with what of that run came before its logs.
 */
class ResultParser {
  readonly #totals = new Map<string, unknown>();
  readonly #runs = new RunTable();
  #hasRuns = false;
  /** The run whose logs are being passed where a batch ends. */
  #unfinished: { readonly id: string; readonly fields: RunFields } | undefined;
  #batchStart = 0;

  constructor(private readonly apart: LogsApart) {}

  /** Everything up to the logs that are being passed. */
  batch(): void {
    if (this.#unfinished === undefined) this.#readDocument(this.#parse(this.apart.takeText('"}}}')));
    else this.#readList(this.#parse(withoutKeys(this.apart.takeText('"}]'))));
    this.apart.writeText(this.#openingOfList());
    this.#batchStart = this.apart.place;
  }

  /** The rest. */
  end(): ResultFile {
    if (this.apart.isInLogs) this.#refuseCutOff();
    const text = this.apart.takeText();
    const document =
      this.#unfinished === undefined
        ? text
        : `{"runs":{${JSON.stringify(this.#unfinished.id)}:${text.slice('['.length)}`;
    this.#readDocument(this.#parse(document));
    return this.#result();
  }

  /** What comes before the rest of the run that is unfinished. */
  #openingOfList(): string {
    if (this.#unfinished === undefined || Number(this.#unfinished.fields.logs) !== this.apart.ranges.length)
      throw new ResultFileError('logs stand where no run is');
    const { id, fields } = this.#unfinished;
    const text = JSON.stringify([{ ...fields, full_id: id }]);
    return text.slice(0, text.lastIndexOf('"'));
  }

  #readDocument(document: unknown): void {
    const entries = objectOr(document, () => `${NO_RESULT_FILE}: it holds no object`);
    for (const [key, value] of Object.entries(entries)) {
      if (key !== 'runs') {
        this.#totals.set(key, value);
        continue;
      }
      this.#hasRuns = true;
      const runs = objectOr(value, () => `${NO_RESULT_FILE}: its runs are no object`);
      for (const [id, run] of Object.entries(runs))
        this.#readRun(
          id,
          objectOr(run, () => `the run "${id}" is no object`),
        );
    }
  }

  /** Measured: a list is parsed in two thirds of the time of an object of which each key is new. */
  #readList(list: unknown): void {
    const runs: readonly unknown[] = Array.isArray(list) ? list : [];
    for (const run of runs) {
      const fields: RunFields = objectOr(run, () => 'a run is no object');
      if (typeof fields.full_id !== 'string') throw new ResultFileError('a run has no full_id');
      this.#readRun(fields.full_id, fields);
    }
  }

  #readRun(id: string, fields: RunFields): void {
    const logs = typeof fields.logs === 'string' ? Number(fields.logs) : undefined;
    if (logs === this.apart.ranges.length) {
      refuseDeep(fields);
      this.#unfinished = { id, fields };
    } else this.#runs.add(runRecord(id, fields, logs === undefined ? undefined : this.apart.ranges.at(logs)));
  }

  #result(): ResultFile {
    const totals = totalsShape.safeParse(Object.fromEntries(this.#totals));
    if (!totals.success || !this.#hasRuns) {
      const missing = totals.success ? 'runs' : (totals.error.issues[0]?.path.join('.') ?? 'its totals');
      throw new ResultFileError(`${NO_RESULT_FILE}: ${missing} is missing or wrong`);
    }
    const file: ResultFile = {
      totalRuns: totals.data.total_runs,
      totalPass: totals.data.total_pass,
      totalFail: totals.data.total_fail,
      elapsed: milliseconds(totals.data.elapsed_ms),
      runs: this.#runs,
      logs: this.apart.ranges,
    };
    refuseContradictions(file);
    return file;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (thrown) {
      if (isCutOff(text)) this.#refuseCutOff();
      // The place that it names is one of the batch.
      const reason = messageOf(thrown).replace(/ (in JSON )?at position .*/, '');
      throw new ResultFileError(
        `it is no JSON between the bytes ${this.#batchStart} and ${this.apart.place}: ${reason}`,
      );
    }
  }

  #refuseCutOff(): never {
    throw new ResultFileError(`the file ends in the middle, at byte ${this.apart.place}`, true);
  }
}

/** Whether a document that is no JSON would go on: something was opened and not closed. */
function isCutOff(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index += 1;
      else isInString = character !== '"';
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return text.trim() === '' || (/^\s*\{/.test(text) && (isInString || depth > 0));
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
