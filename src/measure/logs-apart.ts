import { NumberRows } from './number-rows.js';

/** A byte range of the file: from the first byte inside to the one after the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * How logs are passed over. Searching for what comes after them is many times faster than looking at each quote, but
 * fails when that is not the same in each run: the next key, or the key and the day of a time.
 */
export type Skipping = 'by day' | 'by key' | 'exact';

/** In the order of the file; there may be a hundred thousand. */
export class ByteRanges implements Iterable<ByteRange> {
  readonly #places = new NumberRows(2);

  get length(): number {
    return this.#places.length;
  }

  add(start: number, end: number): void {
    const row = this.#places.add();
    this.#places.set(row, 0, start);
    this.#places.set(row, 1, end);
  }

  /** Undefined where there is none. */
  at(index: number): ByteRange | undefined {
    if (!(index < this.length)) return undefined;
    const start = this.#places.get(index, 0);
    const end = this.#places.get(index, 1);
    return start === undefined || end === undefined ? undefined : { start, end };
  }

  *[Symbol.iterator](): Generator<ByteRange, undefined> {
    for (let index = 0; index < this.length; index += 1) {
      const range = this.at(index);
      if (range !== undefined) yield range;
    }
    return undefined;
  }
}

const LOGS_KEY = Buffer.from('"logs"');
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/**
 * What comes after the logs of each run, from the closing quote on: the next key, or the key and the day of a time. The
 * longer it is, the faster is the search.
 */
const FOLLOWERS = { 'by key': /^","[^"\\]+":/, 'by day': /^","[^"\\]+":(?:"(?:\d{4}-\d\d-\d\dT)?)?/ };
const LONGEST_FOLLOWER = 40;
/** Longer than the texts that the engine remembers each of. */
const NUMBER_LENGTH = 12;
/** Measured: smaller pieces cost calls, larger ones leave the processor's cache. */
const PIECE_BYTES = 128 * 1024;

/**
 * Takes the logs out of a result file that comes in pieces. What remains is JSON still, small enough to be parsed: in
 * place of the text of each `logs` stands its number, counted from 0.
 */
export class LogsApart {
  readonly ranges = new ByteRanges();
  /** Used again for each piece, so that memory stays flat. */
  #memory: Buffer = Buffer.allocUnsafe(2 * PIECE_BYTES);
  /** The part of the memory that is filled. */
  #bytes: Buffer = this.#memory.subarray(0, 0);
  #position = 0;
  /** The place in the file of the first byte in memory. */
  #offset = 0;
  #text: Buffer = Buffer.allocUnsafe(PIECE_BYTES);
  #textLength = 0;
  /** Where the logs began that are being passed. */
  #logsStart: number | undefined;
  /** Learned from the first run, such as `","started_at":"2026-11-27T`. */
  #follower: Buffer | undefined;

  constructor(private readonly skipping: Skipping) {}

  /** Where the next piece belongs: behind what was not passed yet. */
  room(): Uint8Array {
    const rest = this.#bytes.length - this.#position;
    const end = rest + PIECE_BYTES;
    const memory = end <= this.#memory.length ? this.#memory : Buffer.allocUnsafe(2 * end);
    this.#bytes.copy(memory, 0, this.#position);
    this.#memory = memory;
    this.#offset += this.#position;
    this.#position = 0;
    this.#bytes = memory.subarray(0, rest);
    return memory.subarray(rest, end);
  }

  /** So many bytes of the room were filled; passes as much of them as can be told apart. */
  filled(bytes: number): void {
    this.#bytes = this.#memory.subarray(0, this.#bytes.length + bytes);
    while (this.#logsStart === undefined ? this.#passText() : this.#passLogs(this.#logsStart));
  }

  /** Nothing more comes: what was kept back is text. */
  end(): void {
    if (!this.isInLogs) this.#takeUpTo(this.#bytes.length);
  }

  get isInLogs(): boolean {
    return this.#logsStart !== undefined;
  }

  /** How far the file was passed, in bytes. */
  get place(): number {
    return this.#offset + this.#position;
  }

  /** In bytes. */
  get textLength(): number {
    return this.#textLength;
  }

  /** The text since it was last taken, and what closes it. While in logs it ends behind their number, within the quotes. */
  takeText(closing = ''): string {
    this.writeText(closing);
    const text = this.#text.toString('utf8', 0, this.#textLength);
    this.#textLength = 0;
    return text;
  }

  writeText(text: string): void {
    this.#makeRoomFor(Buffer.byteLength(text));
    this.#textLength += this.#text.write(text, this.#textLength);
  }

  /** @returns false when it needs the next piece. */
  #passText(): boolean {
    const key = this.#bytes.indexOf(LOGS_KEY, this.#position);
    if (key === -1) {
      this.#takeUpTo(this.#bytes.length - LOGS_KEY.length + 1);
      return false;
    }
    const afterKey = key + LOGS_KEY.length;
    const colon = this.#afterWhiteSpace(afterKey);
    const value = this.#bytes[colon] === COLON ? this.#afterWhiteSpace(colon + 1) : colon;
    if (value === this.#bytes.length) {
      this.#takeUpTo(key);
      return false;
    }
    const isLogs = value > colon && this.#bytes[value] === QUOTE;
    this.#takeUpTo(isLogs ? value + 1 : afterKey);
    if (isLogs) this.#beginLogs();
    return true;
  }

  #afterWhiteSpace(place: number): number {
    let at = place;
    while (isWhiteSpace(this.#bytes[at])) at += 1;
    return at;
  }

  #beginLogs(): void {
    this.#logsStart = this.place;
    this.writeText(String(this.ranges.length).padStart(NUMBER_LENGTH, '0'));
  }

  /** @returns false when the logs go on in the next piece. */
  #passLogs(start: number): boolean {
    const follower = this.#follower;
    for (;;) {
      const found = this.#bytes.indexOf(follower ?? QUOTE, this.#position);
      if (found === -1) break;
      if (!this.#isEscaped(found)) {
        this.#position = found;
        this.ranges.add(start, this.place);
        this.#logsStart = undefined;
        this.#follower ??= this.#followerAt(found);
        return true;
      }
      this.#position = found + 1;
    }
    this.#position = this.#tailToKeep(follower === undefined ? 0 : follower.length - 1);
    return false;
  }

  /** Undefined where not all of it is in memory, or no key comes. */
  #followerAt(quote: number): Buffer | undefined {
    if (this.skipping === 'exact') return undefined;
    const behind = this.#bytes.toString('latin1', quote, quote + LONGEST_FOLLOWER);
    const [follower] =
      behind.length === LONGEST_FOLLOWER ? (FOLLOWERS[this.skipping].exec(behind) ?? []) : [];
    return follower === undefined ? undefined : Buffer.from(follower, 'latin1');
  }

  #isEscaped(quote: number): boolean {
    let backslashes = 0;
    while (this.#bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    return backslashes % 2 === 1;
  }

  /** Where the last so many bytes begin, with the backslashes before them, which decide about a quote's meaning. */
  #tailToKeep(length: number): number {
    let start = Math.max(this.#position, this.#bytes.length - length);
    while (start > this.#position && this.#bytes[start - 1] === BACKSLASH) start -= 1;
    return start;
  }

  #takeUpTo(end: number): void {
    if (end <= this.#position) return;
    this.#makeRoomFor(end - this.#position);
    this.#textLength += this.#bytes.copy(this.#text, this.#textLength, this.#position, end);
    this.#position = end;
  }

  #makeRoomFor(bytes: number): void {
    const length = this.#textLength + bytes;
    if (length <= this.#text.length) return;
    const larger = Buffer.allocUnsafe(2 * length);
    this.#text.copy(larger, 0, 0, this.#textLength);
    this.#text = larger;
  }
}

const isWhiteSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
