import type { Json } from '../answers.js';
import type { Run } from '../harness.js';
import type { Invocation } from '../invocation.js';

/** A run of a suite; its test name is its own. */
export interface SuiteRun extends Run {
  testName: string;
  /** What it measured, once it has ended; null: the suite has no metrics. */
  metrics: () => Json | null;
}

/** What a suite is about to do. */
export interface PreparedSuite {
  runs: SuiteRun[];
  /** Around the load: before it begins, and after the results were written. */
  before?: () => Promise<void>;
  after?: () => Promise<void>;
  /** The suite's own clean-up. */
  cleanUp?: () => Promise<void>;
}

/** How a suite of the CLI behaves, beyond what all of them do. */
export interface SimulatedSuite {
  /** What it says on stderr before the load. */
  running: string;
  prepare: (invocation: Invocation) => Promise<PreparedSuite>;
  /** Whether a signal only cancels its runs. */
  handlesSignals: boolean;
  /** Since v2.32 without times in its results, and without results when a run failed. */
  timeless?: boolean;
  /** What it says on stderr once all runs have passed. */
  passed?: (total: number, elapsed: string) => string;
  /** What it says when runs failed; null: nothing, and it exits with 0. */
  failed: ((failures: number, total: number) => string) | null;
  /** The histogram of its metrics page. */
  histogram: string | null;
  /** Says `Cleaning up...` and traces. */
  saysCleanup: boolean;
  saysTraces: boolean;
}
