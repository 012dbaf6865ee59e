import { ascending } from './metric.js';
import { nearestRank } from '../nearest-rank.js';
import type { WorkspaceTime } from './workspace-time.js';

/** The driver's clock beside the server's, for the same workspaces; in seconds. */
export interface ClockComparison {
  readonly workspaces: number;
  /** By how much the driver's span is the longer one; negative where the server's is. */
  readonly gap: { readonly median: number; readonly largest: number; readonly smallest: number };
  /** The median of what of it is the creation of the user, up to the request for the workspace. */
  readonly user?: number;
  /** The median of the rest: the driver's requests and the grain of its polling. */
  readonly client: number;
}

/** @returns undefined where no workspace is known by both clocks. */
export function compareClocks(times: readonly WorkspaceTime[]): ClockComparison | undefined {
  const gaps = ascending(
    times.flatMap(({ driverSpan, serverSpan }) => (driverSpan === undefined ? [] : driverSpan - serverSpan)),
  );
  const [smallest] = gaps;
  const largest = gaps.at(-1);
  if (smallest === undefined || largest === undefined) return undefined;
  const users = times.flatMap(({ parts }) => parts.user ?? []);
  return {
    workspaces: gaps.length,
    gap: { median: medianOf(gaps), largest, smallest },
    ...(users.length > 0 && { user: medianOf(users) }),
    client: medianOf(times.flatMap(({ parts }) => parts.client ?? [])),
  };
}

function medianOf(values: readonly number[]): number {
  return ascending(values)[nearestRank(values.length, 0.5) - 1] ?? 0;
}
