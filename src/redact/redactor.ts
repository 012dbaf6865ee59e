import { addressesIn, FARTHEST_LOOK, isToken, spanOf, tokensIn, wordsIn, type Span } from './secret-spans.js';
import { inBase64, spellingsOf } from './secret-spellings.js';
import { namedValuesIn } from './secret-values.js';

const MASK = '***';
/** A text that comes in pieces is cleaned in parts of so many characters. */
const AT_ONCE = 512 * 1024;
/** So much of what was handed on already is looked at again for what it says about the next part. */
const CONTEXT = 256;
const LONGEST_ESCAPE = 64;
/** Virtual users' tokens come by the thousand, and nothing encodes those; the run's own come before them. */
const MOST_TOKENS_IN_BASE64 = 8;

/** Knows the secrets of this run, and takes them and what looks like one out of every text that leaves the program. */
export class Redactor {
  /** Of any shape, in each of their spellings. */
  readonly #spellings = new Set<string>();
  readonly #tokens = new Set<string>();

  constructor(secrets: readonly string[] = []) {
    for (const secret of secrets) this.learn(secret);
  }

  /** From now on the value is taken out, as it is and as JSON, addresses and base64 spell it. */
  learn(secret: string): void {
    if (secret === '') return;
    const isInTokens = isToken(secret);
    if (isInTokens) this.#tokens.add(secret);
    if (isInTokens && this.#tokens.size > MOST_TOKENS_IN_BASE64) return;
    const spellings = isInTokens ? inBase64(Buffer.from(secret)) : spellingsOf(secret);
    for (const spelling of spellings) this.#spellings.add(spelling);
  }

  /** Replaces the known secrets and everything that has the shape of one by `***`. */
  clean(text: string): string {
    return masked(text, this.#secretsIn(text), 0, text.length);
  }

  /** Does so with a text that comes in pieces, wherever one ends. */
  stream(): RedactedStream {
    return new RedactedStream((text) => this.#secretsIn(text));
  }

  /** Does so with a text that comes line by line, and has each cleaned at once. */
  lines(): RedactedLines {
    return new RedactedLines((line) => this.clean(line));
  }

  /** By where they begin. */
  #secretsIn(text: string): Span[] {
    const spans = [
      ...tokensIn(text, this.#tokens),
      ...namedValuesIn(text),
      ...wordsIn(text),
      ...addressesIn(text),
    ];
    for (const spelling of this.#spellings)
      for (let at = text.indexOf(spelling); at !== -1; at = text.indexOf(spelling, at + 1))
        spans.push(spanOf(text, at, at + spelling.length));
    return spans.sort((a, b) => a.start - b.start);
  }
}

/** Hands a text on in parts, between which there is no secret. */
export class RedactedStream {
  #text = '';
  /** The beginning of the text that is here only for what it says about the rest. */
  #context = 0;

  constructor(private readonly secretsIn: (text: string) => Span[]) {}

  /** @returns what is clean by now, which may be nothing. */
  push(piece: string): string {
    this.#text += piece;
    return this.#text.length < AT_ONCE ? '' : this.#handOn();
  }

  /** @returns the rest. */
  end(): string {
    const rest = masked(this.#text, this.secretsIn(this.#text), this.#context, this.#text.length);
    this.#text = '';
    this.#context = 0;
    return rest;
  }

  #handOn(): string {
    const spans = this.secretsIn(this.#text);
    const latest = wholeBefore(this.#text, this.#text.length - FARTHEST_LOOK);
    const straddling = spans.filter(({ start, to }) => start < latest && to > latest);
    let cut = latest;
    for (const { start, to } of spans.toReversed()) if (start < cut && to > cut) cut = start;
    // One that is longer than all this goes on in the next part, which again begins with what tells it.
    const longest = cut <= this.#context ? straddling[0] : undefined;
    if (longest !== undefined) cut = latest;
    const clean = masked(this.#text, spans, this.#context, cut);
    const context =
      longest === undefined
        ? this.#text.slice(Math.max(0, cut - CONTEXT), cut)
        : this.#text.slice(longest.start, longest.from);
    this.#text = context + this.#text.slice(cut);
    this.#context = context.length;
    return clean;
  }
}

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?!.*-----END )/;
const KEY_ENDS = /-----END [A-Z0-9 ]{1,40}-----/;
/** A line of base64, whatever a log writes before it, or one of those between the header and it. */
const KEY_GOES_ON =
  /[A-Za-z0-9+/]{16}|[A-Za-z0-9+/]={1,2}\s*$|^\s*(?:[A-Za-z0-9+/]*|[A-Za-z]+(?:-[A-Za-z]+)*: .*)\s*$/;

/** Knows, other than a line by itself, that it is one of a private key. */
export class RedactedLines {
  #isInKey = false;

  constructor(private readonly clean: (line: string) => string) {}

  next(line: string): string {
    const isOfKey = this.#isInKey && (KEY_ENDS.test(line) || KEY_GOES_ON.test(line));
    this.#isInKey = isOfKey ? !KEY_ENDS.test(line) : KEY_BEGINS.test(line);
    return isOfKey ? MASK : this.clean(line);
  }
}

/** Not between two halves of a character or of an escape. */
function wholeBefore(text: string, place: number): number {
  let cut = place;
  while (cut > place - LONGEST_ESCAPE && /[\\\uD800-\uDBFF]/.test(text.charAt(cut - 1))) cut -= 1;
  return cut;
}

/** The part of the text with a mask for each secret; for such as overlap only one. */
function masked(text: string, spans: readonly Span[], begin: number, end: number): string {
  const ranges = spans.map(({ from, to }) => ({ from, to })).sort((a, b) => a.from - b.from);
  let clean = '';
  let place = begin;
  for (const { from, to } of ranges) {
    if (to <= place || from >= end) continue;
    if (from >= place) clean += text.slice(place, from) + MASK;
    else if (clean === '') clean = MASK;
    place = to;
  }
  return place < end ? clean + text.slice(place, end) : clean;
}
