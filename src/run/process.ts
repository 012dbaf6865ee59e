import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { Cancelled } from '../errors.js';
import type { Milliseconds } from '../units.js';

/** From the abort: SIGINT at once, SIGTERM and SIGKILL within the 7.5 seconds that the runner gives a cancelled step. */
const PATIENCE = { terminateAfterMs: 4000, killAfterMs: 6000 };
/** After its SIGTERM there are 2.5 seconds. */
const LITTLE_PATIENCE = { terminateAfterMs: 300, killAfterMs: 800 };
/** A grandchild that left the group may hold the pipes; nobody waits for it. */
const DRAIN_MS = 2000;
/** Of a longer line only the beginning is handed on: what comes later may begin with half a secret. */
const LONGEST_LINE = 65_536;

export interface ProcessRequest {
  readonly executable: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** When the process is ended by force. */
  readonly longest: Milliseconds;
  readonly signal: AbortSignal;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface ProcessOutcome {
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly endedBy: 'itself' | 'deadline' | 'cancel';
}

/**
 * Runs a program until it ends: without a shell, with `/dev/null` as stdin (the CLI prompts otherwise), in a process
 * group of its own, so that everything it started gets the signals too.
 * @throws when it cannot be started.
 */
export function superviseProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(request.executable, [...request.args], {
      cwd: request.workingDirectory,
      env: { ...request.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    let endedBy: ProcessOutcome['endedBy'] = 'itself';
    const timers: NodeJS.Timeout[] = [];
    const end = (reason: 'deadline' | 'cancel'): void => {
      if (endedBy !== 'itself') return;
      endedBy = reason;
      signalGroup(child, 'SIGINT');
      const { terminateAfterMs, killAfterMs } = patienceAfter(request.signal);
      timers.push(setTimeout(() => signalGroup(child, 'SIGTERM'), terminateAfterMs));
      timers.push(setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs));
    };
    const onAbort = (): void => end('cancel');
    timers.push(setTimeout(() => end('deadline'), request.longest));
    request.signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      timers.forEach(clearTimeout);
      request.signal.removeEventListener('abort', onAbort);
    };
    const streams = Promise.all([
      follow(child.stdout, 'stdout', request),
      follow(child.stderr, 'stderr', request),
    ]);
    // When this program dies, what it started must not go on loading the deployment.
    const onExit = (): void => signalGroup(child, 'SIGKILL');
    process.once('exit', onExit);
    child.once('error', (error) => {
      settle();
      process.off('exit', onExit);
      reject(error);
    });
    child.once('exit', (exitCode, exitSignal) => {
      // What the group's leader left behind must not hold the pipes open, nor go on loading.
      signalGroup(child, 'SIGKILL');
      process.off('exit', onExit);
      const drained = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN_MS);
      void streams.then(() => {
        clearTimeout(drained);
        settle();
        resolve({ exitCode, exitSignal, endedBy });
      });
    });
    if (request.signal.aborted) onAbort();
  });
}

function patienceAfter({ reason }: AbortSignal): typeof PATIENCE {
  return reason instanceof Cancelled && reason.signal === 'SIGTERM' ? LITTLE_PATIENCE : PATIENCE;
}

/** Hands on a stream line by line. A stream that breaks is a stream that ends. */
async function follow(stream: Readable, name: 'stdout' | 'stderr', request: ProcessRequest): Promise<void> {
  let rest = '';
  let isWithinLongLine = false;
  const handOn = (line: string): void => {
    if (!isWithinLongLine) request.onLine(name, line);
    isWithinLongLine = false;
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) handOn(line);
    if (rest.length <= LONGEST_LINE) return;
    handOn(rest);
    rest = '';
    isWithinLongLine = true;
  });
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.once('error', () => resolve());
  });
  if (rest !== '') handOn(rest);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (thrown) {
    // ESRCH: the group is gone already. EPERM: so does macOS answer for one of which only zombies are left.
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw thrown;
  }
}
