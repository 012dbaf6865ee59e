import { seconds, minutes, type Seconds } from '../units.js';
import type { Phase, Step, TimePlan } from './plan-types.js';
import { createStepsOf, isSuiteStep, suiteStepsOf } from './steps.js';

/** Installing the CLI and the readiness checks. */
const BEFORE_LOAD = minutes(3);
/** The CLI's listing of the workspaces, closing each connection (up to 40 s), and the wait for the last scrape. */
const TRAFFIC_OVERHEAD = seconds(90);
/** A token for each user, the start of the browsers (20 s at most), and their end. */
const BROWSER_OVERHEAD = seconds(60);
/** The CLI's planning dry-run is a job of its own, outside its --timeout; and the wait before it exits. */
const CLI_OVERHEAD = seconds(165);
/** Reading the builds, judging, reporting and the upload. */
const AFTER_LOAD = minutes(4);
/** What deleting one workspace takes where nothing better is known. */
const DELETION = seconds(20);
/** Coder's default is three built-in provisioners a replica; scale-test deployments have more. */
const ASSUMED_SLOTS = 10;
/** The last deletions leave slots idle, and some are tried again. */
const CLEANUP_RESERVE = 1.2;
const LEAST_CLEANUP = minutes(2);

/** The longest that a run may take, so that people can set timeout-minutes. */
export function planTime(
  phases: readonly Phase[],
  slots: number | undefined,
  deletion: ReadonlyMap<string, Seconds> = new Map(),
): TimePlan {
  const load = seconds(
    phases.reduce((total, phase) => total + Math.max(0, ...phase.steps.map(stepCeiling)), 0),
  );
  const usedSlots = Math.max(1, slots ?? ASSUMED_SLOTS);
  const made = [
    ...createStepsOf({ phases }).map(({ template, count }) => ({ template, count })),
    ...suiteStepsOf({ phases }).map(({ template = '', workspaces }) => ({ template, count: workspaces })),
  ];
  const work = made.reduce(
    (sum, { template, count }) => sum + count * (deletion.get(template) ?? DELETION),
    0,
  );
  const cleanup = seconds(Math.max(LEAST_CLEANUP, Math.ceil((work / usedSlots) * CLEANUP_RESERVE)));
  const total = seconds(BEFORE_LOAD + load + AFTER_LOAD + cleanup);
  return {
    load,
    cleanup,
    total,
    jobMinutes: Math.ceil(total / 60),
    slots: usedSlots,
    slotsKnown: slots !== undefined,
  };
}

/** When a step is ended by force: its own time-out, and what surrounds it. */
export function stepCeiling(step: Step): Seconds {
  if (isSuiteStep(step)) return seconds(step.timeout + step.around + CLI_OVERHEAD);
  switch (step.suite) {
    case 'create-workspaces':
      return seconds(step.timeout + CLI_OVERHEAD);
    case 'workspace-traffic':
      return seconds(step.timeout + TRAFFIC_OVERHEAD);
    case 'dashboard-browser':
      return seconds(step.timeout + BROWSER_OVERHEAD);
    case 'dashboard':
      return step.timeout;
  }
}
