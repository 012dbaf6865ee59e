import { backslashesBefore, type Span } from './secret-spans.js';

/** The last word of a name that has a secret for its value. What stands before it, as in `DB_PASSWORD`, is not asked for. */
const NAME =
  /passw(?:or)?d|passphrase|secret(?:[_-]?(?:key|string|value))?|token|(?:api|access|private|account|signing|encryption)[_-]?key|authorization|(?<![A-Za-z])sig(?:nature)?(?==|%3D)/gi;

/** Makes a token more than a word of a message, as in "invalid token: …". */
const KIND_OF_TOKEN = /(?:auth|agent|session|access|refresh)[_-]?$/i;
const LONGEST_KIND = 8;

/** `": "` in JSON, `': '`, `" => "`, also in a string in a string. Of a list the first. */
const BEHIND_QUOTED_NAME = /\\*["']\s{0,20}(?::|=>?)\s{0,20}\[?\s{0,20}(?:(\\*)(["']))?/y;
/** ` = `, `: `, `%3D`, perhaps with a quote. */
const BEHIND_ANY_NAME = /\s{0,3}(?:=>?|:|%3[AD])\s{0,3}(?:(\\*)(["']))?/iy;
/** The same, also `_2=` or `Id=`. */
const BEHIND_NAME = /[A-Z0-9_]{0,20}\s{0,3}(?:=>?|:|%3[AD])\s{0,3}(?:(\\*)(["']))?/iy;
const BEHIND_AUTHORIZATION =
  /\\{0,8}["']?\s{0,3}[:=]\s{0,3}\[?\\{0,8}["']?(?:Bearer|Basic|token)\s{1,20}(?=[^\s"'\\]{4})/iy;

/** Behind a quote that does not open a value, but closes a string that ends with `password: `. */
const STRING_HAS_ENDED =
  /\s{0,20}(?:[}\]]\s{0,20}(?:[,}\]]|\\*["']|$)|[,:]\s{0,20}(?:\\*["[{\d-]|true|false|null)|[\r\n]|$)/y;
/** Behind the colon after a quoted name: JSON that is no string, or the words of a message. */
const NO_TEXT = /(?:[A-Za-z]*|[\d.+-]+)(?:[\s,;}\])"'\\]|$)|[{[(<]/y;

const VALUE_ENDS = /[\s"',;]|\\(?!\\{0,16}u[0-9A-Fa-f]{4})/g;
const HEADER_ENDS = /[\s"'\\\]]/g;
const SHORTEST_VALUE = 4;
/** In prose a quote may be never closed; it must not take the rest of the file. */
const LONGEST_LOOSE_VALUE = 4096;
/** A UUID, as an agent's token is, or letters and digits that are no word. */
const TOKEN_VALUE =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[^\s"'\\,;%]{0,200}\d)(?=[^\s"'\\,;%]{0,200}[a-z])(?:[a-z0-9_.~+/=-]|%(?!20|22|0[09ad])[0-9a-f]{2}){16,}/iy;
const SIGNATURE_VALUE = /(=|%3D)[A-Za-z0-9%+/_-]{16,}={0,2}/iy;

const QUOTE_OR_LINE_END = { '"': /["\n]/g, "'": /['\n]/g } as const;
const JSON_GOES_ON = /"\s{0,20}[,:}\]]/;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Passwords, keys and tokens that are known by the name before them. */
export function namedValuesIn(text: string): Span[] {
  const spans: Span[] = [];
  NAME.lastIndex = 0;
  for (let name = NAME.exec(text); name !== null; name = NAME.exec(text)) {
    const range = valueBehind(text, name[0].toLowerCase(), name.index);
    if (range === undefined || range.to <= range.from) continue;
    spans.push({ start: name.index, ...range });
    NAME.lastIndex = range.to;
  }
  return spans;
}

function valueBehind(text: string, name: string, start: number): Range | undefined {
  const end = start + name.length;
  if (name.startsWith('sig')) return signature(text, end);
  const isHeader = name === 'authorization';
  if (isHeader && matchAt(BEHIND_AUTHORIZATION, text, end) !== null)
    return untilNext(HEADER_ENDS, text, BEHIND_AUTHORIZATION.lastIndex);
  const quoted = matchAt(BEHIND_QUOTED_NAME, text, end);
  if (quoted !== null) return valueOfQuotedName(text, BEHIND_QUOTED_NAME.lastIndex, quoted);
  const isWordOfProse = isHeader || (name === 'token' && !hasKind(text, start));
  const pattern = name === 'token' || isHeader ? BEHIND_ANY_NAME : BEHIND_NAME;
  const behind = matchAt(pattern, text, end);
  if (behind === null) return undefined;
  const from = pattern.lastIndex;
  if (!isWordOfProse) return looseValue(text, from, behind);
  return matchAt(TOKEN_VALUE, text, from) === null ? undefined : { from, to: TOKEN_VALUE.lastIndex };
}

const hasKind = (text: string, token: number): boolean =>
  KIND_OF_TOKEN.test(text.slice(Math.max(0, token - LONGEST_KIND), token));

function signature(text: string, from: number): Range | undefined {
  const found = matchAt(SIGNATURE_VALUE, text, from);
  return found === null ? undefined : { from: from + (found[1]?.length ?? 0), to: SIGNATURE_VALUE.lastIndex };
}

function valueOfQuotedName(text: string, from: number, behind: RegExpExecArray): Range | undefined {
  const [, backslashes = '', quote] = behind;
  if (quote === '"' || quote === "'")
    return { from, to: stringEnd(text, from, quote, backslashes.length).to };
  return matchAt(NO_TEXT, text, from) === null ? longEnough(untilNext(VALUE_ENDS, text, from)) : undefined;
}

function looseValue(text: string, from: number, behind: RegExpExecArray): Range | undefined {
  const [, backslashes = '', quote] = behind;
  const bare = (): Range | undefined => longEnough(untilNext(VALUE_ENDS, text, from));
  if (quote !== '"' && quote !== "'") return bare();
  if (matchAt(STRING_HAS_ENDED, text, from) !== null) return undefined;
  const { to, isClosed } = stringEnd(text, from, quote, backslashes.length);
  if (!isClosed || to - from > LONGEST_LOOSE_VALUE) return bare();
  if (quote === '"') return { from, to };
  const outside = JSON_GOES_ON.exec(text.slice(from, to));
  return { from, to: outside === null ? to : from + outside.index };
}

/**
 * Where a string ends that was opened by a quote with so many backslashes before it. A quote within it has more of them: as
 * often as the whole was put into a string, each is doubled, and one is added before the quote.
 */
function stringEnd(
  text: string,
  from: number,
  quote: '"' | "'",
  depth: number,
): { to: number; isClosed: boolean } {
  const stop = QUOTE_OR_LINE_END[quote];
  stop.lastIndex = from;
  for (let at = stop.exec(text); at !== null; at = stop.exec(text)) {
    if (at[0] === '\n') return { to: at.index, isClosed: false };
    const backslashes = backslashesBefore(text, at.index, from);
    // The string that this one is in ends before it does.
    if (backslashes < depth) return { to: at.index - backslashes, isClosed: false };
    if (backslashes % (2 * (depth + 1)) === depth) return { to: at.index - depth, isClosed: true };
  }
  return { to: text.length, isClosed: false };
}

function matchAt(pattern: RegExp, text: string, place: number): RegExpExecArray | null {
  pattern.lastIndex = place;
  return pattern.exec(text);
}

function untilNext(end: RegExp, text: string, from: number): Range {
  return { from, to: matchAt(end, text, from)?.index ?? text.length };
}

const longEnough = (range: Range): Range | undefined =>
  range.to - range.from < SHORTEST_VALUE ? undefined : range;
