/** Takes secrets out of texts before they are logged or written as evidence. */

const MASK = '***';

/** Shapes of secrets that Coder's CLI and server write, whatever their value. */
const SHAPES: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
  // Coder session tokens and API keys.
  { pattern: /\b[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b/g, replacement: MASK },
  // "password":"…" in plain JSON, and in JSON that was escaped into a string once or more.
  { pattern: /((?:password|secret|token)"\s*:\s*")(?:[^"\\]|\\.)+/gi, replacement: `$1${MASK}` },
  { pattern: /((?:password|secret|token)(\\+)"\s*:\s*\2").{1,500}?(?=\2")/gi, replacement: `$1${MASK}` },
  { pattern: /(CODER_(?:AGENT|SESSION)_TOKEN\\*"?\s*[=:]\s*\\*"?)[A-Za-z0-9-]+/g, replacement: `$1${MASK}` },
  // password = "…", api_key: …, Authorization: Bearer …, as configuration and tools write them.
  {
    pattern:
      /\b((?:[A-Z0-9_]{0,30}(?:password|passwd|secret|api_?key|access_key|private_key|auth_token)[A-Z0-9_]{0,20})\s{0,3}[=:]\s{0,3}\\{0,4}["']?)[^\s"'\\,;]{4,500}/gi,
    replacement: `$1${MASK}`,
  },
  {
    pattern:
      /\b(Authorization\\{0,4}["']?\s{0,3}[:=]\s{0,3}\\{0,4}["']?(?:Bearer|Basic|token)\s+)[^\s"'\\]{4,2000}/gi,
    replacement: `$1${MASK}`,
  },
  { pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, replacement: MASK },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, replacement: MASK },
  { pattern: /\b(?:ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{20,}/g, replacement: MASK },
  { pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"\\]{1,500}@/gi, replacement: `$1${MASK}@` },
];

/** Knows the secrets of this run, and takes them out of every text that leaves the program. */
export class Redactor {
  readonly #known = new Set<string>();

  constructor(secrets: readonly string[] = []) {
    for (const secret of secrets) this.learn(secret);
  }

  /** From now on the value is taken out, as it is and as JSON and addresses spell it. */
  learn(secret: string): void {
    // Thousands of session tokens are known by their shape.
    if (secret === '' || replaceShapes(secret) === MASK) return;
    for (const spelling of spellings(secret)) this.#known.add(spelling);
  }

  /** Replaces the known secrets and everything that has the shape of one by `***`. */
  clean(text: string): string {
    let clean = text;
    // The longest first: one secret may be the beginning of another.
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length))
      clean = clean.replaceAll(secret, MASK);
    return replaceShapes(clean);
  }
}

function replaceShapes(text: string): string {
  let clean = text;
  for (const { pattern, replacement } of SHAPES) clean = clean.replace(pattern, replacement);
  return clean;
}

/** A secret as it is, in a JSON string, in a JSON string within one, and in an address. */
function spellings(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(Buffer.from(secret).toString()),
  ];
}
