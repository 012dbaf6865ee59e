import type { ObservedTimings } from '../evidence.js';
import type { EarlyEnd } from '../judge/early-end.js';
import type { Verdict } from '../judge/verdict.js';
import type { CountedCause } from '../measure/failure-cause.js';
import type { LoadSummary } from '../measure/load-summary.js';
import type { Metric } from '../measure/metric.js';
import type { Retries } from '../measure/retries.js';
import type { TimeShare } from '../measure/time-share.js';
import type { Plan } from '../plan/plan-types.js';
import type { Readiness } from '../ready/readiness.js';
import type { Seconds } from '../units.js';
import type { ServerReport } from './server.js';

/** How a step ended, as the report shows it. */
export interface StepReport {
  readonly group: string;
  readonly driver: 'cli' | 'api' | 'load';
  readonly seconds: Seconds;
  readonly exitCode?: number;
  readonly exitSignal?: string;
  readonly endedBy: 'itself' | 'deadline' | 'early' | 'cancel';
  readonly causes: readonly CountedCause[];
}

export interface CleanupReport {
  readonly workspaces: number;
  readonly users: number;
  readonly seconds: Seconds;
  readonly leftovers: readonly { readonly name: string; readonly reason: string }[];
  readonly problem?: string;
  /** Why clean-up did not run in main. */
  readonly skipped?: string;
}

/** Everything that a report is made of: plain data. */
export interface RunReport {
  readonly environment: string;
  readonly startedAt: Date;
  readonly plan: Plan;
  readonly readiness: Readiness;
  readonly metrics: readonly Metric[];
  readonly timeShares: readonly TimeShare[];
  /** Builds whose stages could not be read. */
  readonly timingsUnread?: NonNullable<ObservedTimings['unread']>;
  /** Builds that were tried again, where there were any. */
  readonly retries?: Retries;
  readonly steps: readonly StepReport[];
  /** Of the virtual users, where there were any. */
  readonly load?: LoadSummary;
  /** What coderd itself says of the load. */
  readonly server?: ServerReport;
  readonly cleanup?: CleanupReport;
  /** Where the load was ended before its plan. */
  readonly endedEarly?: EarlyEnd;
  readonly verdict: Verdict;
  /** Relative to the workspace. */
  readonly resultsDirectory: string;
  readonly evidenceOnly: boolean;
}

export function metricNamed(metrics: readonly Metric[], name: string): Metric | undefined {
  return metrics.find((metric) => metric.name === name);
}
