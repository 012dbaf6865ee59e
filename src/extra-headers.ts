/** https://www.rfc-editor.org/rfc/rfc9110#name-fields */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e]+)$/;
const OWN_HEADERS =
  /^(coder-session-token|host|content-(type|length)|connection|transfer-encoding|upgrade|sec-websocket-.*)$/i;

export interface ExtraHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** What is wrong, line by line, without the values: those are secrets. */
  readonly mistakes: readonly string[];
}

/** Reads the input `extra-headers`: one `Name: value` a line. */
export function parseExtraHeaders(text: string): ExtraHeaders {
  const headers: Record<string, string> = {};
  const mistakes: string[] = [];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const [index, line] of lines.entries()) {
    const [, name = '', value = ''] = HEADER.exec(line.trim()) ?? [];
    if (name === '') mistakes.push(`line ${index + 1}: write "Name: value"`);
    else if (OWN_HEADERS.test(name))
      mistakes.push(`line ${index + 1}: "${name}" is one that the gate sets itself`);
    else headers[name] = value;
  }
  return { headers, mistakes };
}
