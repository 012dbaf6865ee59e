import {
  LEASE_IS_GONE,
  releaseLease,
  sightLeases,
  type Lease,
  type LeaseTools,
  type Taken,
} from '../coder/held-lease.js';
import { ApiError } from '../coder/http.js';
import { resumeLease, takeLease } from '../coder/lease.js';
import { OwnTokens } from '../coder/own-tokens.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import {
  heldSentence,
  leaseIsFree,
  leaseIsHeld,
  leaseIsRefused,
  leaseIsTaken,
} from '../ready/lease-check.js';
import { warned, type Check } from '../ready/readiness.js';
import { milliseconds, minutes, seconds, type Milliseconds } from '../units.js';
import type { World } from '../world.js';
import type { Connection } from './connecting.js';

const STATE = 'lease';
const RELEASING = 'lease-releasing';
/** The lock outlives the run by what post may take after a cancel. */
const FOR_POST = minutes(15);
const LOOK_EVERY = milliseconds(10_000);
const SAY_EVERY_MS = 5 * 60_000;

/** The lock that main has not released; undefined when there is none. Its key's id is no secret. */
export function owedLease(world: World): string | undefined {
  const lockId = world.state.read(STATE);
  return lockId === '' ? undefined : lockId;
}

async function toolsOf({ identity }: Connection, world: World): Promise<LeaseTools> {
  const me = await identity.api.me(world.cancelled);
  return {
    tokens: new OwnTokens(identity.api.http, world.log),
    clock: world.clock,
    log: world.log,
    ownUserId: me.id,
    holder: world.job.runUrl,
    note: (lockId) => (lockId === undefined ? world.state.clear(STATE) : world.state.save(STATE, lockId)),
  };
}

/**
 * Takes the lease, and waits for another run's as long as the input says.
 * @throws ApiError when the deployment refuses for another reason than that it is held.
 */
export async function obtainLease(
  connection: Connection,
  inputs: Pick<Inputs, 'maxDuration' | 'leaseWait'>,
  world: World,
): Promise<Taken & { readonly waited: Milliseconds }> {
  const tools = await toolsOf(connection, world);
  const lifetime = seconds(inputs.maxDuration + FOR_POST);
  const waiting = new Waiting(inputs.leaseWait * 1000, world);
  for (;;) {
    const taken = await attempt(() => takeLease(lifetime, tools, world.cancelled), waiting);
    if (taken !== undefined && ('lease' in taken || waiting.isOver))
      return { ...taken, waited: waiting.waited };
    if (taken !== undefined && 'heldBy' in taken) waiting.say(heldSentence(taken.heldBy, tools.holder));
    await waiting.pause();
  }
}

/** A deployment that does not answer for a moment does not end a wait that has begun. */
async function attempt(take: () => Promise<Taken>, waiting: Waiting): Promise<Taken | undefined> {
  try {
    return await take();
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || !waiting.hasBegun || waiting.isOver) throw thrown;
    return undefined;
  }
}

class Waiting {
  readonly #startedAt: Milliseconds;
  #saidAt = Number.NEGATIVE_INFINITY;
  #lastSentence = '';

  constructor(
    private readonly longestMs: number,
    private readonly world: World,
  ) {
    this.#startedAt = world.clock.monotonic();
  }

  get waited(): Milliseconds {
    return milliseconds(this.world.clock.monotonic() - this.#startedAt);
  }

  get isOver(): boolean {
    return this.waited >= this.longestMs;
  }

  get hasBegun(): boolean {
    return this.#lastSentence !== '';
  }

  say(sentence: string): void {
    if (sentence === this.#lastSentence && this.waited - this.#saidAt < SAY_EVERY_MS) return;
    this.#lastSentence = sentence;
    this.#saidAt = this.waited;
    const left = Math.ceil((this.longestMs - this.waited) / 60_000);
    this.world.log.info(`Waiting at most ${left} min more: ${sentence}`);
  }

  pause(): Promise<void> {
    const left = Math.max(1, this.longestMs - this.waited);
    return this.world.clock.sleep(milliseconds(Math.min(LOOK_EVERY, left)), this.world.cancelled);
  }
}

export type Leased =
  | { readonly held: Check }
  /** Without a lease in mode preflight, and when it could not be taken: then the check refuses. */
  | { readonly lease?: Lease; readonly check: Check; readonly waited: Milliseconds };

/** The lease for a run, or what keeps it from getting one; for mode preflight only whether it is free. */
export async function leaseFor(inputs: Inputs, connection: Connection, world: World): Promise<Leased> {
  if (inputs.mode === 'preflight')
    return { check: await describeLease(connection, world), waited: milliseconds(0) };
  try {
    const taken = await obtainLease(connection, inputs, world);
    if ('heldBy' in taken) return { held: leaseIsHeld(taken.heldBy, world.job.runUrl) };
    return { lease: taken.lease, check: leaseIsTaken(), waited: taken.waited };
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    return { check: leaseIsRefused(thrown.message), waited: milliseconds(0) };
  }
}

async function describeLease(connection: Connection, world: World): Promise<Check> {
  try {
    const { leases } = await sightLeases(await toolsOf(connection, world), world.cancelled);
    return leaseIsFree(leases, world.job.runUrl);
  } catch (thrown) {
    return warned('lease', `whether the lease is free could not be read: ${messageOf(thrown)}`);
  }
}

/** Does the work under the lease. A cancelled main, which has seconds, leaves the release to post. */
export async function underLease<T>(
  lease: Lease | undefined,
  world: World,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } finally {
    if (lease !== undefined) await (isLeftToPost(lease, world) ? lease.leave() : releaseIn(world, lease));
  }
}

/** Of a lost lease the word for post stays, which shows it that nothing is its own any more. */
const isLeftToPost = ({ lost }: Lease, { cancelled }: World): boolean => cancelled.aborted || lost.aborted;

/** Tells post that a lock which is gone was not taken over. */
async function releaseIn(world: World, lease: Lease): Promise<void> {
  try {
    world.state.save(RELEASING, 'true');
  } catch (thrown) {
    world.log.debug(`the release could not be noted: ${messageOf(thrown)}`);
  }
  await lease.release();
}

/**
 * In post: the lease that main left, or a new one where main had released it. Nothing is deleted without it, and nothing
 * after it was lost: what is there since may be what another run was told to keep.
 */
export async function regainLease(
  connection: Connection,
  inputs: Inputs,
  world: World,
): Promise<{ readonly lease: Lease } | { readonly refused: string }> {
  const tools = await toolsOf(connection, world);
  const lockId = owedLease(world);
  const resumed = lockId === undefined ? undefined : await resumeLease(lockId, tools, world.cancelled);
  if (resumed !== undefined) return { lease: resumed };
  if (lockId !== undefined && world.state.read(RELEASING) === '') {
    await releaseLease(lockId, tools);
    return { refused: await whoHolds(tools, world) };
  }
  const lifetime = seconds(inputs.maxDuration + FOR_POST);
  const taken = await takeLease(lifetime, tools, world.cancelled);
  return 'lease' in taken ? taken : { refused: heldSentence(taken.heldBy, world.job.runUrl) };
}

async function whoHolds(tools: LeaseTools, world: World): Promise<string> {
  const { leases } = await sightLeases(tools, world.cancelled);
  const holder = leases.find(({ isAlive }) => isAlive);
  return holder === undefined ? LEASE_IS_GONE : heldSentence(holder, world.job.runUrl);
}

/** In post: releases what main left and nobody needs any more. */
export async function releaseOwedLease(lockId: string, connection: Connection, world: World): Promise<void> {
  await releaseLease(lockId, await toolsOf(connection, world));
}
