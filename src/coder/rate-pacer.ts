import { milliseconds, type Milliseconds } from '../units.js';

const WINDOW_MS = 60_000;
/** Below this share of the limit, calls are spread out instead of running into a 429 that costs a minute. */
const LOW_SHARE = 0.1;

interface Bucket {
  /** The earliest time of the next call. */
  readonly nextAt: number;
  readonly spacing: number;
}

/**
 * Spreads out the calls to a path whose budget runs low. Coder counts per path in a sliding window of a minute
 * (coderd/httpmw/ratelimit.go): once it is nearly spent, it refills evenly, at limit calls a minute.
 */
export class RatePacer {
  readonly #buckets = new Map<string, Bucket>();

  /** How long the next call to a path has to wait, and takes its place in the order. */
  delay(path: string, now: Milliseconds): Milliseconds {
    const bucket = this.#buckets.get(path);
    if (bucket === undefined) return milliseconds(0);
    const at = Math.max(now, bucket.nextAt);
    this.#buckets.set(path, { ...bucket, nextAt: at + bucket.spacing });
    return milliseconds(at - now);
  }

  /** Learns from an answer's rate-limit headers; without them the limiter is off. */
  observe(path: string, headers: { get(name: string): string | null }, now: Milliseconds): void {
    const limit = Number(headers.get('x-ratelimit-limit') ?? Number.NaN);
    const remaining = Number(headers.get('x-ratelimit-remaining') ?? Number.NaN);
    if (!(limit > 0) || !(remaining >= 0) || remaining > limit * LOW_SHARE) {
      this.#buckets.delete(path);
      return;
    }
    const spacing = WINDOW_MS / limit;
    const known = this.#buckets.get(path);
    this.#buckets.set(path, { spacing, nextAt: Math.max(known?.nextAt ?? 0, now + spacing) });
  }
}
