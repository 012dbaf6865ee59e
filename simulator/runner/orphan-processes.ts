import { readdirSync, readFileSync } from 'node:fs';

export interface OrphanProcess {
  pid: number;
  command: string;
}

/**
 * Processes that a job left behind: those whose environment holds one of the job's marks (its tracking id, the
 * folder made for it alone). Linux only; elsewhere nothing is found.
 */
export function findOrphans(marks: string[]): OrphanProcess[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const environment = readProcFile(name, 'environ');
      if (!marks.some((mark) => environment.includes(mark))) return [];
      const command = readProcFile(name, 'cmdline').replaceAll('\0', ' ').trim();
      // An ended process that nobody has waited for has no command line: it runs no more.
      return command === '' ? [] : [{ pid: Number(name), command }];
    });
}

/** The runner kills what it finds at the end of a job. */
export function killOrphans(orphans: OrphanProcess[]): void {
  for (const { pid } of orphans) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
  }
}

function readProcFile(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // Gone, or another user's.
    return '';
  }
}
