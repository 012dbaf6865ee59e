/** A secret in a text. It is known as one only with what stands before it. */
export interface Span {
  /** Where what tells it from other text begins, such as the key before a value. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** No shape reaches further back than this from the place where it is known to begin, or looks further ahead to be known. */
export const FARTHEST_LOOK = 32 * 1024;

/** A sign in an address, however often that is a part of another one. */
const encoded = (code: string): string => `%(?:25){0,4}${code}`;
const BACKSLASH = String.raw`(?:\\|${encoded('5[Cc]')})`;
const COLOUR = String.raw`(?:\[|${encoded('5[Bb]')})(?:[0-9;]|${encoded('3[Bb]')}){0,20}m`;
/**
 * Where a word begins: not behind a letter or a digit, unless that ends an escape of JSON or Go (also one that was escaped
 * again), of an address, or of a terminal's colours.
 */
const WORD_BEGINS = String.raw`(?:(?<![A-Za-z0-9])|(?<=${BACKSLASH}(?:[abfnrtv0]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|${encoded('[0-9A-Fa-f]{2}')}|${COLOUR}))`;

const ID_LENGTH = 10;
const TOKEN_LENGTH = 33;
const TOKEN_DASH = /-(?=[A-Za-z0-9]{22})(?<=[A-Za-z0-9]{10}-)/g;
const TOKEN = new RegExp(`${WORD_BEGINS}[A-Za-z0-9]{10}-[A-Za-z0-9]{22}(?![A-Za-z0-9])`, 'y');

export const isToken = (text: string): boolean => /^[A-Za-z0-9]{10}-[A-Za-z0-9]{22}$/.test(text);

/** Coder's session tokens and API keys: known ones wherever they stand, others where they are a word. */
export function tokensIn(text: string, known: ReadonlySet<string>): Span[] {
  const spans: Span[] = [];
  for (const { index } of text.matchAll(TOKEN_DASH)) {
    const from = index - ID_LENGTH;
    TOKEN.lastIndex = from;
    if (known.has(text.slice(from, from + TOKEN_LENGTH)) || TOKEN.test(text))
      spans.push(spanOf(text, from, from + TOKEN_LENGTH));
  }
  return spans;
}

/** Its first letter may be a part of an escape, which must not stay without it. */
export function spanOf(text: string, from: number, to: number): Span {
  const start = from - backslashesBefore(text, from, 0);
  return { start, from: start, to };
}

interface Word {
  readonly begins: RegExp;
  readonly whole: RegExp;
  /** What is passed over where only the beginning fits, so that it is not looked at again from each place within. */
  readonly passes?: RegExp;
}

/** What is a secret by its first letters. */
const WORDS: readonly Word[] = [
  {
    // JSON web tokens, signed or encrypted.
    begins: /eyJ/g,
    whole: new RegExp(
      `${WORD_BEGINS}eyJ[A-Za-z0-9_-]{8,}\\.(?:[A-Za-z0-9_-]{8,})?\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+){0,2}`,
      'y',
    ),
    passes: /[A-Za-z0-9_-]*/y,
  },
  {
    // Keys of AWS and Google, and GitHub's tokens.
    begins: /A(?:KIA|SIA|Iza)|gh[oprsu]_|github_pat_/g,
    whole: new RegExp(
      `${WORD_BEGINS}(?:(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}|(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{20,})`,
      'y',
    ),
  },
  {
    // What stands between the lines of a private key has no quote, so that a cut one does not reach into the next string.
    begins: /-----BEGIN [A-Z]/g,
    whole:
      /-----BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(?:(?:[^"-]|-(?!----)){0,16384}-----END \1-----|(?:(?:\s|\\+[nrt]){0,20}[A-Za-z0-9+/=]{16,})*)/y,
  },
];

export function wordsIn(text: string): Span[] {
  const spans: Span[] = [];
  for (const { begins, whole, passes } of WORDS) {
    begins.lastIndex = 0;
    for (let at = begins.exec(text); at !== null; at = begins.exec(text)) {
      const from = at.index;
      whole.lastIndex = from;
      if (whole.test(text)) {
        spans.push({ start: from, from, to: whole.lastIndex });
        begins.lastIndex = whole.lastIndex;
      } else if (passes !== undefined) {
        passes.lastIndex = from;
        passes.test(text);
        begins.lastIndex = passes.lastIndex;
      }
    }
  }
  return spans;
}

/** `scheme://user:password@`, also with escaped slashes, or the whole of it encoded as a part of another address. */
const ADDRESSES = [
  { begins: /:\\{0,8}\/\\{0,8}\//g, credentials: /(?:[^\s/"\\]|\\{1,8}u[0-9A-Fa-f]{4}){1,500}(?=@)/y },
  { begins: /%3A%2F%2F/gi, credentials: /(?:(?!%40|%2F)[^\s/"\\&]){1,500}(?=%40)/iy },
] as const;

export function addressesIn(text: string): Span[] {
  const spans: Span[] = [];
  for (const { begins, credentials } of ADDRESSES) {
    for (const { index, 0: scheme } of text.matchAll(begins)) {
      const from = index + scheme.length;
      credentials.lastIndex = from;
      if (credentials.test(text)) spans.push({ start: index, from, to: credentials.lastIndex });
    }
  }
  return spans;
}

export function backslashesBefore(text: string, place: number, least: number): number {
  let begin = place;
  while (begin > least && text.charCodeAt(begin - 1) === 0x5c) begin -= 1;
  return place - begin;
}
