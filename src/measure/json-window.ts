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
const COLON = 0x3a;
const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;
const DEEPEST = 64;

/** A parser that stops at `yield` whenever it needs the next chunk, and goes on once it was appended. */
export type Parsing<T> = Generator<undefined, T, undefined>;

/** A byte range of the file: from the first byte inside to the one after the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of a JSON document that is in memory. Values are decoded one by one, and strings can be skipped without being
 * decoded, however long they are: memory does not grow with the file.
 */
export class JsonWindow {
  /** Used again for each chunk, so that memory stays flat. */
  #memory: Buffer = Buffer.alloc(0);
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;
  /** The place in the file of the buffer's first byte. */
  #offset = 0;
  #ended = false;

  /** Takes a copy of the chunk, so that the caller may use its memory again. */
  append(chunk: Uint8Array): void {
    const rest = this.#buffer.length - this.#position;
    const room =
      rest + chunk.length <= this.#memory.length
        ? this.#memory
        : Buffer.allocUnsafe(2 * (rest + chunk.length));
    this.#buffer.copy(room, 0, this.#position);
    room.set(chunk, rest);
    this.#memory = room;
    this.#offset += this.#position;
    this.#position = 0;
    this.#buffer = room.subarray(0, rest + chunk.length);
  }

  end(): void {
    this.#ended = true;
  }

  get place(): number {
    return this.#offset + this.#position;
  }

  *#more(): Parsing<void> {
    if (this.#ended)
      throw new ResultFileError(
        `the file ends in the middle, at byte ${this.#offset + this.#buffer.length}`,
        true,
      );
    yield;
  }

  /** The next byte that is no white space, not consumed. */
  *peek(): Parsing<number> {
    for (;;) {
      const byte = this.#buffer[this.#position];
      if (byte === undefined) yield* this.#more();
      else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.#position += 1;
      else return byte;
    }
  }

  *expect(character: string): Parsing<void> {
    const byte = yield* this.peek();
    if (byte !== character.charCodeAt(0)) this.#refuse(`"${character}"`);
    this.#position += 1;
  }

  /** Consumes a character when it is next. */
  *accept(character: string): Parsing<boolean> {
    if ((yield* this.peek()) !== character.charCodeAt(0)) return false;
    this.#position += 1;
    return true;
  }

  /** Goes through an object, handing each key to a parser of its value. */
  *object(onKey: (key: string) => Parsing<void>): Parsing<void> {
    yield* this.expect('{');
    if (yield* this.accept('}')) return;
    do {
      const key = this.#stringAtHand() ?? (yield* this.string());
      if (!this.#take(COLON)) yield* this.expect(':');
      yield* onKey(key);
    } while (this.#take(COMMA) || (yield* this.accept(',')));
    if (!this.#take(CLOSING_BRACE)) yield* this.expect('}');
  }

  /** Consumes a byte when it is the very next one in memory: most are, and a generator for each would cost half the time. */
  #take(byte: number): boolean {
    if (this.#buffer[this.#position] !== byte) return false;
    this.#position += 1;
    return true;
  }

  /** A short string that is wholly in memory and has no escapes; undefined when the long way is needed. */
  #stringAtHand(): string | undefined {
    if (this.#buffer[this.#position] !== QUOTE) return undefined;
    const end = this.#buffer.indexOf(QUOTE, this.#position + 1);
    if (end === -1) return undefined;
    const text = this.#buffer.toString('latin1', this.#position + 1, end);
    if (!/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) return undefined;
    this.#position = end + 1;
    return text;
  }

  /** Decodes any value. */
  *value(depth = 0): Parsing<unknown> {
    if (depth > DEEPEST) throw new ResultFileError(`values are nested more than ${DEEPEST} deep`);
    const short = this.#stringAtHand();
    if (short !== undefined) return short;
    switch (String.fromCharCode(yield* this.peek())) {
      case '"':
        return yield* this.string();
      case '{':
        return yield* this.#objectValue(depth);
      case '[':
        return yield* this.#arrayValue(depth);
      default:
        return yield* this.#literal();
    }
  }

  *#objectValue(depth: number): Parsing<unknown> {
    const entries: [string, unknown][] = [];
    const inner = (): Parsing<unknown> => this.value(depth + 1);
    yield* this.object(function* (key) {
      entries.push([key, yield* inner()]);
    });
    return Object.fromEntries(entries);
  }

  *#arrayValue(depth: number): Parsing<unknown> {
    const items: unknown[] = [];
    yield* this.expect('[');
    if (yield* this.accept(']')) return items;
    do {
      items.push(yield* this.value(depth + 1));
    } while (yield* this.accept(','));
    yield* this.expect(']');
    return items;
  }

  *string(): Parsing<string> {
    yield* this.expect('"');
    let searchFrom = this.#position;
    for (;;) {
      const quote = this.#buffer.indexOf(QUOTE, searchFrom);
      if (quote === -1) {
        const searched = this.#buffer.length - this.#position;
        yield* this.#more();
        searchFrom = this.#position + searched;
      } else if (this.#isEscaped(quote)) {
        searchFrom = quote + 1;
      } else {
        const content = this.#buffer.toString('utf8', this.#position, quote);
        this.#position = quote + 1;
        return String(this.#decode(`"${content}"`));
      }
    }
  }

  /**
   * Skips a string without decoding it.
   * @param follower the bytes that are known to come after strings of this key, from the closing quote on. They hold an
   * unescaped quote, so they cannot stand inside a string; searching for them is many times faster than for quotes.
   */
  *skipString(follower?: Buffer): Parsing<ByteRange> {
    yield* this.expect('"');
    const start = this.place;
    for (;;) {
      const found =
        follower === undefined
          ? this.#buffer.indexOf(QUOTE, this.#position)
          : this.#buffer.indexOf(follower, this.#position);
      if (found !== -1 && !this.#isEscaped(found)) {
        this.#position = found + 1;
        return { start, end: this.place - 1 };
      }
      if (found !== -1) {
        this.#position = found + 1;
        continue;
      }
      this.#position = this.#tailToKeep(follower === undefined ? 0 : follower.length - 1);
      yield* this.#more();
    }
  }

  /** A copy of the bytes before and after the current place; fewer when the chunk ends. */
  surroundings(before: number, after: number): Buffer {
    return Buffer.from(this.#buffer.subarray(Math.max(0, this.#position - before), this.#position + after));
  }

  /** Reads on to the end of the file, where nothing but white space may come. */
  *rest(): Parsing<void> {
    while (!this.#ended || this.#position < this.#buffer.length) {
      const byte = this.#buffer[this.#position];
      if (byte === undefined) yield;
      else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.#position += 1;
      else this.#refuse('the end of the file');
    }
  }

  #isEscaped(quote: number): boolean {
    let backslashes = 0;
    while (this.#buffer[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    return backslashes % 2 === 1;
  }

  /** Where the last so many bytes begin, with the backslashes before them, which decide about a quote's meaning. */
  #tailToKeep(length: number): number {
    let start = Math.max(this.#position, this.#buffer.length - length);
    while (start > this.#position && this.#buffer[start - 1] === BACKSLASH) start -= 1;
    return start;
  }

  *#literal(): Parsing<unknown> {
    let length = 0;
    for (;;) {
      const byte = this.#buffer[this.#position + length];
      if (byte === undefined) {
        // A literal is never last in a result file, so the end of the file here is a truncation.
        yield* this.#more();
      } else if (/[-+.0-9A-Za-z]/.test(String.fromCharCode(byte)) && length < 40) {
        length += 1;
      } else {
        if (length === 0) this.#refuse('a value');
        const text = this.#buffer.toString('latin1', this.#position, this.#position + length);
        this.#position += length;
        return this.#decode(text);
      }
    }
  }

  #decode(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new ResultFileError(`no JSON at byte ${this.place}: ${text.slice(0, 40)}`);
    }
  }

  #refuse(wanted: string): never {
    const found = this.#buffer.toString('utf8', this.#position, this.#position + 20);
    throw new ResultFileError(
      `${wanted} was expected at byte ${this.place}, but there is ${JSON.stringify(found)}`,
    );
  }
}
