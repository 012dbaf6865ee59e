/** Go writes these in JSON as for a web page. */
const HTML_IN_JSON = /[<>&\u2028\u2029]/g;
const LEFT_BY_JAVASCRIPT = /[!'()*]/g;
/** How often a text is put into a string: the CLI logs a request's body within a log within a result file. */
const DEEPEST = 3;
/** Of a shorter one, too few letters would be left that are the same wherever it stands. */
const SHORTEST_IN_BASE64 = 6;

/** A secret as it is, in JSON strings, in addresses, and in base64. */
export function spellingsOf(secret: string): ReadonlySet<string> {
  // Half a surrogate pair has no bytes.
  const whole = Buffer.from(secret);
  return new Set([secret, ...inStrings(secret), ...inAddresses(whole.toString()), ...inBase64(whole)]);
}

function inStrings(secret: string): string[] {
  let spellings = [secret];
  const all: string[] = [];
  for (let depth = 1; depth <= DEEPEST; depth += 1) {
    const escaped = spellings.map((spelling) => JSON.stringify(spelling).slice(1, -1));
    spellings = [
      ...new Set([...escaped, ...escaped.map((text) => text.replace(HTML_IN_JSON, unicodeEscape))]),
    ];
    all.push(...spellings);
  }
  return all;
}

function inAddresses(secret: string): string[] {
  const loose = encodeURIComponent(secret);
  const strict = loose.replace(LEFT_BY_JAVASCRIPT, percentEscape);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  return [loose, strict, strict.replaceAll('%20', '+'), form];
}

/**
 * What of its base64 does not depend on what stands before and behind it, as in `user:password` of a Basic header: at each
 * of the three places in a group that it may begin at.
 */
export function inBase64(secret: Uint8Array): string[] {
  if (secret.length < SHORTEST_IN_BASE64) return [];
  return [0, 1, 2].flatMap((before) => {
    const letters = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
    const own = letters.slice(Math.ceil((before * 4) / 3), Math.floor(((before + secret.length) * 4) / 3));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

const unicodeEscape = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;

const percentEscape = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
