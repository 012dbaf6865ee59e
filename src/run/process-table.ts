import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const PS_WITHIN_MS = 10_000;
const PS_OUTPUT_BYTES = 64 * 2 ** 20;

export interface RunningProcess {
  readonly id: number;
  /** The command with its arguments. */
  readonly command: string;
}

/** The machine's processes, as far as they can be seen; none on Windows. */
export async function runningProcesses(): Promise<readonly RunningProcess[]> {
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  return ids.length > 0 ? Promise.all(ids.map(describeProcess)) : processesByPs();
}

const describeProcess = async (id: number): Promise<RunningProcess> => ({
  id,
  command: (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '),
});

/** Where there is no `/proc`, as on macOS. */
export async function processesByPs(): Promise<readonly RunningProcess[]> {
  if (process.platform === 'win32') return [];
  const arguments_ = ['-axww', '-o', 'pid=,command='];
  const { stdout } = await promisify(execFile)('ps', arguments_, {
    timeout: PS_WITHIN_MS,
    maxBuffer: PS_OUTPUT_BYTES,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, id, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return id === undefined || command === undefined ? [] : [{ id: Number(id), command }];
  });
}
