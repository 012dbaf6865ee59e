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

/** Replaces the given secrets and everything that has the shape of one by `***`. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // The longest first: one secret may be the beginning of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length > 0) clean = clean.replaceAll(secret, MASK);
  }
  for (const { pattern, replacement } of SHAPES) clean = clean.replace(pattern, replacement);
  return clean;
}
