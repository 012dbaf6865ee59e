import { setTimeout as pause } from 'node:timers/promises';
import { runningProcesses } from './process-table.js';

const LOOK_EVERY_MS = 25;
/** A process that was killed is gone in a moment, unless a disk keeps it. */
const GONE_WITHIN_MS = 2000;

/**
 * Ends the children of a main that was killed and could not end them itself: they would go on creating workspaces while
 * post removes them. Known by a mark in their command line that no other process has.
 * @returns how many were ended.
 */
export async function endStrays(mark: string): Promise<number> {
  const strays = (await runningProcesses()).filter(({ command }) => command.includes(mark));
  const ended = strays.map(({ id }) => id).filter((id) => signalGroup(id, 'SIGKILL'));
  const until = performance.now() + GONE_WITHIN_MS;
  while (ended.some((id) => signalGroup(id, 0)) && performance.now() < until) await pause(LOOK_EVERY_MS);
  return ended.length;
}

/** Each child leads a process group of its own. @returns false when it is gone, or not the leader, whose end takes it along. */
function signalGroup(id: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(-id, signal);
  } catch {
    return false;
  }
}
