import type { Milliseconds } from './units.js';

/** What a timer of Node can wait; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Aborted after a time of any length, also of none and of parts of a millisecond. */
export const timeLimit = (duration: Milliseconds): AbortSignal =>
  AbortSignal.timeout(Math.ceil(Math.min(LONGEST_TIMER_MS, Math.max(0, duration))));
