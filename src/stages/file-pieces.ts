import { open, type FileHandle } from 'node:fs/promises';

export const CHUNK_BYTES = 512 * 1024;

/**
 * A file in pieces; the next one is read while the last one is looked at. Two buffers are used in turn, so whoever keeps
 * a piece has to copy it.
 */
export async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  const input = await open(file);
  const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const;
  try {
    let pending = input.read(buffers[0], 0, CHUNK_BYTES);
    for (;;) {
      const { bytesRead, buffer } = await pending;
      if (bytesRead === 0) return;
      pending = input.read(buffer === buffers[0] ? buffers[1] : buffers[0], 0, CHUNK_BYTES);
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
