import type { Metric } from './metric.js';

/** What clean-up in main left, or why nobody knows. */
export interface CleanupObservation {
  readonly leftoverWorkspaces: number;
  readonly leftoverUsers: number;
  readonly problem?: string;
}

export const CLEANUP_FILE = 'leftovers.json';

/** The metrics of clean-up. */
export function cleanupMetrics(observation: CleanupObservation): readonly Metric[] {
  const values = { workspaces: observation.leftoverWorkspaces, users: observation.leftoverUsers };
  return (['workspaces', 'users'] as const).map((kind) => {
    const name = `cleanup.leftover_${kind}`;
    return observation.problem === undefined
      ? {
          name,
          shape: 'count',
          value: values[kind],
          phase: 'clean-up',
          source: 'coder-api',
          evidence: [CLEANUP_FILE],
        }
      : {
          name,
          shape: 'missing',
          reason: `whether anything is left could not be read: ${observation.problem}`,
        };
  });
}
