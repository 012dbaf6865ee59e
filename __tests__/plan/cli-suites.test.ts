import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.js';
import { CLI_SUITE_NAMES, CLI_SUITES, NO_SUITES } from '../../src/plan/cli-suites.js';
import { completePlan, makePlan } from '../../src/plan/plan.js';
import type { CliSuiteStep, Plan } from '../../src/plan/plan-types.js';
import { suiteStepsOf } from '../../src/plan/steps.js';
import { stepCeiling } from '../../src/plan/time.js';
import { minutes, seconds } from '../../src/units.js';
import { messagesOf, mistakesOf } from '../support/mistakes.js';
import { explainSkip, hasRecordings, sharedJson } from '../support/shared.js';

explainSkip('flags of the other suites');

function plan(config: string, tests: 'all' | readonly string[] = 'all'): Plan {
  return makePlan(loadConfig('c.yaml', config), {
    tests,
    maxDuration: minutes(600),
    cleanupInMain: true,
    rawDirectory: '/raw',
  });
}

function stepIn(config: string, tests: 'all' | readonly string[] = 'all'): CliSuiteStep {
  const [step] = suiteStepsOf(plan(config, tests));
  if (step === undefined) throw new Error('no suite was planned');
  return step;
}

const suite = (name: string, flags: string): string => `suites: { ${name}: { ${flags} } }`;

const WORKSPACES = `create_workspaces:
  count: 8
  templates:
    a: { template: pod-swdev, count: 6, concurrency: 6, expected_p95: 2m }
    b: { template: ec2-datasci, count: 2, concurrency: 2, expected_p95: 2m }
criteria:
  - { id: a-provisioning, disabled: true, reason: few }
  - { id: b-provisioning, disabled: true, reason: few }
`;

const eras = z.record(
  z.string(),
  z.object({
    commands: z.record(
      z.string(),
      z.object({ flags: z.record(z.string(), z.object({ required: z.boolean().optional() })) }),
    ),
  }),
);
const OWN = [
  'output',
  'scaletest-prometheus-address',
  'scaletest-prometheus-wait',
  'no-cleanup',
  'skip-cleanup',
  'rich-parameter-file',
  'trace-honeycomb-api-key',
];

describe.skipIf(!hasRecordings)('the table of suites', () => {
  const commands = hasRecordings
    ? Object.values(eras.parse(sharedJson('reference/coder-cli-eras.json'))).map((era) => era.commands)
    : [];

  it.each(CLI_SUITE_NAMES)('knows every flag of %s in any release, and which are needed', (name) => {
    const flags = commands.flatMap((era) => Object.entries(era[name]?.flags ?? {}));
    const known = [...new Set(flags.map(([flag]) => flag))].filter((flag) => !OWN.includes(flag));
    // Of v2.28 alone, which no era holds.
    const table = CLI_SUITES[name].flags.filter((flag) => flag !== 'owner-user-percentage');
    expect([...table].sort()).toEqual(known.sort());
    const required = [...new Set(flags.filter(([, flag]) => flag.required).map(([flag]) => flag))];
    expect([...CLI_SUITES[name].required].sort()).toEqual(required.sort());
  });

  it('has a word on every sub-command of the CLI', () => {
    const all = [...new Set(commands.flatMap(Object.keys))];
    expect([...CLI_SUITE_NAMES, ...NO_SUITES.keys()].sort()).toEqual(all.sort());
  });
});

describe('a suite of the CLI', () => {
  it.each([
    // As the recordings have it: 4 workspaces, a power user with two of them and two regular users.
    ['workspace-updates', 'workspace-count: 4, power-user-workspaces: 2, template: t', 3, 4, 3],
    ['workspace-updates', 'workspace-count: 21, power-user-workspaces: 5, template: t', 13, 21, 13],
    [
      'workspace-updates',
      'workspace-count: 9, power-user-workspaces: 3, power-user-percentage: 50, template: t',
      6,
      8,
      6,
    ],
    ['autostart', 'workspace-count: 7, template: t', 7, 7, 7],
    ['notifications', 'user-count: 20', 20, 0, 20],
    ['notifications', 'user-count: 20, reuse-users: true', 20, 0, 0],
    ['task-status', '', 10, 10, 0],
    ['dynamic-parameters', '', 100, 0, 0],
    ['bridge', 'concurrent-users: 3, provider: messages', 3, 0, 0],
    ['bridge', 'concurrent-users: 3, provider: messages, mode: bridge', 3, 0, 3],
    ['prebuilds', 'num-templates: 2, num-presets: 3, num-preset-prebuilds: 4', 2, 24, 0],
    ['create-users', 'count: 30', 30, 0, 30],
  ])('%s { %s } plans %i runs, %i workspaces and %i users', (name, flags, runs, workspaces, users) => {
    const planned = plan(suite(name, flags), [name]);
    expect(suiteStepsOf(planned)).toMatchObject([{ plannedRuns: runs, workspaces, users }]);
    expect(planned.effects).toEqual({ workspaces, users, notificationsPerAdmin: 2 * users });
  });

  it.each([
    ['chats-per-workspace: 3', 24],
    ['chats-per-workspace: 3, template: ec2-datasci', 6],
    ['chats-per-workspace: 3, target-workspaces: "2:5"', 9],
  ])('chat { %s } runs in the workspaces that were created', (flags, runs) => {
    const config = `${WORKSPACES}${suite('chat', `llm-mock-url: "http://127.0.0.1:1", ${flags}`)}\n`;
    expect(stepIn(config, ['create-workspaces', 'chat']).plannedRuns).toBe(runs);
    expect(messagesOf(() => plan(config, ['chat'])).join()).toMatch(
      /loads the workspaces of the suite "create-workspaces", which this run leaves out/,
    );
  });

  it('gets its flags as they are, with time-outs that cut no slow run off', () => {
    const step = stepIn(
      suite(
        'bridge',
        'concurrent-users: 2, provider: completions, stream: true, http-timeout: 1m, request-count: 4',
      ),
    );
    expect(step.command).toEqual([
      'coder',
      'exp',
      'scaletest',
      'bridge',
      '--concurrent-users=2',
      '--provider=completions',
      '--stream=true',
      '--http-timeout=1m',
      '--request-count=4',
      '--timeout=9m',
      '--job-timeout=9m',
      '--no-cleanup',
      '--output=json:/raw/bridge.json',
    ]);
  });

  it('keeps the time-outs of the config', () => {
    const step = stepIn(suite('notifications', 'user-count: 2, timeout: 4m, job-timeout: 3m'));
    expect(step.command).toContain('--timeout=4m');
    expect(step.command).toContain('--job-timeout=3m');
    expect(step.command.filter((part) => part.includes('timeout'))).toHaveLength(2);
  });

  it('gives a list as several flags, quoted as the CLI reads them', () => {
    const step = stepIn(suite('dynamic-parameters', 'provisioner-tag: ["a=1", "b=2,3"]'));
    expect(step.command).toEqual(
      expect.arrayContaining(['--provisioner-tag=a=1', '--provisioner-tag="b=2,3"']),
    );
  });

  it('that cannot leave the clean-up to the gate is given time for it', () => {
    const step = stepIn(suite('prebuilds', ''), ['prebuilds']);
    expect(step.command).toEqual(
      expect.arrayContaining(['--cleanup-concurrency=10', '--cleanup-timeout=10m']),
    );
    expect(stepCeiling(step)).toBeGreaterThan(seconds(step.timeout + minutes(10)));
  });

  it('runs after the guide’s own phases, and its runs are no workspaces of the groups', () => {
    const planned = plan(`${WORKSPACES}${suite('notifications', 'user-count: 3')}\n`);
    expect(planned.phases.map(({ name }) => name)).toEqual(['create', 'notifications']);
    expect(planned.effects).toMatchObject({ workspaces: 8, users: 11 });
  });

  it('has a criterion of its own, and takes others on metrics that nobody knows yet', () => {
    const planned = plan(
      `${suite('bridge', 'concurrent-users: 100, provider: messages')}
criteria:
  - { id: tokens, metric: bridge.total_tokens, expect: "min > 0" }
  - { id: slow, metric: bridge.duration, expect: "p95 < 2s" }
`,
    );
    expect(planned.criteria.map(({ id, metric }) => [id, metric]).slice(0, 1)).toEqual([
      ['bridge-success-rate', 'bridge.success_rate'],
    ]);
    expect(planned.criteria.find(({ id }) => id === 'slow')).toMatchObject({ plannedSamples: 100 });
    expect(planned.criteria.find(({ id }) => id === 'tokens')).not.toHaveProperty('plannedSamples');
  });

  it.each<[string, string, RegExp]>([
    [
      'metric: bridge.duration, expect: "p95 < 2s"',
      'bridge',
      /cannot be decided with 2 runs: a P95 needs 59, so it needs 57 more runs/,
    ],
    [
      'metric: notifications.duration, expect: "max < 2s"',
      'bridge',
      /one of the suite "notifications", which this run leaves out/,
    ],
    ['metric: bridge.duration, expect: "max < 2"', 'bridge', /compares with a quantity of another kind/],
    ['metric: brigde.duration, expect: "max < 2s"', 'bridge', /did you mean "bridge\.duration"/],
  ])('refuses a criterion { %s }', (criterion, _, reason) => {
    const config = `${suite('bridge', 'concurrent-users: 2, provider: messages')}\ncriteria:\n  - { id: x, ${criterion} }\n`;
    const messages = messagesOf(() => plan(config));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(reason);
  });

  it('gets the parameters of its template that the config does not give', () => {
    const planned = plan(suite('autostart', 'workspace-count: 2, template: t, parameter: ["size=large"]'));
    const parameter = (name: string, defaultValue: string) => ({
      name,
      defaultValue,
      required: false,
      ephemeral: false,
      options: [],
    });
    const { plan: completed, problems } = completePlan(planned, {
      parameters: new Map([['t', [parameter('size', 'small'), parameter('region', 'eu, west')]]]),
    });
    expect(problems).toEqual([]);
    expect(suiteStepsOf(completed)[0]?.command.filter((part) => part.startsWith('--parameter'))).toEqual([
      '--parameter=size=large',
      '--parameter="region=eu, west"',
    ]);
  });
});

describe('the section suites', () => {
  it.each<[string, string, string, RegExp, number, number]>([
    ['an unknown suite', 'autostrat', '', /no suite "autostrat"; did you mean "autostart"/, 1, 11],
    ['a suite with its own section', 'dashboard', '', /it has a section of its own, "dashboard"/, 1, 11],
    ['a slip in a flag', 'task-status', 'cuont: 3', /no such flag; did you mean "count"/, 1, 26],
    ['a flag with dashes', 'task-status', '"--count": 3', /without dashes before/, 1, 26],
    ['the result file', 'task-status', 'output: json', /the gate names the result file/, 1, 26],
    ['the token', 'task-status', 'token: x', /credentials to the CLI by environment/, 1, 26],
    ['the metrics page', 'task-status', 'scaletest-prometheus-wait: 1s', /chooses a free port/, 1, 26],
    ['the clean-up', 'notifications', 'user-count: 1, no-cleanup: true', /cleans up itself/, 1, 43],
    ['a secret', 'task-status', 'trace-honeycomb-api-key: x', /it is a secret/, 1, 26],
    [
      'a name that clean-up would not find',
      'task-status',
      'workspace-name-prefix: mine',
      /begin with "scaletest-"/,
      1,
      26,
    ],
    ['a duration without a unit', 'task-status', 'baseline-duration: 10', /a duration with a unit/, 1, 26],
    ['no limit', 'task-status', 'timeout: 0s', /0 would be no limit/, 1, 26],
    ['a count that is none', 'task-status', 'count: many', /a whole number is needed/, 1, 26],
    ['nothing to run', 'task-status', 'count: 0', /nothing would be run/, 1, 11],
    ['flags that are missing', 'bridge', '', /needs "concurrent-users" and "provider"/, 1, 11],
    [
      'a delay that is too short',
      'autostart',
      'workspace-count: 1, template: t, autostart-delay: 90s',
      /at least 2m/,
      1,
      57,
    ],
  ])('refuses %s at its place', (_, name, flags, message, line, column) => {
    expect(mistakesOf(() => plan(suite(name, flags), [name]))).toEqual(
      expect.arrayContaining([
        { message: expect.stringMatching(message) as unknown, location: { file: 'c.yaml', line, column } },
      ]),
    );
  });

  it('leaves a flag that it does not know to the CLI, which may be newer', () => {
    expect(stepIn(suite('task-status', 'colour: blue')).command).toContain('--colour=blue');
  });

  it('looks at suites that are not run as well', () => {
    const config = `suites:\n  bridge: { concurrent-users: 1 }\n  task-status: {}\n`;
    expect(messagesOf(() => plan(config, ['task-status'])).join()).toMatch(/bridge needs "provider"/);
  });

  it('leaves out by "all" what disturbs everybody, and says so', () => {
    const config = 'suites:\n  prebuilds: {}\n  task-status: {}\n';
    expect(plan(config)).toMatchObject({ suites: ['task-status'], leftOut: ['prebuilds'] });
    expect(plan(config, ['prebuilds'])).toMatchObject({ suites: ['prebuilds'] });
  });
});
