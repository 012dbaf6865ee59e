import { minutes, type Seconds } from '../units.js';
import type { NamedToken } from './api-schemas.js';

/**
 * The marks that the lease is made of, and the one rule that reads them. The lock is a token of a fixed name, of which
 * a user can have one. Liveness is a token of a short life whose name says for which lock, and in which run, somebody
 * is alive.
 */
export const LOCK_NAME = 'scaletest-gate-lease';
const LIVENESS_PREFIX = 'scaletest-gate-alive';
const LIVENESS_NAME = new RegExp(`^${LIVENESS_PREFIX}_([A-Za-z0-9]{10})_[0-9a-f]+_(.*)$`, 's');
const LONGEST_HOLDER = 400;

export const LIVENESS_LIFE: Seconds = minutes(5);
/** A token that lives longer was not made by the gate, and would hold the lease for as long. */
const LONGEST_LIFE_MS = 1.2 * LIVENESS_LIFE * 1000;
/** A lock so young counts as alive: its holder may not have come to its first sign of life. */
const YOUTH: Seconds = LIVENESS_LIFE;

/** A lease that was seen on the deployment. */
export interface SightedLease {
  readonly lockId: string;
  /** The user whose token it is; the lock is atomic among callers with the same user only. */
  readonly user: string;
  readonly isOwnUser: boolean;
  /** The run's URL; unknown when it ended before its first sign of life, or its last one is gone. */
  readonly holder: string | undefined;
  readonly since: Date;
  readonly isAlive: boolean;
}

/** Coder takes any text as a token's name; this one stays readable in a list of tokens, and safe in a path. */
export function livenessName(lockId: string, serial: string, holder: string): string {
  // What is cut in the middle of a character is shown as it stands.
  return `${LIVENESS_PREFIX}_${lockId}_${serial}_${encodeURIComponent(holder).slice(0, LONGEST_HOLDER)}`;
}

interface SignOfLife {
  readonly lockId: string;
  readonly holder: string;
}

/** What a token's name says; undefined for a token of another kind. */
export function readLivenessName(name: string): SignOfLife | undefined {
  const match = LIVENESS_NAME.exec(name);
  return match === null ? undefined : { lockId: match[1] ?? '', holder: decoded(match[2] ?? '') };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The leases among tokens. A lease is alive while a sign of life of its lock is, or while its lock is young and has not
 * expired; an expired token may still be listed, and is no sign of life. A sign of life that is renewed every two
 * minutes always has three to go, so a clock that is wrong by less does no harm.
 */
export function leasesAmong(
  tokens: readonly NamedToken[],
  ownUserId: string,
  serverTime: Date,
): readonly SightedLease[] {
  const signs = tokens.flatMap((token) => {
    const sign = readLivenessName(token.token_name);
    const life = token.expires_at.getTime() - token.created_at.getTime();
    return sign === undefined || life > LONGEST_LIFE_MS ? [] : [{ ...sign, token }];
  });
  return tokens
    .filter(({ token_name }) => token_name === LOCK_NAME)
    .map((lock) => {
      const own = signs
        .filter(({ lockId, token }) => lockId === lock.id && token.user_id === lock.user_id)
        .sort((a, b) => b.token.created_at.getTime() - a.token.created_at.getTime());
      const isYoung = serverTime.getTime() - lock.created_at.getTime() < YOUTH * 1000;
      return {
        lockId: lock.id,
        user: lock.username,
        isOwnUser: lock.user_id === ownUserId,
        holder: own[0]?.holder,
        since: lock.created_at,
        isAlive:
          own.some(({ token }) => token.expires_at > serverTime) || (isYoung && lock.expires_at > serverTime),
      };
    });
}
