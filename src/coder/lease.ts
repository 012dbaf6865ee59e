import { milliseconds, seconds, type Seconds } from '../units.js';
import { Lease, RELEASE_WITHIN_MS, sightLeases, type LeaseTools, type Taken } from './held-lease.js';
import { ApiError } from './http.js';
import { LOCK_NAME } from './lease-marks.js';

/**
 * One scale test per deployment: a lease that is kept on the deployment itself, by two kinds of API tokens.
 *
 * - **Taking** is making the lock. Its name is unique among a user's tokens, so of any number of callers one gets 201
 *   and the others 409.
 * - **Holding** is a sign of life, a second token that lives five minutes and names the lock's id and the run. Tokens
 *   cannot be renewed, so every two minutes the next is made before the last is deleted.
 * - **Taking over**: a lock that is five minutes old (or expired) and has no living sign is dead. Whoever finds it dead
 *   deletes it *by its key's id* and then takes the lease like anybody else. Two who find the same dead lock both
 *   delete only that one: the later deletion finds nothing (404), never the lock that the earlier has made since, and
 *   of their two locks one is refused. So exactly one of them holds.
 * - **Losing**: nobody but a taker deletes a lock, so a holder holds while its own lock stands, and has lost when it is
 *   gone. It looks each time before it gives a sign of life, and gives none for a lock that is not its own. So a run
 *   whose deployment did not answer for longer than five minutes goes on holding if nobody came in the meantime.
 * - **Releasing** deletes the own lock, by its key's id as well, so that nobody else's is ever released.
 *
 * A call that was lost on the way leaves at worst a lock without a sign of life, which is dead after five minutes.
 */
/** So often others may come first before it is given up. */
const ATTEMPTS = 5;
const ANNOUNCEMENT = milliseconds(1000);

/**
 * Takes the lease, also over from a run that is dead.
 * @param lifetime of the lock: as long as the run may take.
 * @throws ApiError when the deployment refuses for another reason than that it is held.
 */
export async function takeLease(lifetime: Seconds, tools: LeaseTools, signal?: AbortSignal): Promise<Taken> {
  const { tokens, clock, log } = tools;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { leases } = await sightLeases(tools, signal);
    const living = leases.find(({ isAlive }) => isAlive);
    if (living !== undefined) {
      if (living.holder !== undefined || attempt === ATTEMPTS) return { heldBy: living };
      // Its first sign of life, which says who it is, comes in a moment.
      await clock.sleep(ANNOUNCEMENT, signal);
      continue;
    }
    const dead = leases.find(({ isOwnUser }) => isOwnUser);
    const longest = await tokens.longestLifetime(signal);
    if (dead !== undefined) {
      log.info(
        `The lease of ${dead.holder ?? 'a run'} since ${dead.since.toISOString()} is taken over: it gives no sign of life`,
      );
      await tokens.revoke(dead.lockId, signal);
    }
    // Not to be cancelled: whether a lock was made would not be known.
    const lockId = await tokens.create(LOCK_NAME, seconds(Math.min(lifetime, longest)));
    if (lockId === undefined) continue;
    await noteLock(lockId, tools);
    return await Lease.begin(lockId, tools, signal);
  }
  throw new ApiError(
    'status',
    `the token "${LOCK_NAME}" can neither be made nor seen; delete it with "coder tokens remove ${LOCK_NAME}" if no scale test is running`,
    409,
  );
}

/** A lock that nobody after this process could know of must not stay. */
async function noteLock(lockId: string, { note, tokens }: LeaseTools): Promise<void> {
  try {
    note(lockId);
  } catch (thrown) {
    await tokens.revoke(lockId, AbortSignal.timeout(RELEASE_WITHIN_MS));
    throw thrown;
  }
}

/**
 * Goes on with a lease that an earlier process of the same run has taken and not released.
 * @returns undefined when it is not its own any more.
 */
export async function resumeLease(
  lockId: string,
  tools: LeaseTools,
  signal?: AbortSignal,
): Promise<Lease | undefined> {
  if ((await tools.tokens.idOf(LOCK_NAME, signal)) !== lockId) return undefined;
  return Lease.resume(lockId, tools);
}
