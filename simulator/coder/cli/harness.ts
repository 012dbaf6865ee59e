import { asGoError } from './go-errors.js';
import { instantNow } from './go-format.js';
import type { Results, RunResult } from './results.js';

export interface Run {
  /** Where it is not the one of the whole suite. */
  testName?: string;
  id: string;
  /** The lines the run has written so far. */
  logs: string[];
  execute: (signal: AbortSignal) => Promise<void>;
  /** What it transferred, once it has ended. */
  bytes?: () => { read: number; written: number };
  /** What else it measured. */
  metrics?: () => Record<string, unknown> | null;
}

export interface Limits {
  /** 1 is one after the other, 0 everything at once. */
  concurrency: number;
  /** Milliseconds; 0 is none. */
  timeout: number;
  jobTimeout: number;
}

/** A signal that fires after a time, also when the outer one fires; `stop` forgets the timer. */
function deadline(milliseconds: number, outer?: AbortSignal): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = milliseconds > 0 ? setTimeout(abort, milliseconds) : undefined;
  if (outer?.aborted === true) abort();
  outer?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    stop: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

/** Go starts the goroutine that was made last first, then the others in order. */
function startOrder(runs: Run[], concurrency: number): Run[] {
  const last = runs.at(-1);
  if (concurrency === 1 || last === undefined) return [...runs];
  return [last, ...runs.slice(0, -1)];
}

/** Works through all runs, at most `concurrency` at once. Even with a dead signal every run is executed. */
export async function inParallel(
  runs: Run[],
  limits: Limits,
  each: (run: Run, signal: AbortSignal) => Promise<void>,
  outer?: AbortSignal,
): Promise<void> {
  const overall = deadline(limits.timeout, outer);
  const waiting = startOrder(runs, limits.concurrency);
  const worker = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      const own = deadline(limits.jobTimeout, overall.signal);
      await each(run, own.signal);
      own.stop();
    }
  };
  const workers = limits.concurrency === 0 ? runs.length : Math.min(limits.concurrency, runs.length);
  await Promise.all(Array.from({ length: workers }, worker));
  overall.stop();
}

export async function runHarness(
  testName: string,
  runs: Run[],
  limits: Limits,
  outer?: AbortSignal,
): Promise<Results> {
  const begin = process.hrtime.bigint();
  const results: RunResult[] = [];
  await inParallel(
    runs,
    limits,
    async (run, signal) => {
      const startedAt = instantNow();
      const started = process.hrtime.bigint();
      let error: string | null = null;
      let shortError = '';
      try {
        await run.execute(signal);
      } catch (thrown) {
        const goError = asGoError(thrown);
        error = goError.long();
        shortError = goError.short();
      }
      const nanoseconds = process.hrtime.bigint() - started;
      results.push({
        testName: run.testName ?? testName,
        id: run.id,
        logs: run.logs.join(''),
        startedAt,
        nanoseconds,
        error,
        shortError,
        ...(run.bytes && { bytes: run.bytes() }),
        ...(run.metrics && { metrics: run.metrics() }),
      });
    },
    outer,
  );
  return { runs: results, nanoseconds: process.hrtime.bigint() - begin };
}
