import type { Batch } from './mix.js';

export interface CallSender {
  /** Sends the batch's call at this position; `ended` is to be told when it has ended. */
  send(index: number, intendedAt: number, ended: (at: number) => void): void;
  /** A call has ended, and what waited for it has been sent. */
  ended(): void;
}

/**
 * Carries out one batch: calls that wait for nothing are due at the arrival, each other one at the end of the last call
 * that it waits for. All times in milliseconds on the monotonic clock.
 */
export function runBatch({ calls }: Batch, dueAt: number, sender: CallSender): void {
  const waits = calls.map(({ waitsFor }) => waitsFor.length);
  const start = (index: number, intendedAt: number): void =>
    sender.send(index, intendedAt, (at) => ended(index, at));
  const ended = (index: number, at: number): void => {
    for (const [next, { waitsFor }] of calls.entries()) {
      if (!waitsFor.includes(index)) continue;
      const left = (waits[next] ?? 0) - 1;
      waits[next] = left;
      if (left === 0) start(next, at);
    }
    sender.ended();
  };
  for (const [index, { waitsFor }] of calls.entries()) if (waitsFor.length === 0) start(index, dueAt);
}
