import { rename, rm, writeFile } from 'node:fs/promises';

/** Ends the name of a file that is still being written. */
export const UNFINISHED = '.part';

/**
 * Lets a writer write a file under another name, and gives it its own once it is complete: who is killed in the middle, or
 * finds the disk full, leaves no half of a file that could be read for the whole.
 */
export async function writeWhole(target: string, write: (path: string) => Promise<void>): Promise<void> {
  const unfinished = target + UNFINISHED;
  try {
    await write(unfinished);
    await rename(unfinished, target);
  } catch (thrown) {
    await rm(unfinished, { force: true });
    throw thrown;
  }
}

/** The same for a text. */
export const writeWholeText = (target: string, text: string): Promise<void> =>
  writeWhole(target, (path) => writeFile(path, text));
