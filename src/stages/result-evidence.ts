import { open } from 'node:fs/promises';
import type { ResultFile } from '../measure/result-file.js';
import type { Redactor } from '../redact.js';
import { writeWhole } from '../whole-file.js';
import { CHUNK_BYTES, readRange } from './file-pieces.js';

/** Writes a result file as evidence: as it is, but without `logs`, which hold passwords, and redacted. */
export async function writeWithoutLogs(
  source: string,
  target: string,
  file: ResultFile,
  redactor: Redactor,
): Promise<void> {
  await writeWhole(target, (path) => copyWithoutLogs(source, path, file, redactor));
}

async function copyWithoutLogs(
  source: string,
  target: string,
  file: ResultFile,
  redactor: Redactor,
): Promise<void> {
  const ranges = file.runs.flatMap(({ logs }) => logs ?? []).sort((a, b) => a.start - b.start);
  const input = await open(source);
  const output = await open(target, 'w');
  try {
    const { size } = await input.stat();
    let position = 0;
    for (const { start, end } of [...ranges, { start: size, end: size }]) {
      for (; position < start; position += CHUNK_BYTES) {
        const text = await readRange(input, position, Math.min(start, position + CHUNK_BYTES));
        await output.write(redactor.clean(text));
      }
      position = end;
    }
  } finally {
    await input.close();
    await output.close();
  }
}
