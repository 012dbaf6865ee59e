import type { KnownMetric } from './metric-names.js';
import type { Criterion, Phase } from './plan-types.js';

/** What a suite adds to a plan. */
export interface SuitePlan {
  readonly phase: Phase;
  /** What is judged unless the config says otherwise. */
  readonly criteria: readonly Criterion[];
  /** Every metric that it yields, as far as it is known. */
  readonly metrics: readonly KnownMetric[];
  /** Metrics whose names begin so may come with the results: nobody knows them before. */
  readonly laterMetrics?: string;
}
