import type { KnownMetric } from './metric-names.js';
import type { Criterion, Phase } from './plan-types.js';

/** What a suite adds to a plan. */
export interface SuitePlan {
  readonly phase: Phase;
  /** What is judged unless the config says otherwise. */
  readonly criteria: readonly Criterion[];
  /** Every metric that it yields. */
  readonly metrics: readonly KnownMetric[];
}
