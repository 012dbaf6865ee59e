import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LATER } from './fail-open-later.js';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const ROWS = [
  ...Array.from({ length: 20 }, (_, index) => `F${index + 1}`),
  ...Array.from({ length: 6 }, (_, index) => `R${index + 1}`),
];

interface Link {
  readonly file: string;
  /** The beginning of a test's name, which a reader sees at the link. */
  readonly test: string;
}

const section = (
  readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8')
    .split('\n## ')
    .find((part) => part.startsWith('Where others stay green')) ?? ''
).split('\n');

const linksIn = (line: string): Link[] =>
  [...line.matchAll(/\]\(([^ )]+) (?:"([^"]+)"|'([^']+)')\)/g)].map(([, file = '', one, other]) => ({
    file,
    test: one ?? other ?? '',
  }));

const table = new Map(
  section.flatMap((line) => {
    const row = /^\| ([FR]\d+) /.exec(line)?.[1];
    return row === undefined ? [] : [[row, linksIn(line)] as const];
  }),
);

/** Names of tests by their files, as vitest itself collects them. */
const collected = new Map<string, string[]>();
beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'collected-'));
  try {
    const list = path.join(folder, 'tests.json');
    const files = [...new Set(section.flatMap(linksIn).map(({ file }) => file))];
    const vitest = path.join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
    await promisify(execFile)(process.execPath, [vitest, 'list', ...files, `--json=${list}`], {
      cwd: REPOSITORY,
    });
    const tests = z
      .array(z.object({ name: z.string(), file: z.string() }))
      .parse(JSON.parse(readFileSync(list, 'utf8')));
    for (const { name, file } of tests) {
      const relative = path.relative(REPOSITORY, file);
      collected.set(relative, [...(collected.get(relative) ?? []), name.split(' > ').at(-1) ?? '']);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe('the table of the README', () => {
  it('has every row once', () => {
    expect([...table.keys()]).toEqual(ROWS);
  });

  it.each(ROWS)('links %s to a test of that row, or says that it is not there yet', (row) => {
    const links = table.get(row) ?? [];
    expect(links.length === 0).toBe(LATER.has(row));
    for (const { test } of links) expect(test.startsWith(`${row}: `), test).toBe(true);
  });

  it('links to nothing but tests that exist', () => {
    const links = section.flatMap(linksIn);
    expect(links.length).toBeGreaterThan(15);
    for (const { file, test } of links) {
      const names = (collected.get(file) ?? []).filter((name) => name.startsWith(test));
      expect(names, `${file} has no "${test}"`).not.toEqual([]);
    }
  });
});
