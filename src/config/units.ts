import { ratio, seconds, type Ratio, type Seconds } from '../units.js';

/** A text that is no quantity, or one of another kind; the message says what would be right. */
export class QuantityError extends Error {}

const SECONDS_PER: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a duration as people and Go write it: `90s`, `2m`, `1h30m`, `500ms`.
 * @throws QuantityError for anything else, also for a bare number: its unit would be a guess.
 */
export function parseDuration(text: string): Seconds {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    throw new QuantityError(`"${text}" is no duration; write it with a unit, like "90s", "2m" or "1h30m"`);
  }
  let total = 0;
  for (const [, amount = '', symbol = ''] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    // "9ms" is the number nearest to 0.009, as a measurement of 9 / 1000 is; 9 * 0.001 is another.
    total += symbol === 'ms' ? Number(`${amount}e-3`) : Number(amount) * (SECONDS_PER[symbol] ?? Number.NaN);
  }
  if (!Number.isFinite(total)) throw new QuantityError(`"${text.slice(0, 20)}…" is too long a duration`);
  return seconds(total);
}

/**
 * Reads a share: `99%`, `0.99`.
 * @throws QuantityError for anything outside 0 to 100 %.
 */
export function parseRatio(value: string | number): Ratio {
  const text = String(value).trim();
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
  const plain = /^\d+(\.\d+)?$/.exec(text);
  // Not divided by 100: 99.9 / 100 is above 999 / 1000.
  const share = percent ? Number(`${percent[1]}e-2`) : plain ? Number(text) : Number.NaN;
  if (Number.isNaN(share) || share > 1) {
    throw new QuantityError(`"${text}" is no share; write "99%" or 0.99`);
  }
  return ratio(share);
}

/** Decimal units, as networks count; `KiB` and its like count in 1024s. */
const BYTES_PER: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/**
 * Reads a rate of bytes: `40KB/s`, `1.5MiB/s`, in bytes a second.
 * @throws QuantityError for anything else, also for bits: `Mb/s` is too easily taken for the other.
 */
export function parseByteRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(B|[KMG]i?B)\/s$/.exec(text.trim().replace(/^([\d.]+)k/, '$1K'));
  const factor = BYTES_PER[match?.[2] ?? ''];
  if (match === null || factor === undefined) {
    throw new QuantityError(`"${text}" is no rate of bytes; write it like "40KB/s" or "2MB/s"`);
  }
  const rate = Number(match[1]) * factor;
  if (!Number.isFinite(rate)) throw new QuantityError(`"${text.slice(0, 20)}…" is too large a rate`);
  return rate;
}

/** Writes a duration as Go's flag parser reads it: `45m`, `1h30m`, `90s`, never with days (older CLIs refuse them). */
export function formatDuration(duration: Seconds): string {
  // Never down to 0, which the CLI takes for "no limit".
  const whole = Math.ceil(duration * 1000 - 1e-6) / 1000;
  const hours = Math.floor(whole / 3600);
  const mins = Math.floor((whole % 3600) / 60);
  const rest = Math.round((whole % 60) * 1000) / 1000;
  const parts = [hours > 0 ? `${hours}h` : '', mins > 0 ? `${mins}m` : '', rest > 0 ? `${rest}s` : ''];
  const text = parts.join('');
  return text === '' ? '0s' : text;
}
