import type { Operator } from '../config/expectation.js';

/** Whether a value meets an expectation. What never happened is not "more than" anything. */
export function holds(value: number, operator: Operator, threshold: number): boolean {
  switch (operator) {
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '>':
      return Number.isFinite(value) && value > threshold;
    case '>=':
      return Number.isFinite(value) && value >= threshold;
    case '==':
      return value === threshold;
  }
}

/** Whether the expectation limits from above, so that the upper bound of a quantile decides. */
export const isUpperLimit = (operator: Operator): boolean =>
  operator === '<' || operator === '<=' || operator === '==';
