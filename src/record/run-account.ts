import type { EarlyEnd } from '../judge/early-end.js';
import type { RunReport } from '../report/run-report.js';

/**
 * What happened in a run beside its plan, readiness and metrics: plain data, also the file run.json. With these four files
 * a run can be judged and reported again.
 */
export interface RunAccount extends Pick<
  RunReport,
  | 'environment'
  | 'resultsDirectory'
  | 'timeShares'
  | 'timingsUnread'
  | 'retries'
  | 'steps'
  | 'load'
  | 'server'
  | 'cleanup'
> {
  readonly schema: 1;
  /** `run` collected evidence only. */
  readonly mode: 'gate' | 'run';
  /** ISO 8601. */
  readonly startedAt: string;
  /** What makes the run worthless whatever the numbers say, a sentence each. */
  readonly problems: readonly string[];
  /** Metrics that show a part of a load only, so that no criterion is judged by them, and why. */
  readonly withheld: Readonly<Record<string, string>>;
  /** The sentence of a cancelled job. */
  readonly cancelled?: string;
  readonly endedEarly?: EarlyEnd;
}

export const RUN_FILE = 'run.json';
