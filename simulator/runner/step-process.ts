import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Readable } from 'node:stream';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

/** A signal on the way: after a time, or as soon as a raw line of the log matches. */
export interface ScheduledSignal {
  signal: StopSignal;
  afterMs?: number;
  whenLogMatches?: RegExp;
}

/** How long the runner waits before it gets rougher: from SIGINT to SIGTERM, from SIGTERM to SIGKILL. */
export interface CancelPath {
  sigtermAfterMs: number;
  sigkillAfterMs: number;
}

export const runnerCancelPath: CancelPath = { sigtermAfterMs: 7_500, sigkillAfterMs: 2_500 };

/** The runner reads on for so long when somebody else still holds the step's output open. */
const openStreamsGraceMs = 5_000;

export interface StepProcessOptions {
  nodePath: string;
  script: string;
  workspace: string;
  environment: Record<string, string>;
  signals: ScheduledSignal[];
  cancelPath: CancelPath;
  timeoutMs?: number;
  /** The step gets a process group of its own, which no Ctrl-C reaches. */
  ownGroup: boolean;
  /** Takes the cancel path when it is aborted. */
  cancel?: AbortSignal;
  onProcess?(pid: number | undefined): void;
  onLine(line: string, stream: 'stdout' | 'stderr'): void;
}

export interface StepProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** What was sent to the process, and when (from its start). */
  signalsSent: { signal: StopSignal; atMs: number }[];
  timedOut: boolean;
  /** Another process still held stdout or stderr open when the step had ended. */
  streamsLeftOpen: boolean;
  durationMs: number;
}

/** Runs one script with node; signals go to the node process only, as with the real runner. */
export async function runStepProcess(options: StepProcessOptions): Promise<StepProcessEnd> {
  const started = performance.now();
  const child = spawn(options.nodePath, [options.script], {
    cwd: options.workspace,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.ownGroup,
  });
  options.onProcess?.(child.pid);
  const stopper = new Stopper(child, options.cancelPath, started);
  const readers = [
    readLines(child.stdout, (line) => {
      stopper.lookAt(line);
      options.onLine(line, 'stdout');
    }),
    readLines(child.stderr, (line) => {
      stopper.lookAt(line);
      options.onLine(line, 'stderr');
    }),
  ];
  stopper.schedule(options.signals, options.timeoutMs);
  const onCancel = (): void => {
    stopper.cancel();
  };
  if (options.cancel?.aborted === true) onCancel();
  options.cancel?.addEventListener('abort', onCancel, { once: true });
  try {
    const { exitCode, signal } = await exitOf(child);
    const durationMs = performance.now() - started;
    stopper.clear();
    const streamsLeftOpen = !(await endsWithin(Promise.all(readers), openStreamsGraceMs));
    return {
      exitCode,
      signal,
      signalsSent: stopper.sent,
      timedOut: stopper.timedOut,
      streamsLeftOpen,
      durationMs,
    };
  } finally {
    options.cancel?.removeEventListener('abort', onCancel);
    stopper.clear();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

class Stopper {
  readonly sent: { signal: StopSignal; atMs: number }[] = [];
  timedOut = false;
  readonly #timers: NodeJS.Timeout[] = [];
  #waitingForLog: { signal: StopSignal; pattern: RegExp; afterMs: number }[] = [];

  constructor(
    private readonly child: ChildProcess,
    private readonly cancelPath: CancelPath,
    private readonly started: number,
  ) {}

  schedule(signals: ScheduledSignal[], timeoutMs: number | undefined): void {
    for (const { signal, afterMs = 0, whenLogMatches } of signals) {
      if (whenLogMatches) this.#waitingForLog.push({ signal, pattern: whenLogMatches, afterMs });
      else this.#after(afterMs, () => this.#send(signal));
    }
    if (timeoutMs !== undefined) {
      this.#after(timeoutMs, () => {
        this.timedOut = true;
        this.#send('SIGINT');
      });
    }
  }

  cancel(): void {
    this.#send('SIGINT');
  }

  lookAt(line: string): void {
    const due = this.#waitingForLog.filter(({ pattern }) => line.search(pattern) >= 0);
    this.#waitingForLog = this.#waitingForLog.filter((waiting) => !due.includes(waiting));
    for (const { signal, afterMs } of due) {
      if (afterMs > 0) this.#after(afterMs, () => this.#send(signal));
      else this.#send(signal);
    }
  }

  clear(): void {
    this.#waitingForLog = [];
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Each signal brings the next rougher one after it, until the process is gone. */
  #send(signal: StopSignal): void {
    if (!this.child.kill(signal)) return;
    this.sent.push({ signal, atMs: performance.now() - this.started });
    if (signal === 'SIGINT') this.#after(this.cancelPath.sigtermAfterMs, () => this.#send('SIGTERM'));
    if (signal === 'SIGTERM') this.#after(this.cancelPath.sigkillAfterMs, () => this.#send('SIGKILL'));
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }
}

function exitOf(child: ChildProcess): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
}

function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const reader = createInterface({ input: stream, crlfDelay: Infinity });
  reader.on('line', onLine);
  return new Promise((resolve) => {
    reader.once('close', resolve);
  });
}

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}
