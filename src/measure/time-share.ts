import type { ObservedTimings, ObservedWorkspace } from '../evidence.js';
import { compareClocks, type ClockComparison } from './clocks.js';
import { ascending } from './metric.js';
import { nearestRank } from '../nearest-rank.js';
import { hasPassed, passedSeconds, type RunRecord, type Runs } from './run-table.js';
import type { GroupEvidence } from './workspace-metrics.js';
import {
  BUILD_PARTS,
  PARTS,
  sumOf,
  workspaceTime,
  type Parts,
  type WorkspaceTime,
} from './workspace-time.js';

export const STAGES_FILE = 'evidence/stages.json';
const QUANTILE = 0.95;
const MOST_SLOWEST = 10;

/** What the slow workspaces of a group spent their time on; times in seconds. */
export interface TimeShare {
  readonly group: string;
  /** `driver`: the run's own clock, which the criteria judge; `server`: where no run can be told from the others. */
  readonly clock: 'driver' | 'server';
  readonly driver: 'cli' | 'api';
  readonly planned: number;
  readonly failed: number;
  /** How many were created, and whose time is known. */
  readonly created: number;
  /** Runs that passed, but whose workspace is not known. */
  readonly unmatched: number;
  /** Nearest rank over every planned workspace, failed ones infinitely slow; absent where it falls on a failed one. */
  readonly p95?: number;
  /** The workspaces at or above the P95; where that falls on failed ones, at or above the P95 of those that were created. */
  readonly slow: number;
  /** Workspaces whose build no provisioner had taken when it was over. */
  readonly stillQueued: number;
  /** Of the time of the slow ones; they add up to one. */
  readonly shares: Parts;
  /** Slow ones whose build cannot be told apart into stages. */
  readonly withoutStages: number;
  /** P95 of the start-up scripts, over the workspaces that have some. */
  readonly scripts?: { readonly p95: number; readonly workspaces: number; readonly blockLogin: boolean };
  readonly clocks?: ClockComparison;
  /** The slowest first, at most ten. */
  readonly slowest: readonly WorkspaceTime[];
}

/** Where the time of each workspace of a group went, the slowest first. */
export function workspaceTimes(
  { runs }: Pick<GroupEvidence, 'runs'>,
  workspaces: readonly ObservedWorkspace[],
  timings: ObservedTimings,
): readonly WorkspaceTime[] {
  const stages = new Map(timings.builds.map((build) => [build.buildId, build]));
  const runOf = runsByIndex('unusable' in runs ? [] : runs, workspaces);
  const times = workspaces.flatMap((workspace) => {
    const build = stages.get(workspace.builds.at(-1)?.id ?? '');
    const ownerCreatedAt = timings.ownersCreatedAt[workspace.owner];
    const run = runOf(workspace);
    return (
      workspaceTime(workspace, {
        ...(build && { timings: build }),
        ...(ownerCreatedAt !== undefined && { ownerCreatedAt }),
        ...(run && { run }),
      }) ?? []
    );
  });
  return [...times].sort((a, b) => b.total - a.total);
}

/**
 * Run and workspace end with the same number, `workspacebuild/7` and `scaletest-AbCdEfGh-7`, with both drivers. A number
 * that two workspaces have tells nothing.
 */
function runsByIndex(
  runs: Runs,
  workspaces: readonly ObservedWorkspace[],
): (workspace: ObservedWorkspace) => RunRecord | undefined {
  const indexOf = ({ name }: ObservedWorkspace): string => /-(\d+)$/.exec(name)?.[1] ?? '';
  const byIndex = new Map<string, RunRecord>();
  for (const run of runs) if (hasPassed(run)) byIndex.set(/\/(\d+)$/.exec(run.id)?.[1] ?? run.id, run);
  const seen = new Map<string, number>();
  for (const workspace of workspaces) seen.set(indexOf(workspace), (seen.get(indexOf(workspace)) ?? 0) + 1);
  return (workspace) => (seen.get(indexOf(workspace)) === 1 ? byIndex.get(indexOf(workspace)) : undefined);
}

/** @returns undefined when no workspace was created. */
export function timeShare(
  group: GroupEvidence,
  workspaces: readonly ObservedWorkspace[],
  timings: ObservedTimings,
): TimeShare | undefined {
  const all = workspaceTimes(group, workspaces, timings);
  const ofRuns = all.filter(({ driverSpan }) => driverSpan !== undefined);
  const clock = ofRuns.length > 0 ? 'driver' : 'server';
  const known = clock === 'driver' ? ofRuns : all;
  const durations = ascending(clock === 'driver' ? passedDurations(group) : known.map(({ total }) => total));
  if (known.length === 0) return undefined;
  const p95 = durations[nearestRank(Math.max(group.planned, durations.length), QUANTILE) - 1];
  const limit = p95 ?? durations[nearestRank(durations.length, QUANTILE) - 1] ?? 0;
  // Of the few that cannot be assigned to a run the time is not known, so one that is slow may be missing here.
  const slow = atOrAbove(known, limit);
  const scripts = known.flatMap((one) => one.scripts ?? []);
  const clocks = compareClocks(ofRuns);
  return {
    group: group.group,
    clock,
    driver: group.driver,
    planned: group.planned,
    failed: Math.max(0, group.planned - durations.length),
    created: known.length,
    unmatched: durations.length - known.length,
    ...(p95 !== undefined && { p95 }),
    slow: slow.length,
    stillQueued: workspaces.filter(wasNeverTaken).length,
    shares: sharesOf(slow),
    withoutStages: slow.filter(({ parts }) => parts.build !== undefined).length,
    ...(scripts.length > 0 && {
      scripts: {
        p95: ascending(scripts)[nearestRank(scripts.length, QUANTILE) - 1] ?? 0,
        workspaces: scripts.length,
        blockLogin: known.some(({ scriptsBlockLogin }) => scriptsBlockLogin === true),
      },
    }),
    ...(clocks && { clocks }),
    slowest: known.slice(0, MOST_SLOWEST),
  };
}

const passedDurations = ({ runs }: GroupEvidence): readonly number[] =>
  'unusable' in runs ? [] : passedSeconds(runs);

/** The server gives up on a build after half an hour in the queue, and notes a start then. */
function wasNeverTaken({ builds }: ObservedWorkspace): boolean {
  const last = builds.at(-1);
  return last?.startedAt === undefined || /detected as pending for/.test(last.error ?? '');
}

/** A run that took as long as the P95 is one of them; the slowest one there is, where none else is known. */
function atOrAbove(slowestFirst: readonly WorkspaceTime[], limit: number): readonly WorkspaceTime[] {
  const slow = slowestFirst.filter(({ driverSpan, total }) => (driverSpan ?? total) >= limit);
  return slow.length > 0 ? slow : slowestFirst.slice(0, 1);
}

function sharesOf(times: readonly WorkspaceTime[]): Parts {
  const sum = times.reduce((all, { parts }) => all + sumOf(parts), 0);
  return Object.fromEntries(
    PARTS.flatMap((part) => {
      const seconds = times.reduce((all, { parts }) => all + (parts[part] ?? 0), 0);
      return seconds > 0 ? [[part, seconds / sum]] : [];
    }),
  );
}

/** The share of the build as a whole. */
export const buildShare = (shares: Parts): number =>
  BUILD_PARTS.reduce((sum, part) => sum + (shares[part] ?? 0), 0);
