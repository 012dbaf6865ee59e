import type { Clock } from '../ports.js';
import { milliseconds, type Milliseconds } from '../units.js';

const MINUTE_MS = 60_000;
/** Of the limit, what the gate takes for itself: other callers share the bucket. */
const SHARE = 0.9;
/** Below this share of the limit everything may be sent at once. */
const BURST_SHARE = 0.8;

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
    if (perMinute <= 0 || calls <= perMinute * BURST_SHARE) return undefined;
    return new Pace(clock, milliseconds(MINUTE_MS / (perMinute * SHARE)));
  }

  /** Waits for the next place. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonic();
    const at = Math.max(now, this.#next);
    this.#next = at + this.spacing;
    await this.clock.sleep(milliseconds(at - now), signal);
  }
}
