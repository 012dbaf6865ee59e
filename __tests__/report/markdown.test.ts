import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cell, code, details, sections, table } from '../../src/report/markdown.js';

const nasty = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        '`',
        '|',
        '\\',
        '<',
        '>',
        '*',
        '_',
        '[',
        ']',
        '(',
        ')',
        '@',
        '#',
        '\n',
        '&',
        '~',
        'a',
        ' ',
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
);

/** Takes the escapes away again, as a renderer does. */
const unescaped = (text: string): string =>
  text
    .replace(/\\([\\`*_[\]|~#@])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

describe('cell', () => {
  it('keeps the text, in one line', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(cell(text)).not.toMatch(/[\r\n]/);
        expect(unescaped(cell(text))).toBe(text.replace(/\s+/g, ' ').trim());
      }),
    );
  });

  it('leaves no character that means something', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(cell(text).replace(/\\./g, '')).not.toMatch(/[<>`*_[\]|~#@\\]/);
      }),
    );
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=y>',
    '[link](https://evil)',
    '**bold**',
    '| a | b |',
    '`code`',
    '&lt;',
  ])('makes nothing of %s', (text) => {
    expect(cell(text)).not.toContain(text);
  });
});

describe('code', () => {
  it('is one span of code, whatever stands in it', () => {
    const plain = nasty.filter((text) => !text.includes('|'));
    fc.assert(
      fc.property(plain, (text) => {
        const content = text.replace(/\s+/g, ' ').trim();
        const match = /^(`+)([\s\S]*)\1$/.exec(code(text));
        if (content === '') {
          expect(code(text)).toBe('');
          return;
        }
        expect(match?.[2]?.trim()).toBe(content);
        // A run of as many backticks would end it before its end.
        const runs: string[] = match?.[2]?.match(/`+/g) ?? [];
        expect(runs).not.toContain(match?.[1]);
      }),
    );
  });

  it('cannot be left with more backticks', () => {
    const shown = code('a `` <img src=x> `` b');
    const [, fence = ''] = /^(`+)/.exec(shown) ?? [];
    const inner = shown.slice(fence.length, -fence.length);
    expect(inner.match(/`+/g) ?? []).not.toContain(fence);
  });
});

describe('table', () => {
  it('keeps its columns, whatever stands in its cells', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(nasty, nasty), { minLength: 1, maxLength: 5 }), (rows) => {
        const lines = table(
          ['A', 'B'],
          rows.map((row) => row.map(cell)),
          ['right'],
        ).split('\n');
        expect(lines).toHaveLength(rows.length + 2);
        expect(lines[1]).toBe('| ---: | --- |');
        for (const line of lines.slice(2)) expect(line.replace(/\\./g, '').split('|')).toHaveLength(4);
      }),
    );
  });
});

describe('sections', () => {
  it('leaves out what is empty', () => {
    expect(sections(['a', undefined, '', 'b'])).toBe('a\n\nb\n');
  });

  it('stays below GitHub’s limit, keeps the first and says what it did', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500_000), { minLength: 1, maxLength: 8 }), (sizes) => {
        const parts = sizes.map((size, index) => `${index}:${'é'.repeat(size)}`);
        const text = sections(parts);
        expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
        const total = parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, 0);
        expect(text.includes('The rest is left out')).toBe(total > 900 * 1024);
        if (total <= 900 * 1024) for (const part of parts) expect(text).toContain(part);
      }),
      { numRuns: 20 },
    );
  });
});

it('details do not let a title out', () => {
  expect(details('a </summary><b>', 'body')).toBe(
    '<details><summary>a &lt;/summary&gt;&lt;b&gt;</summary>\n\nbody\n\n</details>',
  );
});
