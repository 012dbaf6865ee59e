import { describe, expect, it } from 'vitest';
import type { DeploymentFacts, SuiteFacts } from '../../src/coder/facts.js';
import { parseVersion } from '../../src/coder/version.js';
import { loadConfig } from '../../src/config/load.js';
import { makePlan } from '../../src/plan/plan.js';
import type { Check } from '../../src/ready/readiness.js';
import { suiteChecks } from '../../src/ready/suite-checks.js';
import { minutes } from '../../src/units.js';
import { contextOf, factsOf, known, serverOf, templateNamed, unknown } from '../support/facts.js';

const READY: SuiteFacts = {
  features: known(['workspace_prebuilds', 'workspace_external_agent', 'aibridge']),
  experiments: known(['workspace-build-updates']),
  prebuildsPaused: known(false),
  externalAgents: known(['scaletest-task-status']),
};

const used = (name: string, signIns: string[] = []): DeploymentFacts['used'] =>
  new Map([[name, known({ template: templateNamed(name), requiredSignIns: signIns, parameters: [] })]]);

interface Situation {
  readonly suites?: Partial<SuiteFacts>;
  readonly facts?: Partial<DeploymentFacts>;
  readonly cli?: string;
}

function checksOf(name: string, flags: string, { suites = {}, facts = {}, cli = 'v2.36.0' }: Situation = {}) {
  const plan = makePlan(loadConfig('c.yaml', `suites: { ${name}: { ${flags} } }`), {
    tests: [name],
    maxDuration: minutes(600),
    cleanupInMain: true,
    rawDirectory: '/raw',
  });
  const context = contextOf({ plan, facts: factsOf({ suites: { ...READY, ...suites }, ...facts }) });
  return suiteChecks(context, parseVersion(cli));
}

const refusedOf = (checks: readonly Check[]): string[] =>
  checks.filter(({ status }) => status === 'refused').map(({ message }) => message);

const UPDATES = 'workspace-count: 4, power-user-workspaces: 2, template: pod-swdev';
const limitsOn = { rateLimit: known({ off: false, perMinute: 512 }) };

describe('suiteChecks', () => {
  it.each<[string, string, Situation]>([
    ['notifications', 'user-count: 5', {}],
    ['notifications', 'user-count: 500', { facts: limitsOn }],
    ['workspace-updates', UPDATES, {}],
    ['workspace-updates', UPDATES, { facts: limitsOn, cli: 'v2.32.0' }],
    ['workspace-updates', UPDATES, { facts: { ...limitsOn, server: serverOf('v2.31.0') } }],
    ['task-status', '', { facts: { used: used('scaletest-task-status') } }],
    ['prebuilds', '', {}],
    ['bridge', 'concurrent-users: 2, provider: messages', { suites: { features: known([]) } }],
    ['autostart', 'workspace-count: 2, template: pod-swdev', {}],
    [
      'autostart',
      'workspace-count: 2, template: pod-swdev',
      { suites: { experiments: known([]) }, cli: 'v2.31.0' },
    ],
    ['dynamic-parameters', '', {}],
  ])('has nothing against %s { %s } where everything is there', (name, flags, situation) => {
    expect(checksOf(name, flags, situation)).toEqual([
      { name: `suite ${name}`, status: 'ok', message: 'the deployment has what it needs' },
    ]);
  });

  it.each<[string, string, Situation, RegExp]>([
    ['prebuilds', '', { suites: { features: known([]) } }, /licensed feature "workspace_prebuilds"/],
    [
      'task-status',
      '',
      { suites: { features: known([]) }, facts: { used: used('scaletest-task-status') } },
      /"workspace_external_agent"/,
    ],
    [
      'bridge',
      'concurrent-users: 2, provider: messages, mode: bridge',
      { suites: { features: known([]) } },
      /"aibridge"/,
    ],
    [
      'autostart',
      'workspace-count: 2, template: pod-swdev',
      { suites: { experiments: known([]) } },
      /CODER_EXPERIMENTS=workspace-build-updates/,
    ],
    [
      'autostart',
      'workspace-count: 2, template: pod',
      {},
      /"pod" \(suites\.autostart\.template\) does not exist/,
    ],
    ['task-status', '', {}, /"scaletest-task-status" \(suites\.task-status\.template\) does not exist/],
    ['task-status', 'template: pod-swdev', {}, /has no external agent/],
    [
      'autostart',
      'workspace-count: 2, template: pod-swdev',
      { facts: { used: used('pod-swdev', ['github']) } },
      /browser sign-in to "github"/,
    ],
    ['workspace-updates', UPDATES, { facts: limitsOn }, /with the CLI 2\.36\.0 is answered 428/],
    [
      'workspace-updates',
      UPDATES,
      { facts: { rateLimit: unknown('500') } },
      /could not be read, and then every run/,
    ],
    [
      'notifications',
      'user-count: 31',
      { facts: limitsOn, cli: 'v2.31.0' },
      /31 sign-ins of "notifications" would run into 60 a minute/,
    ],
    [
      'notifications',
      'user-count: 5',
      { facts: { passwordLogin: known(false) } },
      /password login is off, so the 5 users/,
    ],
    [
      'prebuilds',
      '',
      { suites: { prebuildsPaused: known(true) } },
      /is paused, and "prebuilds" would let it go on/,
    ],
    [
      'prebuilds',
      '',
      { suites: { prebuildsPaused: unknown('500') } },
      /whether prebuilt workspaces are paused could not be read/,
    ],
  ])('refuses %s { %s }', (name, flags, situation, reason) => {
    const refusals = refusedOf(checksOf(name, flags, situation));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(reason);
  });

  it('only warns where what a suite needs could not be read', () => {
    const checks = checksOf('prebuilds', '', { suites: { features: unknown('timed out') } });
    expect(checks).toMatchObject([{ status: 'warning' }]);
    expect(checks[0]?.message).toContain('could not be read: timed out');
  });
});
