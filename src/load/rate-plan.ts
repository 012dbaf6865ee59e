import { OWN_PLACEHOLDERS, placeholdersOf } from './mix.js';
import type { Schedule } from './schedule.js';

/**
 * Whether a schedule stays below Coder's API rate limit, before anything is sent. The limiter counts per path without
 * its query, in minutes of the clock, and takes `round(previous × rest of the minute + current) + 1 > limit` as too many
 * (go-chi/httprate). Up to v2.31 all users of one address share a bucket, since v2.32 each user has its own (coder/coder
 * PR 22049).
 */

const MINUTE_MS = 60_000;
/** When in the clock's minute the load will begin is not known: so many beginnings are tried. */
const OFFSETS = 12;
/** After a stall, dependent calls come together: room for that, and for other calls from the same address. */
const USABLE_SHARE = 0.9;

export interface RateLimit {
  /** Calls a minute; 0 or less: the limiter is off. */
  readonly perMinute: number;
  /** Since v2.32; before it per address. */
  readonly perUser: boolean;
  /** What else is sent in the same time from the same address or by the same user, by path: calls a minute. */
  readonly others?: Readonly<Record<string, number>>;
}

export interface PathRate {
  /** With placeholders for what differs from user to user. */
  readonly path: string;
  /** The most that the limiter would count in one bucket. */
  readonly peakPerMinute: number;
}

export interface RatePlan {
  /** The busiest first. */
  readonly paths: readonly PathRate[];
  /** The arithmetic, when the plan would measure the limiter instead of the server. */
  readonly refusal?: string;
}

export function planRates(schedule: Schedule, limit: RateLimit): RatePlan {
  const others = limit.others ?? {};
  const peaks = new Map<string, number>(Object.entries(others));
  for (const { path, times } of bucketsOf(schedule, limit.perUser)) {
    const peak = limiterPeak(times) + (others[path] ?? 0);
    peaks.set(path, Math.max(peak, peaks.get(path) ?? 0));
  }
  const paths = [...peaks]
    .map(([path, peakPerMinute]) => ({ path, peakPerMinute }))
    .sort((left, right) => right.peakPerMinute - left.peakPerMinute);
  const [busiest] = paths;
  const isTooMuch =
    limit.perMinute > 0 && busiest !== undefined && busiest.peakPerMinute > limit.perMinute * USABLE_SHARE;
  return { paths, ...(isTooMuch && { refusal: refusal(schedule, limit, busiest) }) };
}

interface Bucket {
  readonly path: string;
  readonly times: number[];
}

/** Calls that the limiter counts together. A dependent call counts at its batch's time: it comes soon after. */
function bucketsOf({ arrivals, socket }: Schedule, perUser: boolean): Iterable<Bucket> {
  const buckets = new Map<string, Bucket>();
  const count = (user: number | undefined, atMs: number, address: string): void => {
    const path = limitedPath(address);
    if (path === undefined) return;
    const isOwn = perUser || placeholdersOf(path).some((name) => OWN_PLACEHOLDERS.includes(name));
    const key = isOwn ? `${user ?? ''}\n${path}` : path;
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, { path, times: [atMs] });
    else bucket.times.push(atMs);
  };
  const seen = new Set<number>();
  for (const { atMs, user, batch } of arrivals) {
    for (const { path } of batch.calls) count(user, atMs, path);
    if (user === undefined || socket === undefined || seen.has(user)) continue;
    // A WebSocket counts once, when it is opened: with the user's first visit.
    seen.add(user);
    count(user, atMs, socket);
  }
  return buckets.values();
}

/** HTML and latency-check are not limited (reference of the API, section 1.5). */
function limitedPath(address: string): string | undefined {
  return address.startsWith('/api/') ? address.split('?')[0] : undefined;
}

/** The most that the limiter counts just before it would let one more pass. */
function limiterPeak(times: readonly number[]): number {
  let peak = 0;
  for (let offset = 0; offset < OFFSETS; offset += 1) {
    const shift = (offset * MINUTE_MS) / OFFSETS;
    let minute = -1;
    let previous = 0;
    let current = 0;
    for (const time of times) {
      const now = time + shift;
      const own = Math.floor(now / MINUTE_MS);
      if (own !== minute) {
        previous = own === minute + 1 ? current : 0;
        current = 0;
        minute = own;
      }
      const elapsed = now / MINUTE_MS - own;
      peak = Math.max(peak, Math.round(previous * (1 - elapsed) + current) + 1);
      current += 1;
    }
  }
  return peak;
}

function refusal(schedule: Schedule, limit: RateLimit, { path, peakPerMinute }: PathRate): string {
  const { users } = schedule;
  const bucket = limit.perUser
    ? 'user and path'
    : 'address and path (all users of one runner share it up to v2.31)';
  const usable = Math.floor(limit.perMinute * USABLE_SHARE);
  const others = limit.others?.[path] ?? 0;
  const own = peakPerMinute - others;
  const fitting = Math.floor((users * Math.max(0, usable - others)) / own);
  const isProbe = schedule.version === 'api_probe';
  const sender = isProbe ? 'the probe' : limit.perUser ? 'one user' : `${users} users`;
  const sum = others > 0 ? `${own} calls and ${others} of the other suites` : `${own} calls`;
  const remedy = isProbe
    ? 'Lower "rate", or spread it over more routes'
    : limit.perUser
      ? 'Fewer visits are needed'
      : fitting > 0
        ? `At most about ${fitting} users fit`
        : 'Not one user fits';
  return `The plan would measure the rate limiter: ${sender} would send ${sum} to ${path} in the busiest minute, and the deployment takes ${limit.perMinute} a minute per ${bucket}, of which ${usable} can be planned. ${remedy}; or raise CODER_API_RATE_LIMIT on the deployment.`;
}
