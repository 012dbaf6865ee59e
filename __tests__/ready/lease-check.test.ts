import { describe, expect, it } from 'vitest';
import {
  heldSentence,
  leaseIsFree,
  leaseIsHeld,
  leaseIsRefused,
  otherOwnersCheck,
} from '../../src/ready/lease-check.js';
import { checkReadiness } from '../../src/ready/ready.js';
import type { SightedLease } from '../../src/coder/lease-marks.js';
import { contextOf, factsOf, known, later, NOW, unknown, USER } from '../support/facts.js';

const lease = (changes: Partial<SightedLease> = {}): SightedLease => ({
  lockId: 'AbCdEf0123',
  user: 'ci-admin',
  isOwnUser: true,
  holder: 'run 1',
  since: NOW,
  isAlive: true,
  ...changes,
});

describe('what is said of a lease that is held', () => {
  it('names the run and since when', () => {
    expect(heldSentence(lease(), 'run 2')).toBe(
      'another scale test holds the lease of this deployment: run 1, since 2026-01-05T06:00:00.000Z',
    );
  });

  it('names the user, when it is another, and says when it is the same run', () => {
    expect(heldSentence(lease({ isOwnUser: false, user: 'anna' }), 'run 2')).toContain(
      'run 1, as the user "anna"',
    );
    expect(heldSentence(lease(), 'run 1')).toContain('run 1 (another job or step of this same run)');
  });

  it('owns up to not knowing which run it is', () => {
    expect(heldSentence(lease({ holder: undefined }), 'run 2')).toContain(
      'a run that has not said which it is',
    );
  });

  it('refuses a run, with what to do', () => {
    expect(leaseIsHeld(lease(), 'run 2')).toMatchObject({
      status: 'refused',
      message: expect.stringMatching(/"lease-wait".*five minutes after its last sign of life/) as string,
    });
    expect(leaseIsRefused('answered 403')).toMatchObject({
      status: 'refused',
      message: expect.stringMatching(/answered 403.*make, list and delete/) as string,
    });
  });
});

describe('mode preflight', () => {
  it('says that the lease is free, held, or left by a dead run', () => {
    expect(leaseIsFree([], 'run 2')).toEqual({ name: 'lease', status: 'ok', message: 'free' });
    expect(leaseIsFree([lease()], 'run 2')).toMatchObject({ status: 'warning' });
    expect(leaseIsFree([lease({ isAlive: false, isOwnUser: false })], 'run 2').message).toBe('free');
    expect(leaseIsFree([lease({ isAlive: false })], 'run 2')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^free: run 1 took it at 2026.* gives no sign of life/) as string,
    });
  });
});

describe('scale-test workspaces of another owner', () => {
  const workspace = (owner: string, ownerId: string) => ({
    id: 'w',
    name: 'scaletest-old-0',
    created_at: later(-3),
    owner_id: ownerId,
    owner_name: owner,
    organization_id: 'org',
    template_id: 't',
    template_name: 'pod-swdev',
    latest_build: {
      id: 'b',
      workspace_id: 'w',
      build_number: 1,
      template_version_id: 'v',
      transition: 'start' as const,
      status: 'running',
      job: { id: 'j', created_at: NOW, status: 'succeeded' },
      resources: [],
    },
  });
  const found = (...workspaces: ReturnType<typeof workspace>[]) =>
    contextOf({ facts: factsOf({ leftovers: known({ workspaces, users: [] }) }), leftovers: 'clean' });

  it('are warned of, since the lease does not keep other users apart', () => {
    const { checks } = checkReadiness(found(workspace('anna', 'anna-id')), [], undefined);
    expect(checks.find(({ name }) => name === 'other owners')).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/^1 scale-test workspaces belong to anna: another owner's/) as string,
    });
  });

  it('are not those of scale-test users, nor the own', () => {
    expect(otherOwnersCheck(found(workspace('scaletest-x-0', 'x')))).toBeUndefined();
    expect(otherOwnersCheck(found(workspace(USER.username, USER.id)))).toBeUndefined();
    expect(otherOwnersCheck({ facts: factsOf({ leftovers: unknown('no answer') }) })).toBeUndefined();
  });
});
