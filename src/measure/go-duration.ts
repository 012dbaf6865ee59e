import { seconds, type Seconds } from '../units.js';

/** Powers of ten of a second; "673.833µs" is the number nearest to 0.000673833, which a product with 1e-6 is not. */
const EXPONENTS: Readonly<Record<string, number>> = {
  ns: -9,
  us: -6,
  // Both signs that stand for micro.
  '\u00b5s': -6,
  '\u03bcs': -6,
  ms: -3,
  s: 0,
};
const SECONDS_PER: Readonly<Record<string, number>> = { m: 60, h: 3600 };
const PARTS = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** Reads what Go's time.Duration writes: `673.833µs`, `1m30.5s`, `0s`; undefined for any other text. */
export function parseGoDuration(text: string): Seconds | undefined {
  if (text === '' || text.replace(PARTS, '') !== '') return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(PARTS))
    total += Number(`${amount}e${EXPONENTS[unit] ?? 0}`) * (SECONDS_PER[unit] ?? 1);
  return seconds(total);
}
