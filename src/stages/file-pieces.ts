import { closeSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { ReadAt } from '../measure/result-file.js';

const CHUNK_BYTES = 128 * 1024;
/** After so many pieces, signals and the lease get their turn: every few milliseconds. */
const PIECES_AT_ONCE = 64;

/**
 * Reads a file piece by piece. It has just been written, so a piece is there at once, and asking the thread pool for it
 * would take longer than reading it.
 */
export async function withFile<T>(file: string, use: (readAt: ReadAt) => Promise<T>): Promise<T> {
  const input = openSync(file, 'r');
  let pieces = 0;
  try {
    return await use(async (room, place) => {
      pieces += 1;
      if (pieces % PIECES_AT_ONCE === 0) await setImmediate();
      return readSync(input, room, 0, room.length, place);
    });
  } finally {
    closeSync(input);
  }
}

/** A file in pieces. The memory is used again, so whoever keeps a piece has to copy it. */
export async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  const input = await open(file);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await input.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await input.close();
  }
}

/** A part of a file as text. */
export async function readRange(input: FileHandle, start: number, end: number): Promise<string> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await input.read(buffer, 0, buffer.length, start);
  return buffer.toString('utf8', 0, bytesRead);
}
