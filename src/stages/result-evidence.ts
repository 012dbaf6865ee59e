import { open } from 'node:fs/promises';
import type { ByteRange } from '../measure/logs-apart.js';
import type { ResultFile } from '../measure/result-file.js';
import type { Redactor } from '../redact/redactor.js';
import { writeWhole } from '../whole-file.js';
import { readChunks } from './file-pieces.js';

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
  const logs = file.logs[Symbol.iterator]();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const redacted = redactor.stream();
  const output = await open(target, 'w');
  try {
    for await (const bytes of outside(logs, readChunks(source))) {
      const clean = redacted.push(decoder.decode(bytes, { stream: true }));
      if (clean !== '') await output.appendFile(clean);
    }
    await output.appendFile(redacted.push(decoder.decode()) + redacted.end());
  } finally {
    await output.close();
  }
}

/** What lies outside the ranges of logs, which are ascending. */
async function* outside(
  ranges: Iterator<ByteRange>,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let range = ranges.next();
  let begin = 0;
  for await (const piece of pieces) {
    const end = begin + piece.length;
    for (let place = begin; place < end;) {
      const { start, end: after } = range.done ? { start: Infinity, end: Infinity } : range.value;
      if (start > place) yield piece.subarray(place - begin, Math.min(start, end) - begin);
      place = Math.min(after, end);
      if (after <= end) range = ranges.next();
    }
    begin = end;
  }
}
