import type { ObservedWorkspace } from '../evidence.js';
import { countCauses, failureCause, type CountedCause } from './failure-cause.js';

/** Builds that were tried again: what the success rate does not show. */
export interface Retries {
  /** Workspaces with more than one attempt. */
  readonly workspaces: number;
  /** Of them, those whose last attempt succeeded. */
  readonly succeeded: number;
  /** Why the attempts before the last one failed. */
  readonly causes: readonly CountedCause[];
}

/** @returns undefined when nothing was tried again. */
export function retriesOf(workspaces: readonly ObservedWorkspace[]): Retries | undefined {
  const retried = workspaces.filter(({ builds }) => builds.length > 1);
  if (retried.length === 0) return undefined;
  const earlier = retried.flatMap(({ builds }) => builds.slice(0, -1));
  return {
    workspaces: retried.length,
    succeeded: retried.filter(({ builds }) => builds.at(-1)?.status === 'succeeded').length,
    causes: countCauses(earlier.flatMap(({ error }) => (error === undefined ? [] : failureCause(error, '')))),
  };
}
