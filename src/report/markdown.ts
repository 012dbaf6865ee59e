/** Pieces of GitHub-flavoured Markdown. Everything that comes from outside passes `cell` or `code`. */

const SUMMARY_LIMIT = 900 * 1024;

/** Text inside a table cell or a sentence, without any mark-up of its own. */
export function cell(text: string): string {
  return (
    text
      // A no-break space stays one.
      .replace(/[^\S\u00a0]+/g, ' ')
      .trim()
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replace(/[\\`*_[\]|~#@]/g, '\\$&')
  );
}

/** Text as inline code. */
export function code(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|');
  if (plain === '') return '';
  // A fence longer than any run of backticks in the text, which could end it.
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${plain}${fence}` : `${fence} ${plain} ${fence}`;
}

/** A link to an address whose outside parts are percent-encoded already. */
export function link(text: string, url: string): string {
  // Brackets and blanks would end the address, a pipe the table's cell.
  const address = url.replace(/[()<>|\s\\]/g, (one) =>
    encodeURIComponent(one).replace('(', '%28').replace(')', '%29'),
  );
  return `[${cell(text)}](${address})`;
}

export type Alignment = 'left' | 'right';

export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: readonly Alignment[] = [],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, index) => (alignment[index] === 'right' ? '---:' : '---'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

export function details(title: string, body: string): string {
  return `<details><summary>${cell(title)}</summary>\n\n${body}\n\n</details>`;
}

/** Joins the sections that are not empty, within GitHub's limit of 1 MiB a step: what comes last is cut first, and said. */
export function sections(parts: readonly (string | undefined)[]): string {
  const kept: string[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (part === undefined || part === '') continue;
    const size = Buffer.byteLength(part) + 2;
    if (bytes + size > SUMMARY_LIMIT) {
      kept.push(
        '_The rest is left out, because GitHub takes at most 1 MiB; see the report in the results directory._',
      );
      break;
    }
    bytes += size;
    kept.push(part);
  }
  return `${kept.join('\n\n')}\n`;
}

/** Sentences as a list. */
export const bullets = (sentences: readonly string[]): string =>
  sentences.map((sentence) => `- ${cell(sentence)}`).join('\n');

export const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
