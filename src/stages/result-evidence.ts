import { open } from 'node:fs/promises';
import type { ByteRange } from '../measure/logs-apart.js';
import type { ResultFile } from '../measure/result-file.js';
import type { Redactor } from '../redact.js';
import { writeWhole } from '../whole-file.js';
import { readChunks } from './file-pieces.js';

const WRITTEN_AT_ONCE = 128 * 1024;
/** Of a file that goes on so long without logs, memory is worth more than a secret that the cut may divide. */
const MOST_AT_ONCE = 64 * WRITTEN_AT_ONCE;

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
  const output = await open(target, 'w');
  try {
    let text = '';
    for await (const { bytes, beforeLogs } of outside(logs, readChunks(source))) {
      text += decoder.decode(bytes, { stream: true });
      // Where a piece of the file ends there may be a secret, of which neither half would be known.
      if (text.length < (beforeLogs ? WRITTEN_AT_ONCE : MOST_AT_ONCE)) continue;
      await output.appendFile(redactor.clean(text));
      text = '';
    }
    await output.appendFile(redactor.clean(text + decoder.decode()));
  } finally {
    await output.close();
  }
}

interface Part {
  readonly bytes: Uint8Array;
  readonly beforeLogs: boolean;
}

/** What lies outside the ranges of logs, which are ascending. */
async function* outside(
  ranges: Iterator<ByteRange>,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Part> {
  let range = ranges.next();
  let begin = 0;
  for await (const piece of pieces) {
    const end = begin + piece.length;
    for (let place = begin; place < end;) {
      const { start, end: after } = range.done ? { start: Infinity, end: Infinity } : range.value;
      if (start > place)
        yield {
          bytes: piece.subarray(place - begin, Math.min(start, end) - begin),
          beforeLogs: start <= end,
        };
      place = Math.min(after, end);
      if (after <= end) range = ranges.next();
    }
    begin = end;
  }
}
