import type { Arrival } from './schedule.js';
import type { SelfWatch } from './self-watch.js';

/**
 * Node's timers keep whole milliseconds and fire up to one late. So they end a wait one early, and the last part of it,
 * below two, is spent turning the event loop, which reads answers meanwhile.
 */
const TIMER_ERROR_MS = 1;
const SHORTEST_TIMER_MS = 1;
/** Turns of the event loop that were shorter than this, and in which no call ended, found nothing to do. */
const IDLE_TURN_MS = 0.1;

/** Sets off arrivals at their times, to a fraction of a millisecond, and never waits for what they do. */
export class Timeline {
  #next = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #turnedAt: number | undefined;
  #endedBefore = 0;

  constructor(
    private readonly arrivals: readonly Arrival[],
    private readonly durationMs: number,
    private readonly watch: SelfWatch,
    private readonly begin: (arrival: Arrival, dueAt: number) => void,
  ) {}

  /** Until the duration is over or the signal is aborted. */
  async run(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    this.#startedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(this.#timer);
        clearImmediate(this.#turn);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const step = (): void => {
        try {
          if (this.#step(step)) return;
          signal?.removeEventListener('abort', onAbort);
          resolve();
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      };
      step();
    });
  }

  /** Begins what is due. False once the time is over. */
  #step(again: () => void): boolean {
    const now = performance.now();
    const idle = this.#turnedAt === undefined ? Infinity : now - this.#turnedAt;
    if (idle < IDLE_TURN_MS && this.watch.endedCalls === this.#endedBefore) this.watch.spun(idle);
    this.#turnedAt = undefined;
    this.#beginDue(now);
    const next = this.arrivals[this.#next];
    const dueAt = this.#startedAt + (next?.atMs ?? this.durationMs);
    const wait = dueAt - performance.now();
    if (next === undefined && wait <= 0) return false;
    const timer = Math.floor(wait - TIMER_ERROR_MS);
    if (timer >= SHORTEST_TIMER_MS) {
      this.#timer = setTimeout(again, timer);
    } else {
      this.#turn = setImmediate(again);
      this.#turnedAt = performance.now();
      this.#endedBefore = this.watch.endedCalls;
    }
    return true;
  }

  #beginDue(now: number): void {
    const first = this.#next;
    for (;;) {
      const arrival = this.arrivals[this.#next];
      if (arrival === undefined || this.#startedAt + arrival.atMs > now) break;
      this.#next += 1;
      this.begin(arrival, this.#startedAt + arrival.atMs);
    }
    this.watch.backlog(this.#next - first);
  }
}
