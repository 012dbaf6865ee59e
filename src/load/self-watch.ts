import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { GeneratorHealth } from './load-types.js';
import { Distribution } from './recorder.js';

/**
 * Half of the strictest usual limit (500 ms). Latencies count from the intended start, so the generator's own delay is
 * in them: what is below the limit in spite of it is below the limit. Beyond this the load was another one than planned.
 */
export const SEND_LAG_P99_LIMIT_MS = 250;
/** Answers are noticed as late as the event loop is. */
export const EVENT_LOOP_LAG_P99_LIMIT_MS = 250;
/** Of one core: there is no room left to send more at the planned times. */
export const CPU_SHARE_LIMIT = 0.9;
/** How often the event loop is looked at. */
const RESOLUTION_MS = 5;
const NS_PER_MS = 1e6;

/** Watches whether the generator keeps up with its own schedule. */
export class SelfWatch {
  readonly #sendLag = new Distribution();
  readonly #connectionWait = new Distribution();
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #startedAt = performance.now();
  #spunMs = 0;
  #largestBacklog = 0;
  #endedCalls = 0;

  start(): void {
    this.#cpu = process.cpuUsage();
    this.#startedAt = performance.now();
    this.#loop.enable();
  }

  stop(): void {
    this.#loop.disable();
  }

  sent(lagMs: number): void {
    this.#sendLag.add(lagMs);
  }

  connected(waitMs: number): void {
    this.#connectionWait.add(waitMs);
  }

  ended(): void {
    this.#endedCalls += 1;
  }

  /** How many calls have ended: when it stands still, no answer was worked on. */
  get endedCalls(): number {
    return this.#endedCalls;
  }

  /** Time spent turning the event loop with nothing to do, which is no work. */
  spun(ms: number): void {
    this.#spunMs += ms;
  }

  backlog(arrivals: number): void {
    this.#largestBacklog = Math.max(this.#largestBacklog, arrivals);
  }

  health(): GeneratorHealth {
    const elapsed = Math.max(1, performance.now() - this.#startedAt);
    const { user, system } = process.cpuUsage(this.#cpu);
    const figures = {
      sendLagP99Ms: orZero(this.#sendLag.quantile(0.99)),
      sendLagMaxMs: orZero(this.#sendLag.max),
      eventLoopLagP99Ms: this.#lag(this.#loop.percentile(99)),
      eventLoopLagMaxMs: this.#lag(this.#loop.max),
      cpuShare: Math.max(0, (user + system) / 1000 - this.#spunMs) / elapsed,
      largestBacklog: this.#largestBacklog,
      connectionWaitP99Ms: orZero(this.#connectionWait.quantile(0.99)),
    };
    const saturated = saturation(figures);
    return { ...figures, ...(saturated !== undefined && { saturated }) };
  }

  /** The histogram holds the times between two looks; what exceeds the resolution is the delay. */
  #lag(nanoseconds: number): number {
    return this.#loop.count === 0 ? 0 : Math.max(0, nanoseconds / NS_PER_MS - RESOLUTION_MS);
  }
}

/** A figure without any sample: nothing was late. */
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

/**
 * Why the generator, not the server, limits what was measured; undefined when it does not. Waits for one of a user's six
 * connections are no reason: a browser waits for them too, and they are part of what the user sees.
 */
export function saturation(health: Omit<GeneratorHealth, 'saturated'>): string | undefined {
  const reasons = [
    health.sendLagP99Ms > SEND_LAG_P99_LIMIT_MS &&
      `1 % of the calls were sent more than ${SEND_LAG_P99_LIMIT_MS} ms after their time (P99 ${health.sendLagP99Ms.toFixed(1)} ms, at most ${health.largestBacklog} arrivals late at once)`,
    health.eventLoopLagP99Ms > EVENT_LOOP_LAG_P99_LIMIT_MS &&
      `its event loop was late by more than ${EVENT_LOOP_LAG_P99_LIMIT_MS} ms for 1 % of the time (P99 ${health.eventLoopLagP99Ms.toFixed(1)} ms)`,
    health.cpuShare > CPU_SHARE_LIMIT &&
      `it used ${Math.round(health.cpuShare * 100)} % of one core, and from ${CPU_SHARE_LIMIT * 100} % on it cannot keep its times`,
  ].filter((reason) => reason !== false);
  return reasons.length === 0 ? undefined : `the load generator was saturated: ${reasons.join('; ')}`;
}
