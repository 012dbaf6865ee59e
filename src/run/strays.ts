import { readdir, readFile } from 'node:fs/promises';

/**
 * Ends the children of a main that was killed and could not end them itself: they would go on creating workspaces while
 * post removes them. Known by a mark in their command line that no other process has. Only where there is a `/proc`.
 * @returns how many were ended.
 */
export async function endStrays(mark: string): Promise<number> {
  const names = await readdir('/proc').catch(() => []);
  const ids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const strays = await Promise.all(
    ids.map(async (id) => ((await commandLine(id)).includes(mark) ? [id] : [])),
  );
  return strays.flat().filter(endGroup).length;
}

const commandLine = (id: number): Promise<string> => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');

/** Each child leads a process group of its own. */
function endGroup(id: number): boolean {
  try {
    return process.kill(-id, 'SIGKILL');
  } catch {
    // Gone already, or not the leader, whose end takes it along.
    return false;
  }
}
