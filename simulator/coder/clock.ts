/** Times as Go writes them. Inside the simulator a time is a number: milliseconds since 1970 with a fraction. */

export function now(): number {
  return performance.timeOrigin + performance.now();
}

export const ZERO_TIME = '0001-01-01T00:00:00Z';
export const EPOCH_TIME = '1970-01-01T00:00:00Z';

/** RFC 3339 with microseconds and no trailing zeros, as PostgreSQL times come out of Go. */
export function rfc3339(time: number): string {
  const micros = Math.round(time * 1000);
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = String(micros - seconds * 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}
