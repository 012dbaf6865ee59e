import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { listFiles } from '../results-directory.js';
import { writeWholeText } from '../whole-file.js';

/** In the format of `sha256sum`, so that `sha256sum -c SHA256SUMS` works too. */
export const SUMS_FILE = 'SHA256SUMS';
const LINE = /^([0-9a-f]{64}) {2}(.+)$/;

/** Lists every file of a results directory with its sum. Written last: a directory without it is not complete. */
export async function writeChecksums(directory: string): Promise<void> {
  const names = (await listFiles(directory))
    .map((file) => path.relative(directory, file).split(path.sep).join('/'))
    .filter((name) => name !== SUMS_FILE)
    .sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await sumOf(path.join(directory, name))}  ${name}\n`);
  await writeWholeText(path.join(directory, SUMS_FILE), lines.join(''));
}

export interface ChecksumFindings {
  /** The files that are listed. */
  readonly listed: ReadonlySet<string>;
  /** A part of a sentence for each file that is not as it was. */
  readonly damage: readonly string[];
}

/** Compares a directory with its list; undefined where it has none. */
export async function checkChecksums(directory: string): Promise<ChecksumFindings | undefined> {
  const text = await readFile(path.join(directory, SUMS_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const listed = new Set<string>();
  const damage: string[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const [, sum, name = ''] = LINE.exec(line) ?? [];
    if (sum === undefined || isOutside(name)) {
      damage.push(`${SUMS_FILE} is no list of checksums`);
      break;
    }
    listed.add(name);
    const found = await sumOf(path.join(directory, name)).catch(() => undefined);
    if (found === undefined) damage.push(`${name} is missing`);
    else if (found !== sum) damage.push(`${name} was changed or is not complete`);
  }
  return { listed, damage };
}

const isOutside = (name: string): boolean => path.isAbsolute(name) || name.split(/[\\/]/).includes('..');

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
