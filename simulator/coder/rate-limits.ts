import type { IncomingMessage } from 'node:http';
import type { Answer } from './answers.js';
import { now } from './clock.js';
import type { Caller } from './calls.js';
import type { Deployment } from './deployment.js';
import { ApiError } from './answers.js';

const WINDOW = 60_000;
const BYPASS_HEADER = 'x-coder-bypass-ratelimit';
/** Go's strconv.ParseBool. */
const TRUE_TEXTS = ['1', 't', 'T', 'TRUE', 'true', 'True'];

interface Counter {
  window: number;
  current: number;
  previous: number;
}

/** A sliding window aligned to the clock minute; refused requests do not count. */
export class RateLimiter {
  readonly #counters = new Map<string, Counter>();

  /** Headers when the request may pass, an error when not. */
  count(key: string, limit: number): Record<string, string> | ApiError {
    const time = now();
    const window = Math.floor(time / WINDOW);
    const counter = this.#counterOf(key, window);
    const elapsed = (time - window * WINDOW) / WINDOW;
    const rate = Math.round(counter.previous * (1 - elapsed) + counter.current);
    const headers = (remaining: number): Record<string, string> => ({
      'X-Ratelimit-Limit': String(limit),
      'X-Ratelimit-Remaining': String(remaining),
      'X-Ratelimit-Reset': String(((window + 1) * WINDOW) / 1000),
    });
    if (rate + 1 > limit) {
      const message = `You've been rate limited for sending more than ${limit} requests in 1m0s.`;
      return new ApiError(429, message, '', [], { ...headers(0), 'Retry-After': '60' });
    }
    counter.current += 1;
    return headers(limit - rate - 1);
  }

  #counterOf(key: string, window: number): Counter {
    const known = this.#counters.get(key) ?? { window, current: 0, previous: 0 };
    if (known.window !== window) {
      known.previous = known.window === window - 1 ? known.current : 0;
      known.current = 0;
      known.window = window;
    }
    this.#counters.set(key, known);
    return known;
  }
}

export interface LimitedRequest {
  deployment: Deployment;
  request: IncomingMessage;
  path: string;
  /** Null when no valid token was sent. */
  caller: Caller | null;
}

/** Which bucket a request falls into: per address and path up to v2.31, per user and path since v2.32. */
function bucket({ deployment, request, path, caller }: LimitedRequest): string | Answer | null {
  const address = `${request.socket.remoteAddress ?? ''}:${path}`;
  if (!deployment.traits.limitsPerUser || caller === null) return address;
  const header = request.headers[BYPASS_HEADER];
  const wantsBypass = typeof header === 'string' && TRUE_TEXTS.includes(header);
  if (!wantsBypass) return `${caller.user.id}:${path}`;
  if (deployment.isOwner(caller.user)) return null;
  return {
    status: 428,
    text: '"X-Coder-Bypass-Ratelimit" provided but user is not owner\n',
    contentType: 'text/plain; charset=utf-8',
  };
}

/** Applies one limiter; the answer is what to refuse with. */
export function applyLimit(
  limiter: RateLimiter,
  limit: number,
  limited: LimitedRequest,
): { headers: Record<string, string> } | { refused: Answer } {
  if (limited.deployment.limitsAreOff && limited.deployment.options.disableRateLimits) return { headers: {} };
  if (limit <= 0) return { headers: {} };
  const key = bucket(limited);
  if (key !== null && typeof key === 'object') return { refused: key };
  // An owner's bypass is a fresh key for each request: the headers then always show a first request.
  const counted = key === null ? new RateLimiter().count('owner', limit) : limiter.count(key, limit);
  return counted instanceof ApiError ? { refused: counted.answer() } : { headers: counted };
}
