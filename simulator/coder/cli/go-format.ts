/** Go's own ways to write and read durations and times. */

function withFraction(nanoseconds: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(nanoseconds % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(nanoseconds / unit) : `${nanoseconds / unit}.${fraction}`;
}

/** time.Duration's String: `1h2m3.5s`, `673.833µs`. */
export function goDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  if (nanoseconds < 1000n) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return `${withFraction(nanoseconds, 1000n)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${withFraction(nanoseconds, 1_000_000n)}ms`;
  const hours = nanoseconds / 3_600_000_000_000n;
  const minutes = (nanoseconds / 60_000_000_000n) % 60n;
  const seconds = withFraction(nanoseconds % 60_000_000_000n, 1_000_000_000n);
  if (hours > 0n) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0n ? `${minutes}m${seconds}s` : `${seconds}s`;
}

const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds, or null when it is no duration. Days and weeks came with v2.29. */
export function parseGoDuration(text: string, withDays: boolean): number | null {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const part = withDays
    ? /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/g
    : /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
  if (body === '' || body.replace(part, '') !== '') return null;
  let sum = 0;
  for (const [, number = '', unit = ''] of body.matchAll(part)) sum += Number(number) * (UNIT_MS[unit] ?? 0);
  return text.startsWith('-') ? -sum : sum;
}

/** The wall clock with nanoseconds. */
export interface Instant {
  /** Nanoseconds since 1970. */
  nanoseconds: bigint;
}

const wallAtStart = BigInt(Date.now()) * 1_000_000n;
const monotonicAtStart = process.hrtime.bigint();

export function instantNow(): Instant {
  return { nanoseconds: wallAtStart + (process.hrtime.bigint() - monotonicAtStart) };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function localParts(milliseconds: number): { date: string; clock: string; zone: string } {
  const date = new Date(milliseconds);
  const offset = -date.getTimezoneOffset();
  const absolute = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
  return {
    date: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    clock: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    zone: offset === 0 ? 'Z' : zone,
  };
}

/** RFC 3339 with nanoseconds, in the zone of the machine. */
export function rfc3339Nano({ nanoseconds }: Instant): string {
  const { date, clock, zone } = localParts(Number(nanoseconds / 1_000_000n));
  const fraction = String(nanoseconds % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${date}T${clock}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

/** As the CLI's logger writes times. */
export function logTime({ nanoseconds }: Instant): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  const { date, clock } = localParts(milliseconds);
  return `${date} ${clock}.${String(milliseconds % 1000).padStart(3, '0')}`;
}
