import type { DeploymentFacts } from '../coder/facts.js';
import type { SightedLease } from '../coder/lease-marks.js';
import { isScaletestWorkspace } from '../coder/scaletest-resources.js';
import { ok, refused, warned, type Check } from './readiness.js';

const NAME = 'lease';
const SCALETEST_OWNER = 'scaletest-';

/** Who holds the lease, and since when. */
export function heldSentence(lease: SightedLease, ownHolder: string): string {
  const holder = lease.holder ?? 'a run that has not said which it is';
  const same = holder === ownHolder ? ' (another job or step of this same run)' : '';
  const user = lease.isOwnUser || lease.user === '' ? '' : `, as the user "${lease.user}"`;
  return `another scale test holds the lease of this deployment: ${holder}${same}${user}, since ${lease.since.toISOString()}`;
}

export const leaseIsHeld = (lease: SightedLease, ownHolder: string): Check =>
  refused(
    NAME,
    `${heldSentence(lease, ownHolder)}. Wait for it with "lease-wait", or serialise the runs with a "concurrency:" group; if that run is dead, the lease is free five minutes after its last sign of life`,
  );

export const leaseIsTaken = (): Check =>
  ok(NAME, 'taken: no other run of the gate starts until it is released');

export const leaseIsRefused = (reason: string): Check =>
  refused(
    NAME,
    `the lease, without which two scale tests could destroy each other, could not be taken: ${reason}. It is made of API tokens of the signed-in user, which it has to be allowed to make, list and delete`,
  );

/** For mode preflight, which takes nothing. */
export function leaseIsFree(leases: readonly SightedLease[], ownHolder: string): Check {
  const living = leases.find(({ isAlive }) => isAlive);
  if (living !== undefined)
    return warned(
      NAME,
      `${heldSentence(living, ownHolder)}; a run that starts now stops, or waits with "lease-wait"`,
    );
  const dead = leases.find(({ isOwnUser }) => isOwnUser);
  if (dead === undefined) return ok(NAME, 'free');
  return ok(
    NAME,
    `free: ${dead.holder ?? 'a run'} took it at ${dead.since.toISOString()}, and gives no sign of life any more`,
  );
}

/** What was made with another owner's token: a lease is atomic only among runs with the same user. */
export function otherOwnersCheck({ facts }: { readonly facts: DeploymentFacts }): Check | undefined {
  const { leftovers, user } = facts;
  if (!leftovers.known || !user.known) return undefined;
  const others = leftovers.value.workspaces.filter(
    (workspace) =>
      isScaletestWorkspace(workspace) &&
      !workspace.owner_name.startsWith(SCALETEST_OWNER) &&
      workspace.owner_id !== user.value.id,
  );
  if (others.length === 0) return undefined;
  const names = [...new Set(others.map(({ owner_name }) => owner_name))].slice(0, 5);
  return warned(
    'other owners',
    `${others.length} scale-test workspaces belong to ${names.join(', ')}: another owner's scale test may be running, and the lease keeps only runs with the same user apart. Let all runs use one user`,
  );
}
