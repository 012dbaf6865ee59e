import { regularizedBeta } from './binomial.js';

const TAIL = 0.05;
const BISECTIONS = 60;

/** A share of good events with its two-sided 90 % Clopper-Pearson interval. */
export interface ProportionEstimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The exact interval of Clopper and Pearson (Biometrika 26, 1934): the beta quantiles at 5 % and 95 %.
 * @returns undefined without trials.
 */
export function estimateProportion(good: number, total: number): ProportionEstimate | undefined {
  if (total <= 0) return undefined;
  return {
    value: good / total,
    lower: good === 0 ? 0 : betaQuantile(TAIL, good, total - good + 1),
    upper: good === total ? 1 : betaQuantile(1 - TAIL, good + 1, total - good),
  };
}

function betaQuantile(probability: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (regularizedBeta(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
