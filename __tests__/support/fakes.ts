import { setTimeout as pause } from 'node:timers/promises';
import type { Clock, Log } from '../../src/ports.js';
import { milliseconds } from '../../src/units.js';

/** A clock that jumps instead of waiting, and notes every pause. */
export class JumpingClock implements Clock {
  readonly pauses: number[] = [];
  #elapsed = 0;

  constructor(private readonly start = new Date('2026-01-05T06:00:00Z')) {}

  now(): Date {
    return new Date(this.start.getTime() + this.#elapsed);
  }

  monotonic() {
    return milliseconds(this.#elapsed);
  }

  async sleep(duration: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (duration <= 0) return;
    this.pauses.push(duration);
    this.#elapsed += duration;
    // Lets the rest of the world go on.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}

/** A real clock whose pauses are so many times shorter. */
export function hurriedClock(factor: number): Clock {
  return {
    now: () => new Date(),
    monotonic: () => milliseconds(performance.now()),
    sleep: async (duration, signal) => {
      signal?.throwIfAborted();
      if (duration > 0)
        await pause(duration / factor, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
      signal?.throwIfAborted();
    },
  };
}

/** Keeps what was logged. */
export class KeptLog implements Log {
  readonly lines: string[] = [];
  readonly masked: string[] = [];

  info(message: string): void {
    this.lines.push(message);
  }
  debug(message: string): void {
    this.lines.push(message);
  }
  notice(message: string): void {
    this.lines.push(message);
  }
  warning(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
  async group<T>(_title: string, body: () => Promise<T>): Promise<T> {
    return body();
  }
  mask(secret: string): void {
    this.masked.push(secret);
  }
}

export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}
