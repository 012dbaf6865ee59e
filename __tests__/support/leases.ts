import { OwnTokens } from '../../src/coder/own-tokens.js';
import type { LeaseTools } from '../../src/coder/held-lease.js';
import type { Clock } from '../../src/ports.js';
import { milliseconds } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import type { Token } from '../../simulator/coder/state.js';
import { ownerApi } from './deployments.js';
import { KeptLog } from './fakes.js';

export const LOCK = 'scaletest-gate-lease';
const SIGN = 'scaletest-gate-alive_';

/** The lease's tokens, as the deployment has them, whether expired or not. */
export const leaseTokens = ({ state }: Pick<CoderDeployment, 'state'>): Token[] =>
  [...state.tokens.values()].filter(({ name }) => name === LOCK || name.startsWith(SIGN));
export const locks = (deployment: Pick<CoderDeployment, 'state'>): Token[] =>
  leaseTokens(deployment).filter(({ name }) => name === LOCK);
export const signs = (deployment: Pick<CoderDeployment, 'state'>): Token[] =>
  leaseTokens(deployment).filter(({ name }) => name.startsWith(SIGN));

/** For the lease's tokens, that so much time has passed. */
export function letTimePass(deployment: Pick<CoderDeployment, 'state'>, seconds: number): void {
  for (const token of leaseTokens(deployment)) {
    token.createdAt -= seconds * 1000;
    token.expiresAt -= seconds * 1000;
  }
}

const OTHERS = ['othersLock', 'othersSign'] as const;

/** What another run does that finds the lease dead. */
export function takeOver({ state }: Pick<CoderDeployment, 'state'>, holder: string): void {
  const [lock] = locks({ state });
  const [sign] = signs({ state });
  if (lock?.id === OTHERS[0]) return;
  if (lock === undefined || sign === undefined) throw new Error('there is no lease to take over');
  for (const token of leaseTokens({ state })) state.tokens.delete(token.id);
  const [lockId, signId] = OTHERS;
  state.tokens.set(lockId, { ...lock, id: lockId, secret: 'B'.repeat(22) });
  const name = `${SIGN}${lockId}_0a_${encodeURIComponent(holder)}`;
  state.tokens.set(signId, { ...sign, id: signId, secret: 'C'.repeat(22), name });
}

/** The other run has ended, and kept what it made. */
export function endTaker({ state }: Pick<CoderDeployment, 'state'>): void {
  for (const id of OTHERS) state.tokens.delete(id);
}

/** A clock that stands until it is moved. */
export class StandingClock implements Clock {
  #elapsed = 0;
  #sleepers: { until: number; wake: () => void }[] = [];

  now(): Date {
    return new Date();
  }

  monotonic() {
    return milliseconds(this.#elapsed);
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  async sleep(duration: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (duration <= 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#sleepers.push({ until: this.#elapsed + duration, wake: resolve });
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  advance(ms: number): void {
    this.#elapsed += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#elapsed);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#elapsed);
    for (const { wake } of due) wake();
  }
}

export interface Caller extends LeaseTools {
  readonly log: KeptLog;
  /** What was noted, the latest last. */
  readonly notes: (string | undefined)[];
}

/** Somebody who takes leases, with the owner's token unless another is given. */
export async function callerOf(
  deployment: CoderDeployment,
  holder: string,
  { clock, token }: { clock: Clock; token?: string },
): Promise<Caller> {
  const api = token === undefined ? ownerApi(deployment) : ownerApi(deployment).withToken(token);
  const log = new KeptLog();
  const notes: (string | undefined)[] = [];
  const { id } = await api.me();
  return {
    tokens: new OwnTokens(api.http, log),
    clock,
    log,
    ownUserId: id,
    holder,
    notes,
    note: (lockId) => notes.push(lockId),
  };
}
