import { randomBytes } from 'node:crypto';
import { messageOf } from '../errors.js';
import type { Clock, Log } from '../ports.js';
import { milliseconds, type Milliseconds } from '../units.js';
import {
  LIVENESS_LIFE,
  LOCK_NAME,
  leasesAmong,
  livenessName,
  readLivenessName,
  type SightedLease,
} from './lease-marks.js';
import type { OwnTokens } from './own-tokens.js';

const RENEW_EVERY = milliseconds(120_000);
const RETRY_EVERY = milliseconds(15_000);
/** One attempt to renew, with all its calls; the life of the last sign leaves time for several. */
const RENEWAL_WITHIN_MS = 60_000;
/** A released lease is worth a minute; what is not released by then ends by itself in five. */
export const RELEASE_WITHIN_MS = 60_000;
/** Whoever deletes looks at the lease again when its last sign of life is so old: it lives for two minutes more. */
const CERTAIN_FOR_MS = 180_000;
/** Of dead runs, in one go. */
const MOST_SWEPT = 50;

/** When nobody knows any more who took it. */
export const LEASE_IS_GONE = 'the lease of this run was taken over or removed while it ran';

export interface LeaseTools {
  readonly tokens: OwnTokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly ownUserId: string;
  /** Who takes the lease: the run's URL. */
  readonly holder: string;
  /** Told at once of the lock that is held from now on, and of its end by undefined. Whoever comes after can release it. */
  readonly note: (lockId: string | undefined) => void;
}

export type Taken = { readonly lease: Lease } | { readonly heldBy: SightedLease };

/** The leases on the deployment, of every user whose tokens may be seen. */
export async function sightLeases(
  { tokens, ownUserId, clock }: Pick<LeaseTools, 'tokens' | 'ownUserId' | 'clock'>,
  signal?: AbortSignal,
): Promise<{ readonly leases: readonly SightedLease[]; readonly serverTime: Date }> {
  const { tokens: all, serverTime = clock.now() } = await tokens.list('everybody', signal);
  return { leases: leasesAmong(all, ownUserId, serverTime), serverTime };
}

/** Releases a lease by its lock's id; of a lock that is not there any more, only the signs of life are left to remove. */
export async function releaseLease(lockId: string, { tokens, note }: LeaseTools): Promise<void> {
  const signal = AbortSignal.timeout(RELEASE_WITHIN_MS);
  await tokens.revoke(lockId, signal);
  const { tokens: own } = await tokens.list('own', signal);
  for (const { id, token_name } of own)
    if (readLivenessName(token_name)?.lockId === lockId) await tokens.revoke(id, signal);
  // Not before: where something of it stays, whoever comes after releases it again.
  note(undefined);
}

/** A lease that is held: gives signs of life until it is released or left. */
export class Lease {
  readonly #end = new AbortController();
  readonly #lost = new AbortController();
  #lastSign: string | undefined;
  #since: Date | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #renewing: Promise<void> | undefined;
  /** By the wall clock, which goes on while a machine sleeps; when none was given by this process, long ago. */
  #signedAt = 0;

  private constructor(
    readonly lockId: string,
    private readonly tools: LeaseTools,
  ) {}

  /** Gives the first sign of life for a new lock, and looks whether another user's caller came first. */
  static async begin(lockId: string, tools: LeaseTools, signal?: AbortSignal): Promise<Taken> {
    const lease = new Lease(lockId, tools);
    try {
      signal?.throwIfAborted();
      await lease.#giveSign(signal);
      const elder = await lease.#elder(signal);
      signal?.throwIfAborted();
      if (elder === undefined) {
        await lease.#sweep(signal);
        lease.#keeping = lease.#keep(RENEW_EVERY);
        return { lease };
      }
      await lease.release();
      return { heldBy: elder };
    } catch (thrown) {
      await lease.release();
      throw thrown;
    }
  }

  /** The last sign of life was another process's and may be about to end, so the next is given at once. */
  static resume(lockId: string, tools: LeaseTools): Lease {
    const lease = new Lease(lockId, tools);
    lease.#keeping = lease.#keep(milliseconds(0));
    return lease;
  }

  /** Aborted when the lock turned out to be gone, with the sentence why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** When the lock was made, by the deployment's clock; not known of a lease that was resumed. */
  get since(): Date | undefined {
    return this.#since;
  }

  /**
   * Makes sure that the lease is held before something is deleted: a run that was away for longer than its signs of life
   * last may have lost it without knowing.
   * @throws when the deployment does not answer; when the lease is lost, its sentence.
   */
  async confirm(): Promise<void> {
    this.lost.throwIfAborted();
    const age = this.tools.clock.now().getTime() - this.#signedAt;
    if (age < 0 || age > CERTAIN_FOR_MS) await this.#renew();
    this.lost.throwIfAborted();
  }

  /** Looks whether the lock still stands. When the deployment does not answer, what was known before holds. */
  async check(cancelled: AbortSignal): Promise<void> {
    try {
      await this.#look(AbortSignal.any([cancelled, AbortSignal.timeout(RENEWAL_WITHIN_MS)]));
    } catch (thrown) {
      this.tools.log.debug(`whether the lease is still held could not be read: ${messageOf(thrown)}`);
    }
  }

  /** Gives the lease back. What cannot be released ends by itself. */
  async release(): Promise<void> {
    await this.leave();
    try {
      await releaseLease(this.lockId, this.tools);
    } catch (thrown) {
      this.tools.log.warning(
        `the lease could not be released: ${messageOf(thrown)}. It ends by itself in five minutes`,
      );
    }
  }

  /** Stops giving signs of life; whoever comes after this process resumes or releases the lease. */
  async leave(): Promise<void> {
    this.#end.abort();
    await this.#keeping;
  }

  async #keep(first: Milliseconds): Promise<void> {
    const { clock, log } = this.tools;
    let pause = first;
    let signedAt = clock.monotonic();
    while (!this.#isOver()) {
      try {
        await clock.sleep(pause, this.#end.signal);
        await this.#renew();
        signedAt = clock.monotonic();
        pause = RENEW_EVERY;
      } catch (thrown) {
        if (this.#isOver()) return;
        const since = Math.round((clock.monotonic() - signedAt) / 1000);
        log.debug(`the lease could not be renewed for ${since} s: ${messageOf(thrown)}`);
        pause = RETRY_EVERY;
      }
    }
  }

  #isOver(): boolean {
    return this.#end.signal.aborted || this.lost.aborted;
  }

  /** One at a time. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<void> {
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(RENEWAL_WITHIN_MS)]);
    if (!(await this.#look(signal))) return;
    const last = this.#lastSign;
    await this.#giveSign(signal);
    if (last !== undefined) await this.tools.tokens.revoke(last, signal);
  }

  /** @returns whether the lock is still the own. */
  async #look(signal: AbortSignal): Promise<boolean> {
    if ((await this.tools.tokens.idOf(LOCK_NAME, signal)) === this.lockId) return true;
    const taker = await sightLeases(this.tools, signal).then(
      ({ leases }) => leases.find(({ isOwnUser }) => isOwnUser),
      () => undefined,
    );
    const sentence =
      taker === undefined
        ? LEASE_IS_GONE
        : `the lease of this run was taken over by ${taker.holder ?? 'another run'} at ${taker.since.toISOString()}`;
    this.tools.log.warning(
      `${sentence}. The load goes on, but its numbers will not pass, and nothing is removed`,
    );
    this.#lost.abort(new Error(sentence));
    return false;
  }

  async #giveSign(signal?: AbortSignal): Promise<void> {
    const { tokens, holder, clock } = this.tools;
    const name = livenessName(this.lockId, randomBytes(4).toString('hex'), holder);
    this.#lastSign = await tokens.create(name, LIVENESS_LIFE, signal);
    this.#signedAt = clock.now().getTime();
  }

  /** Locks are atomic for one user only; of two users' callers who came at once, the later lock gives way. */
  async #elder(signal?: AbortSignal): Promise<SightedLease | undefined> {
    const { leases } = await sightLeases(this.tools, signal);
    const own = leases.find(({ lockId }) => lockId === this.lockId);
    this.#since = own?.since;
    const comesBefore = (other: SightedLease): boolean =>
      own === undefined ||
      other.since < own.since ||
      (other.since.getTime() === own.since.getTime() && other.lockId < own.lockId);
    return leases.find((other) => !other.isOwnUser && other.isAlive && comesBefore(other));
  }

  /** What dead runs have left; some servers keep expired tokens for ever. */
  async #sweep(signal?: AbortSignal): Promise<void> {
    const { tokens, log } = this.tools;
    try {
      const { tokens: own } = await tokens.list('own', signal);
      const old = own.filter(({ token_name }) => {
        const sign = readLivenessName(token_name);
        return sign !== undefined && sign.lockId !== this.lockId;
      });
      for (const { id } of old.slice(0, MOST_SWEPT)) await tokens.revoke(id, signal);
    } catch (thrown) {
      log.debug(`old signs of life could not be removed: ${messageOf(thrown)}`);
    }
  }
}
