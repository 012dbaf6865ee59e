import { milliseconds, type Milliseconds } from '../units.js';
import type { ByteRange } from './logs-apart.js';
import { NumberRows } from './number-rows.js';

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
const NONE = -1;

/** A hundred thousand runs in little memory. Texts that many of them share are kept once. */
export class RunTable implements Runs {
  readonly #numbers = new NumberRows(COLUMNS);
  readonly #texts: string[] = [];
  readonly #places = new Map<string, number>();
  /** Of the few suites that have some. */
  readonly #bytes = new Map<number, TransferredBytes>();
  readonly #metrics = new Map<number, Readonly<Record<string, unknown>>>();

  get length(): number {
    return this.#numbers.length;
  }

  add({ id, startedAt, duration, error, bytes, metrics, logs }: RunRecord): void {
    const numbers = this.#numbers;
    const row = numbers.add();
    const number = numberAtEnd(id);
    numbers.set(row, STARTED_AT, startedAt.getTime());
    numbers.set(row, DURATION, duration);
    numbers.set(row, LOGS_START, logs?.start ?? NONE);
    numbers.set(row, LOGS_END, logs?.end ?? NONE);
    numbers.set(row, ERROR, error === undefined ? NONE : this.#placeOf(error));
    numbers.set(row, ID, this.#placeOf(number === undefined ? id : id.slice(0, id.lastIndexOf('/') + 1)));
    numbers.set(row, ID_NUMBER, number ?? NONE);
    if (bytes !== undefined) this.#bytes.set(row, bytes);
    if (metrics !== undefined) this.#metrics.set(row, metrics);
  }

  *values(): Generator<RunRecord, undefined> {
    for (let row = 0; row < this.length; row += 1) yield new RunTable.#Row(this, row);
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
    return this.#numbers.get(row, column) ?? NONE;
  }

  #placeOf(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#texts.push(text) - 1;
    this.#places.set(text, place);
    return place;
  }
}

/** 17 of `workspacebuild/17`; undefined for one that would be another text as a number. */
function numberAtEnd(id: string): number | undefined {
  const text = id.slice(id.lastIndexOf('/') + 1);
  const number = Number.parseInt(text, 10);
  return number >= 0 && id !== text && String(number) === text ? number : undefined;
}
