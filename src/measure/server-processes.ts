import { skipped, type ServerPage, type Unavailable } from '../server-evidence.js';

/** A coderd process that answered after the load, with its page from before; without one it began in between. */
export interface ProcessPages {
  readonly before?: ServerPage;
  readonly after: ServerPage;
}

export interface Processes {
  readonly running: readonly ProcessPages[];
  /** Processes that answered before the load and do not any more. */
  readonly ended: readonly ServerPage[];
}

/** Seconds. The kernel's moment of boot, by which a start is reckoned, follows corrections of the clock. */
const START_GRAIN = 2;

/**
 * Which pages from before and after the load are of the same process: by the start of the process, or, with Prometheus off,
 * by what was asked (a single process then).
 */
export function matchProcesses(
  start: readonly ServerPage[],
  end: readonly ServerPage[],
): Processes | Unavailable {
  const left = [...start];
  const running: ProcessPages[] = [];
  for (const after of end) {
    const index = nearest(left, after);
    const [before] = index < 0 ? [] : left.splice(index, 1);
    if (before === undefined && !beganBetween(start, after))
      return skipped(
        `${after.source} was answered by another coderd process after the load than before it, and that was running all the time: there are several, which cannot be told apart`,
      );
    running.push({ after, ...(before !== undefined && { before }) });
  }
  return { running, ended: left };
}

function nearest(pages: readonly ServerPage[], { source, processStart }: ServerPage): number {
  const distances = pages.map((page) => {
    if (page.source !== source) return Infinity;
    if (processStart === undefined || page.processStart === undefined)
      return processStart === page.processStart ? 0 : Infinity;
    return Math.abs(page.processStart - processStart);
  });
  const least = Math.min(...distances);
  return least <= START_GRAIN ? distances.indexOf(least) : -1;
}

/** By the server's own clock. Where Prometheus was switched on or off in between, a process that has begun anew is the only cause. */
function beganBetween(start: readonly ServerPage[], { processStart, source }: ServerPage): boolean {
  if (processStart === undefined) return true;
  const before = start
    .filter((page) => page.source === source)
    .map(({ answeredAt }) => Date.parse(answeredAt));
  return processStart + START_GRAIN > Math.min(...before) / 1000;
}
