import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOCK_NAME, leasesAmong, livenessName, readLivenessName } from '../../src/coder/lease-marks.js';

const NOW = new Date('2026-01-05T06:00:00Z');
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const token = (name: string, id: string, created: number, expires: number, user = 'me') => ({
  id,
  user_id: user,
  username: user,
  token_name: name,
  created_at: at(created),
  expires_at: at(expires),
});
const URL = 'https://github.com/octo-org/infrastructure/actions/runs/42/attempts/1';
const ID = 'AbCdEf0123';
const lock = (created: number, expires = 3600) => token(LOCK_NAME, ID, created, expires);
const sign = (created: number, id = ID, user = 'me') =>
  token(livenessName(id, '0a', URL), `sign${created}`, created, created + 300, user);
const only = (...tokens: ReturnType<typeof token>[]) => leasesAmong(tokens, 'me', NOW)[0];

describe('the name of a sign of life', () => {
  it('says which lock and which run, in a few safe characters', () => {
    const name = livenessName(ID, '0a', URL);
    expect(name).toMatch(/^[A-Za-z0-9_.%-]+$/);
    expect(readLivenessName(name)).toEqual({ lockId: ID, holder: URL });
  });

  it('stays short, and never breaks its reader', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (holder) => {
        const name = livenessName(ID, '0a', holder);
        expect(name.length).toBeLessThan(450);
        expect(readLivenessName(name)?.lockId).toBe(ID);
      }),
    );
    expect(readLivenessName('ci')).toBeUndefined();
    expect(readLivenessName(LOCK_NAME)).toBeUndefined();
    expect(readLivenessName(`scaletest-gate-alive_${ID}_0a_%E0%A4%A`)?.holder).toBe('%E0%A4%A');
  });
});

describe('a lease', () => {
  it('is alive with a living sign, however old its lock, and even when that has expired', () => {
    expect(only(lock(-4000, -400), sign(-100))).toMatchObject({
      isAlive: true,
      holder: URL,
      since: at(-4000),
    });
  });

  it('is alive while its lock is young, sign or not', () => {
    expect(only(lock(-299))).toMatchObject({ isAlive: true, holder: undefined });
    expect(only(lock(-300))).toMatchObject({ isAlive: false });
  });

  it('is dead when the lock has expired without a sign, however young', () => {
    expect(only(lock(-100, -1))).toMatchObject({ isAlive: false });
  });

  it('is dead when its last sign has expired, though that is still listed, and its holder is known', () => {
    expect(only(lock(-1000), sign(-301), sign(-400))).toMatchObject({ isAlive: false, holder: URL });
  });

  it('is not kept alive by a sign of another lock, or of another user', () => {
    expect(only(lock(-1000), sign(-10, 'another0id'))).toMatchObject({ isAlive: false });
    expect(only(lock(-1000), sign(-10, ID, 'other'))).toMatchObject({ isAlive: false });
  });

  it('is not kept alive by a token that lives longer than the gate makes them', () => {
    const forYears = token(livenessName(ID, '0a', URL), 'me', -600, 10 ** 8);
    expect(only(lock(-1000), forYears)).toMatchObject({ isAlive: false });
  });

  it('is none without a lock', () => {
    expect(leasesAmong([sign(-10), token('ci', 'x', -10, 10)], 'me', NOW)).toEqual([]);
  });
});
