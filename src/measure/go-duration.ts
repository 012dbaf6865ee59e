import { seconds, type Seconds } from '../units.js';

const SECONDS_PER: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  // Both signs that stand for micro.
  '\u00b5s': 1e-6,
  '\u03bcs': 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};
const PARTS = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** Reads what Go's time.Duration writes: `673.833µs`, `1m30.5s`, `0s`; undefined for any other text. */
export function parseGoDuration(text: string): Seconds | undefined {
  if (text === '' || text.replace(PARTS, '') !== '') return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(PARTS))
    total += Number(amount) * (SECONDS_PER[unit] ?? Number.NaN);
  return seconds(total);
}
