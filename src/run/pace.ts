import { pacedRate } from '../plan/pace.js';
import type { Clock } from '../ports.js';
import { milliseconds, type Milliseconds } from '../units.js';

/**
 * Spreads out calls that share one bucket of Coder's rate limiter. Its window slides by whole clock minutes and weighs the
 * last one as if it had been even, so only an even pace never runs into it.
 */
export class Pace {
  #next = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly spacing: Milliseconds,
  ) {}

  /** A pace for so many calls; undefined when they fit into the limit as they come. */
  static under(perMinute: number, calls: number, clock: Clock): Pace | undefined {
    const rate = pacedRate(perMinute, calls);
    return rate === undefined ? undefined : new Pace(clock, milliseconds(1000 / rate));
  }

  /** Waits for the next place. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonic();
    const at = Math.max(now, this.#next);
    this.#next = at + this.spacing;
    await this.clock.sleep(milliseconds(at - now), signal);
  }
}
