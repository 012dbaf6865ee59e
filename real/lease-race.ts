import { setTimeout as pause } from 'node:timers/promises';
import { CoderApi } from '../src/coder/api.js';
import { CoderHttp } from '../src/coder/http.js';
import { sightLeases, type LeaseTools } from '../src/coder/held-lease.js';
import { takeLease } from '../src/coder/lease.js';
import { OwnTokens } from '../src/coder/own-tokens.js';
import type { Clock, Log } from '../src/ports.js';
import { milliseconds, minutes } from '../src/units.js';
import type { Owner } from './owner.js';

const LOCK = 'scaletest-gate-lease';
const ROUNDS = 5;
const TAKERS = 8;
/** A sign of life is renewed every two minutes, so with this clock every 1.2 s. */
const HURRY = 100;
const HOLD_MS = 5000;
const DEAD_LOCK_LIFE_MS = 500;

const hurried: Clock = {
  now: () => new Date(),
  monotonic: () => milliseconds(performance.now()),
  sleep: async (duration, signal) => {
    if (duration > 0) await pause(duration / HURRY, undefined, signal && { signal });
  },
};
const silent: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: (message) => console.log(message),
  error: (message) => console.log(message),
  group: (_title, body) => body(),
  mask: () => undefined,
};

/** Leaves a lock that nobody gives signs of life for, as a killed run does. */
export async function leaveDeadLock(owner: Owner): Promise<void> {
  await owner.makeToken(LOCK, DEAD_LOCK_LIFE_MS);
  // The server's clock comes in whole seconds.
  await pause(DEAD_LOCK_LIFE_MS + 1000);
}

/** Takers who all find the same dead lock at the same moment: each round has to end with one holder, who can hold. */
export async function raceForLease(owner: Owner): Promise<readonly string[]> {
  const problems: string[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await leaveDeadLock(owner);
    const takers = await Promise.all(
      Array.from({ length: TAKERS }, (_, index) => toolsOf(owner, `taker ${index + 1}`)),
    );
    const taken = await Promise.all(takers.map((tools) => takeLease(minutes(10), tools)));
    const leases = taken.flatMap((one) => ('lease' in one ? [one.lease] : []));
    if (leases.length !== 1)
      problems.push(`round ${round}: ${leases.length} of ${TAKERS} takers hold the lease`);
    if (round === ROUNDS) problems.push(...(await heldFor(HOLD_MS, owner)));
    for (const lease of leases) {
      if (lease.lost.aborted) problems.push(`round ${round}: the holder lost the lease`);
      await lease.release();
    }
    for (const name of await owner.leaseTokens()) problems.push(`round ${round}: the token ${name} is left`);
  }
  console.log(`${ROUNDS} times ${TAKERS} takers of a dead lock at once: ${problems.length} problems`);
  return problems;
}

/** Whether the signs of life follow each other without a gap, and without leaving a trail. */
async function heldFor(time: number, owner: Owner): Promise<readonly string[]> {
  const problems: string[] = [];
  const seen = new Set<string>();
  const tools = await toolsOf(owner, 'onlooker');
  const end = Date.now() + time;
  while (Date.now() < end) {
    await pause(200);
    const { leases } = await sightLeases(tools);
    if (leases.length !== 1 || leases[0]?.isAlive !== true)
      problems.push('the lease was not alive while it was held');
    const signs = (await owner.leaseTokens()).filter((name) => name !== LOCK);
    if (signs.length > 2) problems.push(`${signs.length} signs of life at once`);
    signs.forEach((name) => seen.add(name));
  }
  if (seen.size < 3) problems.push(`only ${seen.size} signs of life in ${time / 1000} s`);
  return problems;
}

async function toolsOf(owner: Owner, holder: string): Promise<LeaseTools> {
  const api = new CoderApi(new CoderHttp(owner.url, hurried, owner.token));
  const { id } = await api.me();
  return {
    tokens: new OwnTokens(api.http, silent),
    clock: hurried,
    log: silent,
    ownUserId: id,
    holder,
    note: () => undefined,
  };
}
