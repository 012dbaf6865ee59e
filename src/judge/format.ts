import type { QuantityKind } from '../config/expectation.js';

/** A number as people read it: `1 m 34 s`, `845 ms`, `99.3 %`, `1,000`. */
export function formatQuantity(value: number, unit: QuantityKind): string {
  switch (unit) {
    case 'seconds':
      return formatSeconds(value);
    case 'ratio':
      return `${trimmed(value * 100, 2)} %`;
    case 'count':
      return Number.isFinite(value)
        ? value.toLocaleString('en-US', { maximumFractionDigits: 2 })
        : 'unlimited';
    case 'bytes_per_second':
      return formatRate(value);
  }
}

/** A value of which only the bucket is known: `100 ms to 250 ms`, `above 10 s`. */
export function formatBucket(
  { above, upTo }: { readonly above: number; readonly upTo?: number },
  unit: QuantityKind,
): string {
  if (upTo === undefined) return `above ${formatQuantity(above, unit)}`;
  return above === 0
    ? `at most ${formatQuantity(upTo, unit)}`
    : `${formatQuantity(above, unit)} to ${formatQuantity(upTo, unit)}`;
}

/** Decimal units, as in the config. */
function formatRate(value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  const [factor, unit] = RATE_UNITS.find(([least]) => value >= least) ?? [1, 'B/s'];
  return `${trimmed(value / factor, 1)} ${unit}`;
}

const RATE_UNITS = [
  [1e9, 'GB/s'],
  [1e6, 'MB/s'],
  [1e3, 'KB/s'],
] as const;

function formatSeconds(value: number): string {
  if (!Number.isFinite(value)) return 'never';
  if (value === 0) return '0 s';
  if (value < 1) return `${trimmed(value * 1000, 0)} ms`;
  if (value < 60) return `${trimmed(value, value < 10 ? 2 : 1)} s`;
  const whole = Math.round(value);
  const hours = Math.floor(whole / 3600);
  const mins = Math.floor((whole % 3600) / 60);
  const secs = whole % 60;
  return [hours > 0 ? `${hours} h` : '', mins > 0 ? `${mins} m` : '', secs > 0 ? `${secs} s` : '']
    .filter((part) => part !== '')
    .join(' ');
}

/** Never rounds a share below one up to it, nor one above zero down: 99.996 % is not 100 %. */
function trimmed(value: number, digits: number): string {
  const factor = 10 ** digits;
  const rounded = Math.round(value * factor) / factor;
  if (digits > 0 && value < 100 && rounded >= 100) return String(Math.floor(value * factor) / factor);
  return String(digits > 0 && value > 0 && rounded === 0 ? 1 / factor : rounded);
}
