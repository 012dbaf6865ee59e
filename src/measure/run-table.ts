import { milliseconds, type Milliseconds } from '../units.js';
import type { ByteRange } from './json-cursor.js';

/** One run of a suite, without its logs. */
export interface RunRecord {
  readonly id: string;
  readonly startedAt: Date;
  readonly duration: Milliseconds;
  /** Undefined when the run passed. */
  readonly error?: string | undefined;
  /** What workspace-traffic read from and wrote to the workspace; before v2.24 no file has it. */
  readonly bytes?: TransferredBytes | undefined;
  /** What the suite measured itself, as it stands in the file; since v2.27, of suites that have some. */
  readonly metrics?: Readonly<Record<string, unknown>> | undefined;
  /** Where its logs stand in the file. */
  readonly logs?: ByteRange | undefined;
}

export interface TransferredBytes {
  readonly read: number;
  readonly written: number;
}

/**
 * The runs of a suite, in the order of the file: a table of a hundred thousand, or a list of few. Of a table each run is
 * made when it is asked for, so whoever keeps all of them needs the memory.
 */
export interface Runs extends Iterable<RunRecord> {
  readonly length: number;
}

export const hasPassed = ({ error }: RunRecord): boolean => error === undefined;

export function countRuns(runs: Runs, isCounted: (run: RunRecord) => boolean): number {
  let count = 0;
  for (const run of runs) if (isCounted(run)) count += 1;
  return count;
}

/** How long each of the runs took that passed. */
export function passedSeconds(runs: Runs): number[] {
  const durations: number[] = [];
  for (const run of runs) if (hasPassed(run)) durations.push(run.duration / 1000);
  return durations;
}

/** The columns. */
const STARTED_AT = 0;
const DURATION = 1;
const LOGS_START = 2;
const LOGS_END = 3;
/** The place of an error in the list of texts, or NONE. */
const ERROR = 4;
/** The place of an id's text, or of its beginning when it ends in a number, and that number or NONE. */
const ID = 5;
const ID_NUMBER = 6;
const COLUMNS = 7;
const FIRST_ROWS = 1024;
const NONE = -1;
/** `workspacebuild/17`; one with leading zeros, or too large to be exact, stays a text. */
const NUMBERED = /^(.*\/)(0|[1-9]\d{0,14})$/s;

/**
 * Runs in columns outside of the heap: a hundred thousand objects would take many times the memory, and so would the
 * collector's room for them. Texts that many runs share are kept once.
 */
export class RunTable implements Runs {
  #length = 0;
  #numbers = new Float64Array(FIRST_ROWS * COLUMNS);
  readonly #texts: string[] = [];
  readonly #places = new Map<string, number>();
  /** Of the few suites that have some. */
  readonly #bytes = new Map<number, TransferredBytes>();
  readonly #metrics = new Map<number, Readonly<Record<string, unknown>>>();

  get length(): number {
    return this.#length;
  }

  add({ id, startedAt, duration, error, bytes, metrics, logs }: RunRecord): void {
    const at = this.#length * COLUMNS;
    if (at === this.#numbers.length) this.#grow();
    const numbers = this.#numbers;
    const [, text = id, number = NONE] = NUMBERED.exec(id) ?? [];
    numbers[at + STARTED_AT] = startedAt.getTime();
    numbers[at + DURATION] = duration;
    numbers[at + LOGS_START] = logs?.start ?? NONE;
    numbers[at + LOGS_END] = logs?.end ?? NONE;
    numbers[at + ERROR] = error === undefined ? NONE : this.#placeOf(error);
    numbers[at + ID] = this.#placeOf(text);
    numbers[at + ID_NUMBER] = Number(number);
    if (bytes !== undefined) this.#bytes.set(this.#length, bytes);
    if (metrics !== undefined) this.#metrics.set(this.#length, metrics);
    this.#length += 1;
  }

  *values(): Generator<RunRecord, undefined> {
    for (let row = 0; row < this.#length; row += 1) yield new RunTable.#Row(this, row);
    return undefined;
  }

  [Symbol.iterator](): Generator<RunRecord, undefined> {
    return this.values();
  }

  /** A view of a row: what nobody asks for is not made. */
  static readonly #Row = class implements RunRecord {
    readonly #table: RunTable;
    readonly #row: number;

    constructor(table: RunTable, row: number) {
      this.#table = table;
      this.#row = row;
    }

    get id(): string {
      const text = this.#table.#texts[this.#table.#number(this.#row, ID)] ?? '';
      const number = this.#table.#number(this.#row, ID_NUMBER);
      return number === NONE ? text : `${text}${number}`;
    }

    get startedAt(): Date {
      return new Date(this.#table.#number(this.#row, STARTED_AT));
    }

    get duration(): Milliseconds {
      return milliseconds(this.#table.#number(this.#row, DURATION));
    }

    get error(): string | undefined {
      return this.#table.#texts[this.#table.#number(this.#row, ERROR)];
    }

    get bytes(): TransferredBytes | undefined {
      return this.#table.#bytes.get(this.#row);
    }

    get metrics(): RunRecord['metrics'] {
      return this.#table.#metrics.get(this.#row);
    }

    get logs(): ByteRange | undefined {
      const start = this.#table.#number(this.#row, LOGS_START);
      return start === NONE ? undefined : { start, end: this.#table.#number(this.#row, LOGS_END) };
    }
  };

  #number(row: number, column: number): number {
    return this.#numbers[row * COLUMNS + column] ?? NONE;
  }

  #placeOf(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#texts.push(text) - 1;
    this.#places.set(text, place);
    return place;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#numbers.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}
