/** Hides secrets in log lines as the runner does: every spelling of a secret becomes `***`. */
export class SecretMasker {
  readonly #spellings = new Set<string>();

  /** Several lines are also hidden one by one, because logs arrive line by line. */
  add(secret: string): void {
    if (secret.trim() === '') return;
    for (const part of [secret, ...secret.split(/\r?\n|\r/)]) {
      if (part === '') continue;
      for (const spelling of spellingsOf(part)) this.#spellings.add(spelling);
    }
  }

  mask(text: string): string {
    const ranges = this.#rangesIn(text);
    if (ranges.length === 0) return text;
    let masked = '';
    let from = 0;
    for (const [start, end] of ranges) {
      masked += `${text.slice(from, start)}***`;
      from = end;
    }
    return masked + text.slice(from);
  }

  /** Ranges that touch or overlap become one, so that no piece of a longer secret stays visible. */
  #rangesIn(text: string): [number, number][] {
    const found: [number, number][] = [];
    for (const spelling of this.#spellings) {
      for (let at = text.indexOf(spelling); at >= 0; at = text.indexOf(spelling, at + 1)) {
        found.push([at, at + spelling.length]);
      }
    }
    const merged: [number, number][] = [];
    for (const [start, end] of found.sort((a, b) => a[0] - b[0])) {
      const last = merged.at(-1);
      if (last && start <= last[1]) last[1] = Math.max(last[1], end);
      else merged.push([start, end]);
    }
    return merged;
  }
}

/** The runner's own encoders, without the two for PowerShell. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const base64 = [0, 1, 2]
    .filter((shift) => bytes.length > shift)
    .map((shift) => bytes.subarray(shift).toString('base64'));
  const quoted = secret.length > 8 && secret.startsWith('"') && secret.endsWith('"');
  const spellings = [
    secret,
    ...base64,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret).replace(/[!'()*]/g, percentEncoded),
    xmlEscaped(secret),
    secret.replaceAll('"', '\\"'),
    secret.replaceAll("'", "''"),
    ...(quoted ? [secret.slice(1, -1)] : []),
  ];
  return spellings.filter((spelling) => spelling !== '');
}

const percentEncoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

function xmlEscaped(text: string): string {
  const entities = { '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '&': '&amp;' } as const;
  return text.replace(/[<>"'&]/g, (character) => entities[character as keyof typeof entities]);
}
