import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { makePlan, type PlanSettings } from '../../src/plan/plan.js';
import type { Plan, WorkspaceTrafficStep } from '../../src/plan/plan-types.js';
import { createStepsOf, evidenceName, stepName, trafficStepOf } from '../../src/plan/steps.js';
import { stepCeiling } from '../../src/plan/time.js';
import { atMetricsPort } from '../../src/plan/workspace-traffic.js';
import { minutes } from '../../src/units.js';
import { messagesOf, placesOf } from '../support/mistakes.js';
import { explainSkip, guideConfig, hasRecordings, sharedRoot } from '../support/shared.js';

explainSkip('the guide’s traffic');

const SETTINGS: PlanSettings = {
  tests: ['create-workspaces', 'workspace-traffic'],
  maxDuration: minutes(300),
  cleanupInMain: true,
  rawDirectory: '/tmp/raw',
};

interface Parts {
  readonly traffic?: string;
  readonly suite?: string;
  readonly groups?: readonly string[];
  readonly criteria?: readonly string[];
}
const PODS = 'pods: { template: pod-swdev, count: 100, concurrency: 10, expected_p95: 2m }';
const OTHERS = 'others: { template: ec2-datasci, count: 100, concurrency: 10, expected_p95: 2m }';

function config({ traffic = '', suite = '', groups = [PODS], criteria = [] }: Parts = {}): string {
  return `create_workspaces:
  count: ${groups.length * 100}
  ${suite}
  templates:
${groups.map((group) => `    ${group}\n`).join('')}workspace_traffic: { bytes_per_tick: 2048, tick_interval: 50ms, duration: 10m ${traffic} }
criteria: [${criteria.join(', ')}]
`;
}
const plan = (parts: Parts = {}, settings: Partial<PlanSettings> = {}, profile?: string): Plan =>
  makePlan(loadConfig('config.yaml', config(parts), profile), { ...SETTINGS, ...settings });

function trafficOf(made: Plan): WorkspaceTrafficStep {
  const step = trafficStepOf(made);
  if (step === undefined) throw new Error('no traffic is planned');
  return step;
}
const command = (parts: Parts = {}): readonly string[] => trafficOf(plan(parts)).command;

describe('workspace traffic', () => {
  it('comes after the workspaces were made, which stay', () => {
    const made = plan();
    expect(made.phases.map(({ name }) => name)).toEqual(['create', 'traffic']);
    expect(createStepsOf(made)[0]?.command).toContain('--no-cleanup');
    expect(made.suites).toEqual(['create-workspaces', 'workspace-traffic']);
  });

  it('is the CLI’s command, with its own flags', () => {
    expect(command()).toEqual([
      'coder',
      'exp',
      'scaletest',
      'workspace-traffic',
      '--bytes-per-tick=2048',
      '--tick-interval=0.05s',
      '--timeout=10m',
      '--job-timeout=10m30s',
      '--concurrency=0',
      '--template=pod-swdev',
      '--scaletest-prometheus-address=127.0.0.1:21112',
      '--scaletest-prometheus-wait=3s',
      '--output=json:/tmp/raw/workspace-traffic.json',
    ]);
  });

  it('goes to the workspaces of all templates where there are several', () => {
    expect(command({ groups: [PODS, OTHERS] }).join(' ')).not.toContain('--template');
  });

  it('goes to the token’s own workspaces where these are the test’s', () => {
    expect(command()).not.toContain('--use-host-login');
    expect(command({ suite: 'owner: token-user' })).toContain('--use-host-login');
  });

  it.each([
    ['web-terminal', []],
    ['ssh', ['--ssh']],
    ['app:code-server', ['--app=code-server']],
  ])('has the mode %s', (mode, flags) => {
    const flagsOf = command({ traffic: `, mode: "${mode}"` }).filter((part) => /^--(ssh|app)/.test(part));
    expect(flagsOf).toEqual(flags);
  });

  it('is moved to another port before it starts, and stays the same else', () => {
    const step = trafficOf(plan());
    const moved = atMetricsPort(step, 40_001);
    expect(moved.command).toContain('--scaletest-prometheus-address=127.0.0.1:40001');
    expect(moved.command.filter((part, index) => part !== step.command[index])).toHaveLength(1);
  });

  it('has time for its duration, for closing the connections and for the last scrape', () => {
    const step = trafficOf(plan());
    expect(stepCeiling(step)).toBeGreaterThanOrEqual(600 + 45);
    const without = plan({}, { tests: ['create-workspaces'] });
    expect(plan().time.load - without.time.load).toBe(stepCeiling(step));
    expect(plan().time.cleanup).toBe(without.time.cleanup);
    expect(plan().effects).toEqual(without.effects);
  });

  it('is below the ceiling of the time, or refused', () => {
    expect(messagesOf(() => plan({}, { maxDuration: minutes(45) }))).toEqual([
      expect.stringMatching(/above the ceiling of 45m \(input "max-duration"\)/),
    ]);
  });

  it('has names for the log and the evidence', () => {
    const [create] = createStepsOf(plan());
    const step = trafficOf(plan());
    expect([stepName(step), evidenceName(step)]).toEqual(['workspace-traffic', 'workspace-traffic']);
    expect(create && [stepName(create), evidenceName(create)]).toEqual(['pods', 'create-workspaces.pods']);
  });

  it('is a minute at most in the profile smoke, and never longer than configured', () => {
    expect(trafficOf(plan({}, {}, 'smoke')).timeout).toBe(60);
    const short = config().replace('duration: 10m', 'duration: 20s');
    expect(trafficOf(makePlan(loadConfig('c.yaml', short, 'smoke'), SETTINGS)).timeout).toBe(20);
  });
});

describe('the choice of suites', () => {
  it('leaves traffic out where it is not selected', () => {
    expect(trafficStepOf(plan({}, { tests: ['create-workspaces'] }))).toBeUndefined();
  });

  it('takes both with "all"', () => {
    expect(trafficStepOf(plan({}, { tests: 'all' }))).toBeDefined();
  });

  it('refuses traffic without workspaces to send it to', () => {
    expect(messagesOf(() => plan({}, { tests: ['workspace-traffic'] }))).toEqual([
      expect.stringMatching(
        /sends traffic to the workspaces of the suite "create-workspaces", which this run leaves out; select both with input "tests: create-workspaces,workspace-traffic"/,
      ),
    ]);
    const alone = 'workspace_traffic: { bytes_per_tick: 1, tick_interval: 1s, duration: 1m }\n';
    expect(messagesOf(() => makePlan(loadConfig('c.yaml', alone), { ...SETTINGS, tests: 'all' }))).toEqual([
      expect.stringMatching(/add a section "create_workspaces" to the config file/),
    ]);
  });
});

describe('criteria of traffic', () => {
  const own = (metric: string, expectation: string): Parts => ({
    criteria: [`{ id: own, metric: workspace_traffic.${metric}, expect: "${expectation}" }`],
  });

  it('are there although nobody asked', () => {
    const made = Object.fromEntries(
      plan().criteria.map(({ id, metric, expect: { text }, origin }) => [id, `${metric} ${text} ${origin}`]),
    );
    expect(made).toMatchObject({
      'workspace-traffic-success-rate': 'workspace_traffic.success_rate >= 99% default',
      'workspace-traffic-throughput-ratio': 'workspace_traffic.throughput_ratio >= 90% default',
    });
    expect(
      plan({}, { tests: ['create-workspaces'] })
        .criteria.map(({ id }) => id)
        .join(),
    ).not.toMatch(/traffic/);
  });

  it('can be taken out and replaced', () => {
    const criteria = [
      '{ id: workspace-traffic-success-rate, disabled: true, reason: "known" }',
      '{ id: workspace-traffic-throughput-ratio, metric: workspace_traffic.throughput_ratio, expect: ">= 0.5" }',
    ];
    const made = plan({ criteria }).criteria;
    expect(made.find(({ id }) => id === 'workspace-traffic-success-rate')?.disabled).toEqual({
      reason: 'known',
    });
    expect(made.find(({ id }) => id === 'workspace-traffic-throughput-ratio')?.expect).toMatchObject({
      threshold: 0.5,
      unit: 'ratio',
    });
  });

  it.each([
    ['throughput', '>= 40KB/s'],
    ['throughput', '> 1.5MiB/s'],
    ['drop_rate', '<= 1%'],
    ['read_latency', 'p95 < 250ms'],
    ['write_latency', 'max < 1s'],
    ['write_latency', 'count > 100'],
  ])('may ask of %s: %s', (metric, expectation) => {
    expect(plan(own(metric, expectation)).criteria.find(({ id }) => id === 'own')?.expect.text).toBe(
      expectation,
    );
  });

  it.each([
    ['throughput', '>= 40', /a rate like "40KB\/s" is needed/],
    ['throughput', 'p95 > 40KB/s', /asks for an aggregate, but workspace_traffic.throughput is one number/],
    ['throughput', '>= 40Kb/s', /"40Kb\/s" is no quantity/],
    ['throughput_ratio', '>= 40KB/s', /a share like "99%" is needed/],
    ['read_latency', '< 1s', /needs an aggregate, like "p95 < 1s"/],
    ['read_latency', 'p95 < 5', /a duration like "2m" is needed/],
    ['latency', 'p95 < 1s', /there is no metric "workspace_traffic.latency"; did you mean/],
  ])('may not ask of %s: %s', (metric, expectation, message) => {
    expect(messagesOf(() => plan(own(metric, expectation)))).toEqual([expect.stringMatching(message)]);
  });

  it('are refused where the suite is left out', () => {
    expect(messagesOf(() => plan(own('throughput', '>= 40KB/s'), { tests: ['create-workspaces'] }))).toEqual([
      expect.stringMatching(/one of the suite "workspace-traffic", which this run leaves out/),
    ]);
  });
});

describe('mistakes in the section', () => {
  it.each([
    [', mode: rdp', /workspace_traffic.mode: a mode is "web-terminal", "ssh" or "app:<slug>"/],
    [', mode: "app:"', /a mode is/],
    [', mode: "app:Not A Slug"', /a mode is/],
    [
      ', mode: ssh, bytes: 5',
      /unknown key "bytes" in workspace_traffic; there is "bytes_per_tick", "tick_interval", "duration", "mode"/,
    ],
  ])('%s', (traffic, message) => {
    expect(messagesOf(() => plan({ traffic }))).toEqual([expect.stringMatching(message)]);
  });

  it('a tick that is longer than the traffic lasts', () => {
    const text = config().replace('tick_interval: 50ms', 'tick_interval: 11m');
    expect(messagesOf(() => loadConfig('c.yaml', text))).toEqual([
      'workspace_traffic.tick_interval is 11m, but the traffic lasts only 10m, so nothing would be sent',
    ]);
    expect(placesOf(() => loadConfig('c.yaml', text))).toEqual(['6:59']);
  });
});

describe.runIf(hasRecordings)('the guide’s file', () => {
  it('becomes its two suites, each flag of which the CLI of every recorded age has', () => {
    const made = makePlan(loadConfig('c.yaml', guideConfig()), SETTINGS);
    expect(trafficOf(made)).toMatchObject({ bytesPerTick: 1024, timeout: 600, workspaces: 1000 });
    const eras = JSON.parse(
      readFileSync(path.join(sharedRoot, 'reference/coder-cli-eras.json'), 'utf8'),
    ) as Record<string, { commands?: Record<string, { flags: Record<string, unknown> }> }>;
    const flags = trafficOf(made).command.flatMap((part) => /^--([a-z-]+)/.exec(part)?.[1] ?? []);
    const known = Object.values(eras).flatMap(({ commands }) => commands?.['workspace-traffic'] ?? []);
    expect(known.length).toBeGreaterThan(3);
    for (const era of known) expect(Object.keys(era.flags)).toEqual(expect.arrayContaining(flags));
  });
});
