import { statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from './ports.js';
import { milliseconds } from './units.js';

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => milliseconds(performance.now()),
  sleep: async (duration, signal) => {
    if (duration <= 0) return;
    await pause(duration, undefined, signal ? { signal } : undefined).catch((thrown: unknown) => {
      signal?.throwIfAborted();
      throw thrown;
    });
  },
};

/** Free bytes where a folder is; undefined where the system does not tell. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
