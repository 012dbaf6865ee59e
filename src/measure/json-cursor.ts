/** A result file that cannot be read; `truncated` tells a file that ends in the middle from one that is something else. */
export class ResultFileError extends Error {
  constructor(
    message: string,
    readonly truncated = false,
  ) {
    super(message);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const FIRST_PRINTABLE = 0x20;
const FIRST_BEYOND_ASCII = 0x80;
const DEEPEST = 64;
const LONGEST_LITERAL = 40;
const LONGEST_KEY = 32;
/** Bytes behind a skipped string that are searched for: long enough to be fast, short enough to be the same in each run. */
const FOLLOWER_LENGTH = 15;
/** Measured: smaller pieces cost calls, larger ones leave the processor's cache. */
const PIECE_BYTES = 128 * 1024;
/** Thrown where the bytes at hand end and more may come. One object: it is thrown for each piece of the file. */
const NEEDS_MORE = new Error('the rest is not there yet');

/** A byte range of the file: from the first byte inside to the one after the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads JSON from the part of a file that is in memory. Whatever is read is read by an `attempt`, which is taken back
 * when the bytes end in it, and made again with the next piece.
 */
export class JsonCursor {
  /** Used again for each piece, so that memory stays flat. */
  #memory: Buffer = Buffer.allocUnsafe(2 * PIECE_BYTES);
  /** The part of the memory that is filled. */
  #bytes: Buffer = this.#memory.subarray(0, 0);
  #position = 0;
  /** The place in the file of the first byte in memory. */
  #offset = 0;
  #ended = false;
  #depth = 0;
  /** The last key of each length. */
  readonly #keys: (string | undefined)[] = [];
  /** How many bytes have to be at hand for the next attempt: a long value is not looked through anew for each piece. */
  #enough = 0;

  /** Where the next piece belongs: behind what was not consumed yet. */
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

  /** So many bytes of the room were filled. */
  filled(bytes: number): void {
    this.#bytes = this.#memory.subarray(0, this.#bytes.length + bytes);
  }

  /** From now on, bytes that are missing are missing for good. */
  end(): void {
    this.#ended = true;
    this.#enough = 0;
  }

  get place(): number {
    return this.#offset + this.#position;
  }

  /** @returns false when the bytes at hand do not suffice: then nothing is consumed. */
  attempt(step: () => void): boolean {
    const start = this.#position;
    if (this.#bytes.length - start < this.#enough) return false;
    this.#depth = 0;
    try {
      step();
      this.#enough = 0;
      return true;
    } catch (thrown) {
      if (thrown !== NEEDS_MORE) throw thrown;
      this.#position = start;
      this.#enough = 2 * (this.#bytes.length - start);
      return false;
    }
  }

  /** Consumes a character when it is next, after white space. */
  accept(character: string): boolean {
    if (this.#peek() !== character.charCodeAt(0)) return false;
    this.#position += 1;
    return true;
  }

  expect(character: string): void {
    if (!this.accept(character)) this.#refuse(JSON.stringify(character));
  }

  /** After an element: whether a comma says that there is another one, or the closing character that there is none. */
  hasNext(closing: string): boolean {
    if (this.accept(',')) return true;
    this.expect(closing);
    return false;
  }

  key(): string {
    const { start, end, isPlain } = this.#passString();
    const key = isPlain ? this.#knownText(start, end) : this.#escapedString(start, end);
    this.expect(':');
    return key;
  }

  /** The same few keys stand in every run: each is decoded once. */
  #knownText(start: number, end: number): string {
    const length = end - start;
    const known = this.#keys[length];
    if (known !== undefined && this.#isAt(known, start)) return known;
    const text = this.#bytes.toString('latin1', start, end);
    if (length <= LONGEST_KEY) this.#keys[length] = text;
    return text;
  }

  #isAt(text: string, start: number): boolean {
    for (let index = 0; index < text.length; index += 1)
      if (this.#bytes[start + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  /** Decodes any value. */
  value(): unknown {
    const next = this.#peek();
    if (next === QUOTE) return this.string();
    if (next === OPENING_BRACE) return this.#nested(() => this.#object());
    if (next === OPENING_BRACKET) return this.#nested(() => this.#array());
    return this.#literal();
  }

  string(): string {
    const { start, end, isPlain } = this.#passString();
    return isPlain ? this.#bytes.toString('latin1', start, end) : this.#escapedString(start, end);
  }

  /** Passes over any value; what is no JSON is refused all the same. */
  skipValue(): void {
    if (this.#peek() !== QUOTE) this.value();
    else {
      const { start, end, isPlain } = this.#passString();
      if (!isPlain) this.#escapedString(start, end);
    }
  }

  /** Goes behind a string; plain is one that stands for itself, byte by byte. */
  #passString(): ByteRange & { readonly isPlain: boolean } {
    this.expect('"');
    const start = this.#position;
    let end = start;
    let isPlain = true;
    for (; ; end += 1) {
      const byte = this.#bytes[end];
      if (byte === undefined) return this.#more();
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) end += 1;
      if (byte === BACKSLASH || byte < FIRST_PRINTABLE || byte >= FIRST_BEYOND_ASCII) isPlain = false;
    }
    this.#position = end + 1;
    return { start, end, isPlain };
  }

  #escapedString(start: number, end: number): string {
    return String(this.#decode(`"${this.#bytes.toString('utf8', start, end)}"`));
  }

  /**
   * Skips the rest of a string of which the opening quote was read, without decoding it. It consumes also when the bytes
   * at hand end, so it is no part of an attempt.
   * @param follower bytes that come after it, from the closing quote on; they hold an unescaped quote, so they cannot
   * stand inside a string. Searching for them is many times faster than for quotes.
   * @returns false when the string goes on in the next piece.
   */
  skipString(follower: Buffer | undefined): boolean {
    const wanted = follower ?? QUOTE;
    for (;;) {
      const found = this.#bytes.indexOf(wanted, this.#position);
      if (found === -1) break;
      const isEnd = !this.#isEscaped(found);
      this.#position = found + 1;
      if (isEnd) return true;
    }
    this.#position = this.#tailToKeep(follower === undefined ? 0 : follower.length - 1);
    if (this.#ended) this.#more();
    return false;
  }

  /** The closing quote that was just read and what comes after it; undefined where that is not all in memory. */
  follower(): Buffer | undefined {
    const bytes = this.#bytes.subarray(this.#position - 1, this.#position + FOLLOWER_LENGTH);
    return bytes.length === FOLLOWER_LENGTH + 1 && bytes.indexOf('","') === 0
      ? Buffer.from(bytes)
      : undefined;
  }

  /** Behind the document nothing but white space may come. */
  expectNothingMore(): void {
    for (; this.#position < this.#bytes.length; this.#position += 1)
      if (!isWhiteSpace(this.#bytes[this.#position])) this.#refuse('the end of the file');
  }

  /** The next byte that is no white space, not consumed. */
  #peek(): number {
    for (;;) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) return this.#more();
      if (!isWhiteSpace(byte)) return byte;
      this.#position += 1;
    }
  }

  #more(): never {
    if (!this.#ended) throw NEEDS_MORE;
    const end = this.#offset + this.#bytes.length;
    throw new ResultFileError(`the file ends in the middle, at byte ${end}`, true);
  }

  #nested(read: () => unknown): unknown {
    this.#position += 1;
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new ResultFileError(`values are nested more than ${DEEPEST} deep`);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): unknown {
    const entries: [string, unknown][] = [];
    if (this.accept('}')) return {};
    do entries.push([this.key(), this.value()]);
    while (this.hasNext('}'));
    return Object.fromEntries(entries);
  }

  #array(): unknown {
    const items: unknown[] = [];
    if (this.accept(']')) return items;
    do items.push(this.value());
    while (this.hasNext(']'));
    return items;
  }

  #literal(): unknown {
    let end = this.#position;
    for (; end - this.#position < LONGEST_LITERAL; end += 1) {
      const byte = this.#bytes[end];
      // A literal is never last in a result file, so the end of the file here is a truncation.
      if (byte === undefined) return this.#more();
      if (!isOfLiteral(byte)) break;
    }
    if (end === this.#position) this.#refuse('a value');
    const text = this.#bytes.toString('latin1', this.#position, end);
    this.#position = end;
    return this.#decode(text);
  }

  #decode(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new ResultFileError(`no JSON at byte ${this.place}: ${text.slice(0, LONGEST_LITERAL)}`);
    }
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

  #refuse(wanted: string): never {
    const found = this.#bytes.toString('utf8', this.#position, this.#position + 20);
    throw new ResultFileError(
      `${wanted} was expected at byte ${this.place}, but there is ${JSON.stringify(found)}`,
    );
  }
}

const isWhiteSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Letters, digits and the signs of numbers. */
const isOfLiteral = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  byte === 0x2b ||
  byte === 0x2d ||
  byte === 0x2e;
