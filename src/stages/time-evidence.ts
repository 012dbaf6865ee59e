import { TIMINGS_FILE } from '../evidence.js';
import { retriesOf } from '../measure/retries.js';
import { STAGES_FILE, timeShare, workspaceTimes } from '../measure/time-share.js';
import { observedOf, type GroupEvidence } from '../measure/workspace-metrics.js';
import type { RunReport } from '../report/run-report.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { RunStage } from './running.js';

/** What the report says of where the time went. */
export type TimeReport = Pick<RunReport, 'timeShares' | 'timingsUnread' | 'retries'>;

/** Tells each workspace's time apart, and keeps what that rests on and what it gave as evidence. */
export async function attributeTime(
  groups: readonly GroupEvidence[],
  { observation, timings }: Pick<RunStage, 'observation' | 'timings'>,
  results: ResultsDirectory,
): Promise<TimeReport> {
  if (groups.length === 0 || 'unusable' in observation) return { timeShares: [] };
  await results.writeJson(TIMINGS_FILE, timings);
  const observed = groups.map((group) => ({
    group,
    workspaces: observedOf({ groups: [group] }, observation),
  }));
  const timeShares = observed.flatMap(({ group, workspaces }) => timeShare(group, workspaces, timings) ?? []);
  const retries = retriesOf(observed.flatMap(({ workspaces }) => workspaces));
  await results.writeJson(STAGES_FILE, {
    schema: 1,
    // All workspaces follow, so the slowest are not named twice.
    groups: timeShares.map((share) => ({ ...share, slowest: undefined })),
    workspaces: observed.flatMap(({ group, workspaces }) =>
      workspaceTimes(group, workspaces, timings).map((time) => ({ group: group.group, ...time })),
    ),
    ...(retries && { retries }),
  });
  return {
    timeShares,
    ...(timings.unread && { timingsUnread: timings.unread }),
    ...(retries && { retries }),
  };
}
