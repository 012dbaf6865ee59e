import { estimateProportion } from '../src/judge/proportion.js';
import { estimateQuantile } from '../src/judge/quantile.js';
import { ascending, peakOverlap } from '../src/measure/metric.js';
import { median } from './reading.js';

const N = 1_000_000;
const ROUNDS = 9;
const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999];

/** How long the decisions take for a million samples, and what has to be done before them. */
export function benchStatistics(): Promise<readonly string[]> {
  // A fixed shuffle: multiplication by a number that shares no divisor with N.
  const values = Array.from({ length: N }, (_, index) => ((index * 7_368_787) % N) / 1000);
  const samples = ascending(values);
  const failed = N / 100;
  const intervals = values.map((from) => ({ from, to: from + 45 }));
  const rows: readonly (readonly [string, () => unknown])[] = [
    ...QUANTILES.map(
      (q) => [`P${q * 100} with its bounds`, () => estimateQuantile({ samples, failed }, q)] as const,
    ),
    ['a success rate with its interval', () => estimateProportion(N - failed, N)],
    ['putting the samples in order', () => ascending(values)],
    ['most at one moment', () => peakOverlap(intervals)],
  ];
  return Promise.resolve([
    `Statistics of ${N} samples, ${ROUNDS} rounds; min, median, max in ms:`,
    ...rows.map(([name, work]) => `  ${name}: ${timesOf(work)}`),
  ]);
}

function timesOf(work: () => unknown): string {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return [Math.min(...times), median(times), Math.max(...times)].map((time) => time.toFixed(2)).join(', ');
}
