import { describe, expect, it, vi } from 'vitest';
import { releaseLease, sightLeases, type Lease } from '../../src/coder/held-lease.js';
import { resumeLease, takeLease } from '../../src/coder/lease.js';
import { minutes } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock } from '../support/fakes.js';
import {
  callerOf,
  leaseTokens,
  letTimePass,
  locks,
  signs,
  StandingClock,
  type Caller,
} from '../support/leases.js';

stopDeploymentsAfterEach();

const LIFETIME = minutes(60);
const VERSIONS = ['v2.21.3', 'v2.31.0', 'v2.36.0'];

async function held(caller: Caller): Promise<Lease> {
  const taken = await takeLease(LIFETIME, caller);
  if ('heldBy' in taken) throw new Error(`held by ${taken.heldBy.holder ?? '?'}`);
  return taken.lease;
}
const quick = hurriedClock(50);
const first = (deployment: CoderDeployment) => callerOf(deployment, 'run 1', { clock: new StandingClock() });
const second = (deployment: CoderDeployment) => callerOf(deployment, 'run 2', { clock: quick });

describe('a lock that cannot be noted', () => {
  it('is not kept: nobody who comes after could release it', async () => {
    const deployment = await startDeployment();
    const caller = await first(deployment);
    const note = (): void => {
      throw new Error('ENOSPC: no space left on device');
    };
    await expect(takeLease(LIFETIME, { ...caller, note })).rejects.toThrow('ENOSPC');
    expect(leaseTokens(deployment)).toEqual([]);
  });
});

describe.each(VERSIONS)('the lease on %s', (version) => {
  it('is held by the first until it releases it, and leaves no token', async () => {
    const deployment = await startDeployment({ version });
    const caller = await first(deployment);
    const other = await second(deployment);
    const lease = await held(caller);
    expect(caller.notes).toEqual([lease.lockId]);
    expect(leaseTokens(deployment).map(({ lastUsedAt }) => lastUsedAt)).toEqual([null, null]);

    const refused = await takeLease(LIFETIME, other);
    expect(refused).toMatchObject({ heldBy: { holder: 'run 1', isAlive: true, isOwnUser: true } });
    expect(locks(deployment).map(({ id }) => id)).toEqual([lease.lockId]);

    await lease.release();
    expect(caller.notes).toEqual([lease.lockId, undefined]);
    expect(leaseTokens(deployment)).toEqual([]);
    await (await held(other)).release();
    expect(leaseTokens(deployment)).toEqual([]);
  });

  it('masks the tokens’ values, and logs none', async () => {
    const deployment = await startDeployment({ version });
    const caller = await first(deployment);
    const lease = await held(caller);
    const values = leaseTokens(deployment).map(({ id, secret }) => `${id}-${secret}`);
    expect(caller.log.masked).toEqual(values);
    for (const value of values) expect(caller.log.lines.join('\n')).not.toContain(value.slice(11));
    await lease.release();
  });

  it('of a dead run is taken over, and what that left is removed', async () => {
    const deployment = await startDeployment({ version });
    const dead = await held(await first(deployment));
    await dead.leave();
    letTimePass(deployment, 299);
    expect(await takeLease(LIFETIME, await second(deployment))).toMatchObject({
      heldBy: { holder: 'run 1' },
    });
    letTimePass(deployment, 2);
    const caller = await second(deployment);
    const lease = await held(caller);
    expect(caller.log.lines.join('\n')).toMatch(
      /The lease of run 1 since .* is taken over: it gives no sign/,
    );
    expect(locks(deployment).map(({ id }) => id)).toEqual([lease.lockId]);
    expect(signs(deployment)).toHaveLength(1);
    await lease.release();
  });

  it('of a dead run goes to exactly one of many who come at once', async () => {
    const deployment = await startDeployment({
      version,
      latency: { baseMs: 3, sigma: 0.5, perRequestMs: 0 },
    });
    await (await held(await first(deployment))).leave();
    letTimePass(deployment, 301);
    const callers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => callerOf(deployment, `taker ${index}`, { clock: quick })),
    );
    const outcomes = await Promise.all(callers.map((caller) => takeLease(LIFETIME, caller)));
    const leases = outcomes.flatMap((outcome) => ('lease' in outcome ? [outcome.lease] : []));
    expect(leases).toHaveLength(1);
    expect(locks(deployment).map(({ id }) => id)).toEqual([leases[0]?.lockId]);
    const winner = outcomes.findIndex((outcome) => 'lease' in outcome);
    for (const outcome of outcomes)
      if ('heldBy' in outcome) expect(outcome.heldBy.holder).toBe(`taker ${winner}`);
    await leases[0]?.release();
    expect(leaseTokens(deployment)).toEqual([]);
  });
});

describe('a held lease', () => {
  async function holding(options: Parameters<typeof startDeployment>[0] = {}) {
    const deployment = await startDeployment(options);
    const clock = new StandingClock();
    const caller = await callerOf(deployment, 'run 1', { clock });
    const lease = await held(caller);
    const pass = async (seconds: number): Promise<void> => {
      await vi.waitFor(() => expect(clock.sleeping).toBe(1));
      letTimePass(deployment, seconds);
      clock.advance(seconds * 1000);
    };
    return { deployment, clock, caller, lease, pass };
  }

  it('is renewed every two minutes: the next sign is there before the last is deleted', async () => {
    const { deployment, caller, lease, pass } = await holding();
    const most: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const [before] = signs(deployment).map(({ id }) => id);
      await pass(120);
      await vi.waitFor(() => {
        most.push(signs(deployment).length);
        expect(signs(deployment).map(({ id }) => id)).not.toContain(before);
      });
    }
    expect(Math.min(...most)).toBe(1);
    expect(locks(deployment)).toHaveLength(1);
    // Eight minutes old, and alive.
    const { leases } = await sightLeases(caller);
    expect(leases).toMatchObject([{ holder: 'run 1', isAlive: true }]);
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
  });

  it('is still held after the deployment did not answer for long, when nobody came', async () => {
    const { deployment, caller, lease, pass, clock } = await holding();
    deployment.options.statusOverride = { 'POST /api/v2/users/{user}/keys/tokens': 500 };
    await pass(120);
    for (let retry = 0; retry < 20; retry += 1) await pass(15);
    expect((await sightLeases(caller)).leases).toMatchObject([{ isAlive: false }]);
    deployment.options.statusOverride = {};
    await pass(15);
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    expect((await sightLeases(caller)).leases).toMatchObject([{ isAlive: true, holder: 'run 1' }]);
    await lease.check(new AbortController().signal);
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    expect(leaseTokens(deployment)).toEqual([]);
  });

  it('that was taken over in the meantime is lost: no more signs, and the taker’s is not released', async () => {
    const { deployment, caller, lease, pass } = await holding();
    letTimePass(deployment, 301);
    const taker = await held(await second(deployment));
    await pass(120);
    await vi.waitFor(() => expect(lease.lost.aborted).toBe(true));
    expect((lease.lost.reason as Error).message).toMatch(
      /^the lease of this run was taken over by run 2 at 20/,
    );
    expect(caller.log.lines.join('\n')).toMatch(/taken over by run 2 .* nothing is removed/);
    const before = leaseTokens(deployment).map(({ id }) => id);
    await lease.release();
    expect(leaseTokens(deployment).map(({ id }) => id)).toEqual(before);
    expect(locks(deployment).map(({ id }) => id)).toEqual([taker.lockId]);
    await taker.release();
  });

  it('knows of its loss when it is asked, before the next renewal', async () => {
    const { deployment, lease } = await holding();
    await lease.check(new AbortController().signal);
    expect(lease.lost.aborted).toBe(false);
    for (const lock of locks(deployment)) deployment.state.tokens.delete(lock.id);
    await lease.check(new AbortController().signal);
    expect((lease.lost.reason as Error).message).toContain('was taken over or removed while it ran');
    await lease.release();
  });

  it('that cannot be released says so, and ends by itself', async () => {
    const { deployment, caller, lease } = await holding();
    deployment.options.statusOverride = { 'DELETE /api/v2/users/{user}/keys/{keyid}': 403 };
    await lease.release();
    expect(caller.log.lines.join('\n')).toMatch(
      /could not be released: .*403.*ends by itself in five minutes/,
    );
    expect(caller.notes).toEqual([lease.lockId]);
    letTimePass(deployment, 301);
    expect((await sightLeases(caller)).leases).toMatchObject([{ isAlive: false }]);
  });

  it('is gone on with by another process of the same run, which gives a sign at once', async () => {
    const { deployment, caller, lease } = await holding();
    await lease.leave();
    letTimePass(deployment, 290);
    const successor = await second(deployment);
    const resumed = await resumeLease(lease.lockId, successor);
    await vi.waitFor(() => expect(signs(deployment)).toHaveLength(2));
    letTimePass(deployment, 60);
    expect((await sightLeases(caller)).leases).toMatchObject([{ isAlive: true }]);
    await resumed?.release();
    expect(leaseTokens(deployment)).toEqual([]);
    expect(await resumeLease(lease.lockId, successor)).toBeUndefined();
  });

  it('is released by its id alone, and only it', async () => {
    const { deployment, lease } = await holding();
    await lease.leave();
    const successor = await second(deployment);
    await releaseLease('otherkeyid', successor);
    expect(locks(deployment)).toHaveLength(1);
    await releaseLease(lease.lockId, successor);
    expect(leaseTokens(deployment)).toEqual([]);
  });

  it('is released again by whoever comes after when a sign of life stays', async () => {
    const { deployment, lease } = await holding();
    await lease.leave();
    const successor = await second(deployment);
    vi.spyOn(successor.tokens, 'list').mockRejectedValueOnce(new Error('a login page'));
    await expect(releaseLease(lease.lockId, successor)).rejects.toThrow('a login page');
    expect(successor.notes).toEqual([]);
    await releaseLease(lease.lockId, successor);
    expect(leaseTokens(deployment)).toEqual([]);
    expect(successor.notes).toEqual([undefined]);
  });
});

describe('whoever is about to delete', () => {
  const asIfLater = (clock: StandingClock, byMs: number): void => {
    vi.spyOn(clock, 'now').mockImplementation(() => new Date(Date.now() + byMs));
  };

  it('asks nobody while the last sign of life is fresh', async () => {
    const deployment = await startDeployment();
    const lease = await held(await first(deployment));
    const before = deployment.state.requestCounts.get('GET /api/v2/users/{user}/keys/tokens/{keyname}');
    await lease.confirm();
    expect(deployment.state.requestCounts.get('GET /api/v2/users/{user}/keys/tokens/{keyname}')).toBe(before);
    await lease.release();
  });

  it('gives a new sign when the machine has slept, and goes on where nobody came', async () => {
    const deployment = await startDeployment();
    const clock = new StandingClock();
    const lease = await held(await callerOf(deployment, 'run 1', { clock }));
    letTimePass(deployment, 900);
    asIfLater(clock, 900_000);
    await Promise.all([lease.confirm(), lease.confirm()]);
    expect(signs(deployment)).toHaveLength(1);
    expect((await sightLeases(await second(deployment))).leases).toMatchObject([{ isAlive: true }]);
    await lease.release();
    expect(leaseTokens(deployment)).toEqual([]);
  });

  it('learns that another run has come, also one that has ended since', async () => {
    const deployment = await startDeployment();
    const clock = new StandingClock();
    const lease = await held(await callerOf(deployment, 'run 1', { clock }));
    letTimePass(deployment, 900);
    const others = await held(await second(deployment));
    asIfLater(clock, 900_000);
    await expect(lease.confirm()).rejects.toThrow('the lease of this run was taken over by run 2');
    expect(lease.lost.aborted).toBe(true);
    await others.release();
    await expect(lease.confirm()).rejects.toThrow('was taken over');
    await lease.leave();
  });

  it('does not go on when the deployment does not answer', async () => {
    const deployment = await startDeployment();
    const clock = new StandingClock();
    const lease = await held(await callerOf(deployment, 'run 1', { clock }));
    asIfLater(clock, 900_000);
    deployment.options.apiDown = true;
    await expect(lease.confirm()).rejects.toThrow(/cannot be reached/);
    expect(lease.lost.aborted).toBe(false);
    deployment.options.apiDown = false;
    await lease.confirm();
    await lease.release();
  });
});

describe('taking the lease', () => {
  it('makes a lock that lives as long as the server allows, when that is shorter', async () => {
    const deployment = await startDeployment({ maxAdminTokenLifetimeSeconds: 1800 });
    const lease = await held(await first(deployment));
    expect(locks(deployment).map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([1800]);
    await lease.release();
  });

  it('that the deployment refuses leaves nothing, whichever call it refuses', async () => {
    const deployment = await startDeployment();
    const caller = await first(deployment);
    const create = 'POST /api/v2/users/{user}/keys/tokens';
    deployment.options.statusOverride = { [create]: 403 };
    await expect(takeLease(LIFETIME, caller)).rejects.toMatchObject({ status: 403 });
    expect(leaseTokens(deployment)).toEqual([]);

    deployment.options.statusOverride = {};
    const originalCreate = caller.tokens.create.bind(caller.tokens);
    let calls = 0;
    caller.tokens.create = (...args) => {
      calls += 1;
      if (calls === 2) deployment.options.statusOverride = { [create]: 500 };
      return originalCreate(...args);
    };
    await expect(takeLease(LIFETIME, caller)).rejects.toMatchObject({ status: 500 });
    expect(leaseTokens(deployment)).toEqual([]);
    expect(caller.notes.at(-1)).toBeUndefined();
  });

  it('that is cancelled after the lock was made gives it back', async () => {
    const deployment = await startDeployment();
    const caller = await first(deployment);
    const cancel = new AbortController();
    const note = caller.note;
    const cancelled = {
      ...caller,
      note: (lockId: string | undefined) => {
        note(lockId);
        cancel.abort(new Error('cancelled'));
      },
    };
    await expect(takeLease(LIFETIME, cancelled, cancel.signal)).rejects.toThrow('cancelled');
    expect(caller.notes).toEqual([expect.stringMatching(/^[A-Za-z0-9]{10}$/), undefined]);
    expect(leaseTokens(deployment)).toEqual([]);
  });

  it('sees another user’s run, and of two who came at once the later gives way', async () => {
    const deployment = await startDeployment();
    const member = [...deployment.state.users.values()].find(
      ({ username }) => username === 'ordinary-member',
    );
    if (member) member.roles = ['owner'];
    const asMember = await callerOf(deployment, 'run of the other', {
      clock: quick,
      token: deployment.memberToken,
    });
    const lease = await held(await first(deployment));
    expect(await takeLease(LIFETIME, asMember)).toMatchObject({
      heldBy: { holder: 'run 1', user: 'ci-admin', isOwnUser: false },
    });
    await lease.release();

    const [one, two] = await Promise.all([
      takeLease(LIFETIME, await first(deployment)),
      takeLease(LIFETIME, asMember),
    ]);
    const leases = [one, two].flatMap((taken) => ('lease' in taken ? [taken.lease] : []));
    expect(leases.length).toBeLessThanOrEqual(1);
    await Promise.all(leases.map((each) => each.release()));
    expect(leaseTokens(deployment)).toEqual([]);
  });
});
