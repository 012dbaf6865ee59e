import { open } from 'node:fs/promises';
import type { ByteRange } from '../measure/json-cursor.js';
import type { ResultFile } from '../measure/result-file.js';
import type { Redactor } from '../redact.js';
import { writeWhole } from '../whole-file.js';
import { readChunks } from './file-pieces.js';

const WRITTEN_AT_ONCE = 128 * 1024;

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
  const logs = file.runs.values().flatMap((run) => (run.logs === undefined ? [] : [run.logs]));
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const output = await open(target, 'w');
  try {
    let text = '';
    for await (const part of outside(logs, readChunks(source))) {
      text += decoder.decode(part, { stream: true });
      if (text.length < WRITTEN_AT_ONCE) continue;
      const end = endOfPiece(text);
      await output.write(redactor.clean(text.slice(0, end)));
      text = text.slice(end);
    }
    await output.write(redactor.clean(text + decoder.decode()));
  } finally {
    await output.close();
  }
}

/** A piece ends between two values, or no secret would be known by its shape that stands on both sides. */
function endOfPiece(text: string): number {
  const end = text.lastIndexOf(',');
  return end > 0 ? end : text.length;
}

/** What lies outside the ranges, which are ascending. */
async function* outside(
  ranges: Iterator<ByteRange>,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let range = ranges.next();
  let begin = 0;
  for await (const piece of pieces) {
    const end = begin + piece.length;
    for (let place = begin; place < end;) {
      const { start, end: after } = range.done ? { start: end, end: end } : range.value;
      if (start > place) yield piece.subarray(place - begin, Math.min(start, end) - begin);
      place = Math.min(after, end);
      if (after <= end && !range.done) range = ranges.next();
    }
    begin = end;
  }
}
