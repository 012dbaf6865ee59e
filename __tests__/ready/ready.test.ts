import { describe, expect, it } from 'vitest';
import { checkReadiness } from '../../src/ready/ready.js';
import { isReady, refusals, type Check } from '../../src/ready/readiness.js';
import type { CheckContext } from '../../src/ready/checks.js';
import { parseVersion } from '../../src/coder/version.js';
import {
  contextOf,
  daemons,
  factsOf,
  known,
  later,
  NOW,
  templateNamed,
  unknown,
  usedTemplate,
  USER,
} from '../support/facts.js';
import { planOf, stepOf } from '../support/plans.js';

const CLI = parseVersion('v2.36.0');
const check = (context: CheckContext, problems: readonly string[] = []) =>
  checkReadiness(context, problems, CLI);
const withFacts = (changes: Parameters<typeof factsOf>[0], more: Partial<CheckContext> = {}): CheckContext =>
  contextOf({ facts: factsOf(changes), ...more });
function only(context: CheckContext, status: Check['status'], problems: readonly string[] = []): string[] {
  return check(context, problems)
    .checks.filter((one) => one.status === status)
    .map(({ message }) => message);
}

const leftoverWorkspace = {
  id: 'w',
  name: 'scaletest-old-0',
  created_at: later(-3),
  owner_id: 'u',
  owner_name: 'scaletest-old-0',
  organization_id: 'org',
  template_id: 'pod-swdev-id',
  template_name: 'pod-swdev',
  latest_build: {
    id: 'b',
    workspace_id: 'w',
    build_number: 1,
    template_version_id: 'pod-swdev-version',
    transition: 'start' as const,
    status: 'running',
    job: { id: 'j', created_at: NOW, status: 'succeeded' },
    resources: [],
  },
};
const leftovers = known({
  workspaces: [leftoverWorkspace],
  users: [{ ...USER, username: 'scaletest-old-0' }],
});

describe('a deployment that is ready', () => {
  it('has nothing refused or warned of', () => {
    const readiness = check(contextOf());
    expect(isReady(readiness)).toBe(true);
    expect(readiness.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(readiness.serverVersion).toBe('v2.36.0+a1b2c3d');
  });
});

describe('what is refused', () => {
  it.each<[string, CheckContext, RegExp]>([
    [
      'an ordinary member',
      withFacts({ user: known({ ...USER, roles: [] }) }),
      /"ci-admin" is an ordinary member, but scale tests need an owner/,
    ],
    [
      'another role',
      withFacts({ user: known({ ...USER, roles: [{ name: 'auditor' }] }) }),
      /has the role auditor, but/,
    ],
    [
      'an unknown identity',
      withFacts({ user: unknown('GET /api/v2/users/me answered 401: sign in') }),
      /answered 401: sign in/,
    ],
    [
      'a token that dies during the run',
      withFacts({ credentialExpiry: known(later(0.5)) }),
      /the token ends at 2026-01-05T06:30:00.000Z, but the run with its clean-up may take/,
    ],
    ['a dead token', withFacts({ credentialExpiry: known(later(-1)) }), /the token ends at/],
    [
      'a session that dies during the run',
      withFacts({ credentialExpiry: known(later(0.5)) }, { credential: 'password' }),
      /the session ends at/,
    ],
    ['templates that cannot be read', withFacts({ templates: unknown('no') }), /templates could not be read/],
    [
      'a template that is not there',
      withFacts({ used: new Map(), templates: known([templateNamed('pod-swdev-2')]) }),
      /template "pod-swdev" does not exist; did you mean "pod-swdev-2".*There are: pod-swdev-2/,
    ],
    [
      'no templates at all',
      withFacts({ used: new Map(), templates: known([]) }),
      /does not exist; the deployment has no templates/,
    ],
    [
      'an owner who is called like a scale-test user',
      withFacts({ user: known({ ...USER, username: 'scaletest-admin' }) }),
      /"scaletest-admin" is called like a scale-test user/,
    ],
    [
      'a sign-in that scale-test users cannot make',
      withFacts({ used: usedTemplate('pod-swdev', { signIns: ['GitHub'] }) }),
      /template "pod-swdev" needs a browser sign-in to "GitHub"/,
    ],
    [
      'no password login',
      withFacts({ passwordLogin: known(false) }),
      /password login is off.*"owner: token-user"/,
    ],
    [
      'leftovers',
      withFacts({ leftovers }),
      /1 workspaces and 1 users of an earlier scale test are there: scaletest-old-0\/scaletest-old-0 \(3 h old\).*"mode: cleanup".*"leftovers: clean".*may belong to a test that is running/,
    ],
    [
      'leftovers that cannot be read',
      withFacts({ leftovers: unknown('no') }),
      /whether scale-test resources are left could not be read/,
    ],
    [
      'no provisioner',
      withFacts({ daemons: known([]) }),
      /no provisioner is online, .*; start one for the templates' organization/,
    ],
    [
      'only offline provisioners',
      withFacts({ daemons: known(daemons(3, 'offline')) }),
      /no provisioner is online/,
    ],
    [
      'a queue of more than half an hour',
      withFacts({
        daemons: known(daemons(1)),
        used: usedTemplate('pod-swdev', { buildMilliseconds: 240_000 }),
      }),
      /10 builds at once on 1 provisioners wait up to 40m, but the server fails builds that were pending for 30 minutes/,
    ],
    [
      'a full disk',
      contextOf({ freeBytes: 1e6 }),
      /1 MB are free, but the result files of 100 workspaces may take \d+ MB/,
    ],
  ])('%s', (_, context, message) => {
    expect(only(context, 'refused')).toEqual([expect.stringMatching(message)]);
    expect(isReady(check(context))).toBe(false);
  });

  it('an unknown identity alone, without what follows from it', () => {
    const context = withFacts({ user: unknown('401'), templates: unknown('401'), leftovers: unknown('401') });
    expect(only(context, 'refused')).toEqual([expect.stringMatching(/could not be read: 401/)]);
  });

  it('parameters without a value', () => {
    expect(only(contextOf(), 'refused', ['the template "x" needs a value for "y"'])).toEqual([
      'the template "x" needs a value for "y"',
    ]);
  });

  it('is told all at once', () => {
    const context = withFacts(
      { user: known({ ...USER, roles: [] }), passwordLogin: known(false), daemons: known([]), leftovers },
      { freeBytes: 5 },
    );
    expect(refusals(check(context))).toHaveLength(5);
  });
});

describe('what is warned of', () => {
  it.each<[string, CheckContext, RegExp]>([
    [
      'a token that dies before next week’s run',
      withFacts({ credentialExpiry: known(later(24 * 6)) }, { event: 'schedule' }),
      /before the next weekly run/,
    ],
    [
      'an expiry that cannot be read',
      withFacts({ credentialExpiry: unknown('no') }),
      /expiry could not be read: no/,
    ],
    [
      'password login that cannot be read',
      withFacts({ passwordLogin: unknown('no') }),
      /could not be read: no/,
    ],
    [
      'leftovers that will be removed first',
      withFacts({ leftovers }, { leftovers: 'clean' }),
      /they will be removed first/,
    ],
    [
      'provisioners that cannot be read',
      withFacts({ daemons: unknown('no') }),
      /provisioners could not be read/,
    ],
    [
      'a long queue by a guess',
      withFacts(
        {
          daemons: known(daemons(1)),
          used: usedTemplate('pod-swdev'),
        },
        { plan: planOf([stepOf({ concurrency: 60 })]) },
      ),
      /if a build takes as long as its expected P95/,
    ],
    [
      'a pull request without a subject',
      contextOf({ event: 'pull_request', hasSubject: false }),
      /"subject" does not say what is under test/,
    ],
    ['unknown disk space', contextOf({ freeBytes: undefined }), /free disk space could not be read/],
  ])('%s', (_, context, message) => {
    expect(only(context, 'warning')).toEqual([expect.stringMatching(message)]);
    expect(isReady(check(context))).toBe(true);
  });

  it.each([
    [
      'a password signs in afresh each week',
      withFacts({ credentialExpiry: known(later(24 * 6)) }, { event: 'schedule', credential: 'password' }),
    ],
    ['nobody runs it every week', withFacts({ credentialExpiry: known(later(24 * 6)) })],
    [
      'the token’s own user needs no password login',
      withFacts({ passwordLogin: known(false) }, { plan: planOf([stepOf({ owner: 'token-user' })]) }),
    ],
    ['a pull request has a subject', contextOf({ event: 'pull_request' })],
    ['it is no pull request', contextOf({ event: 'schedule', hasSubject: false })],
  ])('not: %s', (_, context) => {
    expect(only(context, 'warning')).toEqual([]);
    expect(isReady(check(context))).toBe(true);
  });
});

describe('the pace under the rate limit', () => {
  const limited = (concurrency: number, count = 1000) =>
    contextOf({
      facts: factsOf({ rateLimit: known({ off: false, perMinute: 512 }) }),
      plan: planOf([stepOf({ count, concurrency })]),
    });
  const aboutPace = (context: CheckContext) =>
    only(context, 'warning').filter((text) => text.includes('a minute'));

  it('is told when it keeps fewer builds in flight than asked for', () => {
    // Builds of 30 s at 7.68 users a second: 231 at once.
    expect(aboutPace(limited(400))).toEqual([
      expect.stringMatching(/created at 460 a minute.*builds of 30s about 231 .* instead of 400/),
    ]);
  });

  it('is not told when it does not matter', () => {
    expect(aboutPace(limited(200))).toEqual([]);
    expect(aboutPace(limited(400, 400))).toEqual([]);
  });
});
