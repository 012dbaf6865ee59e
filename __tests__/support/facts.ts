import type { DeploymentFacts } from '../../src/coder/facts.js';
import { parseVersion } from '../../src/coder/version.js';
import type { CheckContext } from '../../src/ready/checks.js';
import { planOf, stepOf } from './plans.js';

export const NOW = new Date('2026-01-05T06:00:00Z');
export const later = (hours: number): Date => new Date(NOW.getTime() + hours * 3_600_000);
export const known = <T>(value: T) => ({ known: true as const, value });
export const unknown = (reason: string) => ({ known: false as const, reason });

export const USER = {
  id: 'owner-id',
  username: 'ci-admin',
  email: 'ci@example.com',
  created_at: NOW,
  organization_ids: ['org'],
  roles: [{ name: 'owner' }],
};

export const templateNamed = (name: string, buildMilliseconds: number | null = null) => ({
  id: `${name}-id`,
  name,
  organization_id: 'org',
  active_version_id: `${name}-version`,
  build_time_stats: { start: { P50: buildMilliseconds } },
});

/** What is known of a template that the plan uses. */
export const usedTemplate = (
  name: string,
  { buildMilliseconds = null, signIns = [] }: { buildMilliseconds?: number | null; signIns?: string[] } = {},
): DeploymentFacts['used'] =>
  new Map([
    [
      name,
      known({ template: templateNamed(name, buildMilliseconds), requiredSignIns: signIns, parameters: [] }),
    ],
  ]);

export const daemons = (count: number, status = 'idle') =>
  Array.from({ length: count }, (_, index) => ({ id: `daemon-${index}`, status, tags: {} }));

export function serverOf(versionText: string) {
  return { versionText, version: parseVersion(versionText), time: NOW };
}

/** A deployment that is ready for a scale test. */
export function factsOf(changes: Partial<DeploymentFacts> = {}): DeploymentFacts {
  return {
    server: serverOf('v2.36.0+a1b2c3d'),
    user: known(USER),
    credentialExpiry: known(later(24 * 30)),
    passwordLogin: known(true),
    rateLimit: known({ off: true, perMinute: 512 }),
    templates: known([templateNamed('pod-swdev'), templateNamed('ec2-datasci')]),
    used: usedTemplate('pod-swdev', { buildMilliseconds: 30_000 }),
    daemons: known(daemons(20)),
    leftovers: known({ workspaces: [], users: [] }),
    unknownRoutes: known([]),
    ...changes,
  };
}

export function contextOf(changes: Partial<CheckContext> = {}): CheckContext {
  return {
    facts: factsOf(),
    plan: planOf([stepOf()]),
    leftovers: 'fail',
    credential: 'token',
    event: 'workflow_dispatch',
    hasSubject: true,
    freeBytes: 10e9,
    ...changes,
  };
}
