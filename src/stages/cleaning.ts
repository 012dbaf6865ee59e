import { z } from 'zod';
import { cleanUp, type QueuePolicy } from '../coder/cleanup.js';
import type { CleanupResult } from '../coder/cleanup-result.js';
import type { Lease } from '../coder/held-lease.js';
import type { Scope } from '../coder/scaletest-resources.js';
import type { CleanupObservation } from '../measure/cleanup-metrics.js';
import type { CleanupReport } from '../report/run-report.js';
import type { Milliseconds } from '../units.js';
import type { World } from '../world.js';
import type { Connection } from './connecting.js';

const STATE = 'cleanup';

/** What main leaves for post while the deployment may hold something of this run. */
const debtSchema = z.object({ since: z.iso.datetime(), orphan: z.boolean() });
export type CleanupDebt = z.infer<typeof debtSchema>;

/** From here on post cleans up, whatever happens to main. */
export const oweCleanup = (debt: CleanupDebt, world: World): void =>
  world.state.save(STATE, JSON.stringify(debt));

/** A cancelled job gives its post steps five minutes, so post has to hand over all deletions at once. */
const CANCELLED_STATE = 'cancelled';
export const noteCancel = (world: World): void => world.state.save(CANCELLED_STATE, 'true');
export const wasCancelled = (world: World): boolean => world.state.read(CANCELLED_STATE) !== '';

export const settleCleanup = (world: World): void => world.state.clear(STATE);

/** What main left to do; undefined when nothing. */
export function owedCleanup(world: World): CleanupDebt | undefined {
  const text = world.state.read(STATE);
  return text === '' ? undefined : debtSchema.parse(JSON.parse(text));
}

export interface CleaningRequest {
  readonly connection: Connection;
  readonly scope: Scope;
  readonly orphan: boolean;
  readonly queue: QueuePolicy;
  readonly deadline: Milliseconds;
  /** Nothing is deleted without it. */
  readonly lease: Lease;
}

export function clean(request: CleaningRequest, world: World): Promise<CleanupResult> {
  const { connection, scope, orphan, queue, deadline, lease } = request;
  const signal = AbortSignal.any([world.cancelled, lease.lost]);
  return world.log.group('Clean up', () =>
    cleanUp(
      connection.identity.api,
      { scope, orphan, queue, deadline, confirm: () => lease.confirm(), signal },
      { clock: world.clock, log: world.log },
    ),
  );
}

export const isClean = (result: CleanupResult): boolean =>
  result.verified && result.leftoverWorkspaces.length === 0 && result.leftoverUsers.length === 0;

export function observationOf(result: CleanupResult): CleanupObservation {
  return {
    leftoverWorkspaces: result.leftoverWorkspaces.length,
    leftoverUsers: result.leftoverUsers.length,
    ...(!result.verified && { problem: result.problem ?? 'the deployment did not answer' }),
  };
}

export function reportOf(result: CleanupResult): CleanupReport {
  return {
    workspaces: result.deletedWorkspaces,
    users: result.deletedUsers,
    seconds: result.seconds,
    leftovers: [...result.leftoverWorkspaces, ...result.leftoverUsers],
    ...(!result.verified && { problem: result.problem ?? 'the deployment did not answer' }),
  };
}

/** One sentence on a clean-up's result. */
export function cleanupSentence(result: CleanupResult): string {
  const done = `${result.deletedWorkspaces} workspaces and ${result.deletedUsers} users were removed`;
  if (!result.verified)
    return `whether anything is left could not be read: ${result.problem ?? 'the deployment did not answer'}`;
  if (isClean(result)) return `${done}; nothing is left`;
  const left = [...result.leftoverWorkspaces, ...result.leftoverUsers];
  const names = left.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
  return `${done}, but ${result.leftoverWorkspaces.length} workspaces and ${result.leftoverUsers.length} users are left: ${names.join(', ')}${left.length > names.length ? ', …' : ''}`;
}
