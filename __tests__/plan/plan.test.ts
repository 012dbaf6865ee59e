import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { completePlan, makePlan, type PlanSettings } from '../../src/plan/plan.js';
import type { Plan, TemplateParameter } from '../../src/plan/plan-types.js';
import { createStepsOf } from '../../src/plan/steps.js';
import { minutes } from '../../src/units.js';
import { messagesOf, placesOf } from '../support/mistakes.js';
import { explainSkip, guideConfig, hasRecordings } from '../support/shared.js';

explainSkip('the plan of the guide’s config');

const SETTINGS: PlanSettings = {
  tests: ['create-workspaces'],
  maxDuration: minutes(300),
  cleanupInMain: true,
  rawDirectory: '/tmp/raw',
};
const GOOD = `create_workspaces:
  count: 400
  templates:
    pods: { template: pod-swdev, count: 300, concurrency: 100, expected_p95: 2m }
    slow_ones: { template: ec2-datasci, count: 100, concurrency: 25, expected_p95: 5m, requirement: "9.9" }
`;
interface Changes extends Partial<PlanSettings> {
  readonly usedProfile?: string;
}

function plan(text = GOOD, { usedProfile, ...settings }: Changes = {}): Plan {
  return makePlan(loadConfig('config.yaml', text, usedProfile), { ...SETTINGS, ...settings });
}
const refusals = (text: string, changes: Changes = {}): string[] => messagesOf(() => plan(text, changes));
const steps = createStepsOf;
const expectations = (made: Plan): Record<string, string> =>
  Object.fromEntries(made.criteria.map(({ id, metric, expect: { text } }) => [id, `${metric} ${text}`]));
const withCriteria = (...entries: string[]): string =>
  `${GOOD}criteria:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`;

describe.runIf(hasRecordings)('the guide’s file', () => {
  it('becomes two groups at the same time, with the guide’s requirements', () => {
    const made = plan(guideConfig());
    expect(made.phases).toHaveLength(1);
    expect(steps(made).map(({ group, count, concurrency }) => [group, count, concurrency])).toEqual([
      ['pod_workspaces', 700, 100],
      ['ec2_workspaces', 300, 50],
    ]);
    expect(expectations(made)).toEqual({
      '14.6-pod-workspaces': 'create_workspaces.pod_workspaces.provisioning p95 < 2m',
      '14.7-ec2-workspaces': 'create_workspaces.ec2_workspaces.provisioning p95 < 5m',
      'create-workspaces-success-rate': 'create_workspaces.all.success_rate >= 99%',
      '14.11-alive-at-once': 'create_workspaces.all.peak_alive >= 990',
      'cleanup-leftover-workspaces': 'cleanup.leftover_workspaces == 0',
      'cleanup-leftover-users': 'cleanup.leftover_users == 0',
      'coderd-restarts': 'coderd.restarts == 0',
    });
    expect(made.effects).toEqual({ workspaces: 1000, users: 1000, notificationsPerAdmin: 2000 });
  });

  it('is planned with all its three suites, one after the other', () => {
    const made = plan(guideConfig(), { tests: 'all' });
    expect(made.phases.map(({ name }) => name)).toEqual(['create', 'dashboard', 'traffic']);
    expect(expectations(made)).toMatchObject({
      '14.9-api-latency-p95': 'api.latency p95 < 500ms',
      '14.10-api-latency-p99': 'api.latency p99 < 1000ms',
      'api-success-rate': 'api.success_rate >= 99%',
    });
    // The owners of workspaces are the virtual users: nobody is made for the load alone.
    expect(made.effects.users).toBe(1000);
  });

  it('is decided by the slowest build in the profile smoke', () => {
    const made = plan(guideConfig(), { usedProfile: 'smoke', profile: 'smoke' });
    expect(steps(made).map(({ count }) => count)).toEqual([7, 3]);
    expect(expectations(made)['14.6-pod-workspaces']).toMatch(/ max < 2m$/);
    expect(made.profile).toBe('smoke');
  });
});

describe('steps', () => {
  it('have time for three times the expected P95, at least ten minutes', () => {
    expect(steps(plan()).map(({ jobTimeout }) => jobTimeout)).toEqual([600, 900]);
  });

  it('have time for all waves, at least half an hour', () => {
    const text = GOOD.replace('count: 400', 'count: 1100')
      .replace('count: 300', 'count: 1000')
      .replace('concurrency: 100', 'concurrency: 20');
    const [pods, slow] = steps(plan(text));
    expect(pods?.timeout).toBeGreaterThanOrEqual(50 * 120);
    expect(slow?.timeout).toBe(1800);
  });

  it('take the times of the config', () => {
    const text = GOOD.replace(
      'expected_p95: 2m',
      'expected_p95: 2m, timeout: 45m, job_timeout: 20m, retry: 1',
    );
    expect(steps(plan(text))[0]).toMatchObject({ timeout: 2700, jobTimeout: 1200, retries: 1 });
    expect(steps(plan(text))[0]?.command).toEqual(
      expect.arrayContaining(['--timeout=45m', '--job-timeout=20m', '--retry=1']),
    );
  });

  it('are all in flight at once where the config demands so many', () => {
    const text = GOOD.replace('count: 400\n', 'count: 400\n  simultaneous: 400\n');
    const made = plan(text);
    expect(steps(made).map(({ concurrency }) => concurrency)).toEqual([300, 100]);
    expect(expectations(made)['14.11-in-flight-at-once']).toBe('create_workspaces.all.peak_in_flight >= 400');
  });

  it('write their raw results where they are told, one file a group', () => {
    const files = steps(plan()).map(({ resultFile }) => resultFile);
    expect(files).toEqual([
      '/tmp/raw/create-workspaces.pods.json',
      '/tmp/raw/create-workspaces.slow_ones.json',
    ]);
    expect(steps(plan())[0]?.command).toContain(`--output=json:${files[0]}`);
  });

  it('make no users where the token’s own user owns the workspaces', () => {
    const made = plan(GOOD.replace('count: 400\n', 'count: 400\n  owner: token-user\n'));
    expect(made.effects).toEqual({ workspaces: 400, users: 0, notificationsPerAdmin: 0 });
    expect(steps(made)[0]?.command).toContain('--use-host-login');
  });
});

describe('criteria', () => {
  it('carry the requirement of the config, and none where there is none', () => {
    const ids = Object.keys(expectations(plan()));
    expect(ids).toContain('9.9-slow-ones');
    expect(ids).toContain('pods-provisioning');
  });

  it('know how many samples are planned', () => {
    const made = plan();
    const planned = Object.fromEntries(made.criteria.map(({ id, plannedSamples }) => [id, plannedSamples]));
    expect(planned).toMatchObject({
      'pods-provisioning': 300,
      '9.9-slow-ones': 100,
      'create-workspaces-success-rate': 400,
      'cleanup-leftover-users': undefined,
    });
  });

  it('expect nothing of clean-up where main does not clean up', () => {
    expect(Object.keys(expectations(plan(GOOD, { cleanupInMain: false }))).join()).not.toMatch(/cleanup/);
  });

  it('can be overridden by their id', () => {
    const made = plan(
      withCriteria(
        '{ id: create-workspaces-success-rate, metric: create_workspaces.all.success_rate, expect: ">= 95%" }',
      ),
    );
    const same = made.criteria.filter(({ id }) => id === 'create-workspaces-success-rate');
    expect(same.map(({ expect: { threshold } }) => threshold)).toEqual([0.95]);
  });

  it('demand that coderd does not begin anew, where that can be seen', () => {
    const restarts = (text: string) => plan(text).criteria.filter(({ id }) => id === 'coderd-restarts');
    expect(restarts(GOOD)).toEqual([expect.objectContaining({ whereSeen: true, origin: 'default' })]);
    const own = restarts(withCriteria('{ id: coderd-restarts, metric: coderd.restarts, expect: "<= 1" }'));
    expect(own).toHaveLength(1);
    expect(own[0]).not.toHaveProperty('whereSeen');
    const out = restarts(withCriteria('{ id: coderd-restarts, disabled: true, reason: rolling update }'));
    expect(out).toEqual([expect.objectContaining({ disabled: { reason: 'rolling update' } })]);
  });

  it('can be taken out with a reason, and stay visible', () => {
    const made = plan(withCriteria('{ id: cleanup-leftover-users, disabled: true, reason: shared users }'));
    const same = made.criteria.filter(({ id }) => id === 'cleanup-leftover-users');
    expect(same).toEqual([expect.objectContaining({ disabled: { reason: 'shared users' } })]);
  });

  it('cannot be taken out when they are not there', () => {
    expect(refusals(withCriteria('{ id: nothing, disabled: true, reason: x }'))).toEqual([
      expect.stringMatching(/"nothing" is disabled, but this run has no criterion of that id/),
    ]);
  });

  it('follow the success rate of the config', () => {
    const made = plan(GOOD.replace('count: 400\n', 'count: 400\n  success_rate: "99.9%"\n'));
    expect(expectations(made)).toMatchObject({
      'create-workspaces-success-rate': 'create_workspaces.all.success_rate >= 99.9%',
      '14.11-alive-at-once': 'create_workspaces.all.peak_alive >= 400',
    });
  });

  it.each([
    [
      'a mistyped metric',
      'create_workspaces.pods.provisionin',
      'p95 < 1m',
      /no metric "create_workspaces.pods.provisionin"; did you mean "create_workspaces.pods.provisioning"/,
    ],
    [
      'a group that is not there',
      'create_workspaces.gpus.queue',
      'p95 < 1m',
      /there is no metric "create_workspaces.gpus.queue"/,
    ],
    [
      'an aggregate of one number',
      'create_workspaces.all.success_rate',
      'p95 >= 99%',
      /asks for an aggregate.*one number; write ">= 99%"/,
    ],
    [
      'samples without an aggregate',
      'create_workspaces.pods.queue',
      '< 1m',
      /needs an aggregate, like "p95 < 1m"/,
    ],
    ['a share of seconds', 'create_workspaces.pods.queue', 'p95 < 99%', /a duration like "2m" is needed/],
    [
      'a bare number of seconds',
      'create_workspaces.pods.queue',
      'p95 < 30',
      /a duration like "2m" is needed/,
    ],
    ['a duration of a count', 'create_workspaces.all.peak_alive', '>= 5m', /a plain number is needed/],
    ['a duration of a share', 'create_workspaces.all.success_rate', '>= 5m', /a share like "99%" is needed/],
    ['a share above one', 'create_workspaces.all.success_rate', '>= 99', /a share like "99%" is needed/],
    ['a count of durations', 'create_workspaces.pods.queue', 'count >= 5m', /a plain number is needed/],
  ])('are refused for %s', (_, metric, expectation, message) => {
    expect(refusals(withCriteria(`{ id: own, metric: ${metric}, expect: "${expectation}" }`))).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it.each([
    ['create_workspaces.all.success_rate', '>= 0.95'],
    ['create_workspaces.pods.queue', 'count >= 300'],
    ['create_workspaces.slow_ones.ready', 'p90 < 6m'],
    ['create_workspaces.all.first_attempt_success_rate', '>= 98%'],
    ['create_workspaces.all.peak_building', '<= 50'],
  ])('may ask of %s: %s', (metric, expectation) => {
    const made = plan(withCriteria(`{ id: own, metric: ${metric}, expect: "${expectation}" }`));
    expect(expectations(made)['own']).toBe(`${metric} ${expectation}`);
  });

  it('cannot ask of a suite that is left out', () => {
    expect(refusals(withCriteria('{ id: own, metric: api.latency, expect: "p95 < 1s" }'))).toEqual([
      expect.stringMatching(/is one of the suite "dashboard", which this run leaves out/),
    ]);
  });

  it.each(['monitor.cpu'])('cannot ask of %s yet', (metric) => {
    expect(refusals(withCriteria(`{ id: own, metric: ${metric}, expect: "p95 < 1s" }`))).toEqual([
      expect.stringMatching(
        new RegExp(`the metric "${metric}" is not available yet; take the criterion out`),
      ),
    ]);
  });

  it('have their mistakes shown at the metric', () => {
    const text = withCriteria('{ id: own, metric: api.latency, expect: "p95 < 1s" }');
    expect(placesOf(() => plan(text))).toEqual(['7:24']);
  });

  it('check the warning level like the expectation', () => {
    const text = withCriteria(
      '{ id: own, metric: create_workspaces.pods.queue, expect: "p95 < 1m", warn: "< 5" }',
    );
    expect(refusals(text)).toEqual([expect.stringMatching(/"< 5" needs an aggregate/)]);
    expect(placesOf(() => plan(text))).toEqual(['7:80']);
  });

  it('that ask for what their metric is not are shown at what they ask', () => {
    const text = withCriteria('{ id: own, metric: create_workspaces.pods.queue, expect: "p95 < 99%" }');
    expect(placesOf(() => plan(text))).toEqual(['7:62']);
  });

  it('that are taken out may have a title and a requirement of their own', () => {
    const entry =
      '{ id: cleanup-leftover-users, disabled: true, reason: shared, title: Users, requirement: "9" }';
    expect(plan(withCriteria(entry)).criteria).toContainEqual(
      expect.objectContaining({ title: 'Users', requirement: '9', disabled: { reason: 'shared' } }),
    );
  });
});

describe('plans that cannot be run', () => {
  it('a quantile that so few workspaces cannot decide', () => {
    const text = GOOD.replace('count: 400', 'count: 340').replace('count: 100,', 'count: 40,');
    expect(refusals(text)).toEqual([
      expect.stringMatching(
        /"9.9-slow-ones" \(p95 < 5m\) cannot be decided with 40 workspaces: a P95 needs 59, so it needs 19 more workspaces/,
      ),
    ]);
  });

  it('but one that only informs', () => {
    const entry =
      '{ id: own, metric: create_workspaces.pods.queue, expect: "p99.9 < 1m", informational: true }';
    expect(plan(withCriteria(entry)).criteria.at(-1)).toMatchObject({ id: 'own', informational: true });
  });

  it('more workspaces or more time than the ceilings', () => {
    const messages = refusals(GOOD, { maxWorkspaces: 100, maxDuration: minutes(10) });
    expect(messages).toEqual([
      expect.stringMatching(
        /the plan has 400 workspaces, above the ceiling of 100 \(input "max-workspaces"\); raise it, or choose a smaller profile/,
      ),
      expect.stringMatching(/the plan may take .* above the ceiling of 10m \(input "max-duration"\)/),
    ]);
  });

  it('suites that nobody knows, or that are not configured', () => {
    expect(refusals(GOOD, { tests: ['create-workspace'] })).toEqual([
      expect.stringMatching(
        /names "create-workspace", which is no suite; did you mean "create-workspaces"\?/,
      ),
    ]);
    expect(
      refusals('dashboard: { concurrency: 1, duration: 1m }\n', { tests: ['create-workspaces'] }),
    ).toEqual([
      expect.stringMatching(/names "create-workspaces", but the config file has no section for it/),
    ]);
  });

  it('a file that configures nothing', () => {
    expect(refusals('x-empty: true\n', { tests: 'all' })).toEqual([
      expect.stringMatching(/configures no suite; add a section "create_workspaces"/),
    ]);
  });

  it.each([
    [
      'a metric that is not seen during the load',
      '{ id: a, metric: create_workspaces.all.queue, expect: "max < 1m", abort: true }',
      /criterion "a": "abort" needs a metric that is seen while the load goes on: .*; create_workspaces\.all\.queue is none/,
    ],
    [
      'what decides nothing',
      '{ id: a, metric: create_workspaces.all.success_rate, expect: ">= 50%", abort: true, informational: true }',
      /criterion "a": "abort" ends the load, but "informational" decides nothing/,
    ],
  ])('an end of the load by %s', (_, criterion, message) => {
    expect(refusals(withCriteria(criterion))).toEqual([expect.stringMatching(message)]);
  });

  it('every reason at once', () => {
    const text = withCriteria(
      '{ id: a, metric: api.latency, expect: "p95 < 1s" }',
      '{ id: b, metric: create_workspaces.pods.queue, expect: "p99.9 < 1m" }',
    );
    expect(refusals(text, { maxWorkspaces: 5 })).toHaveLength(3);
  });
});

describe('time', () => {
  it('is the longest of each phase’s steps, with what surrounds it', () => {
    const { time } = plan();
    expect(time.load).toBeGreaterThanOrEqual(1800);
    expect(time.total).toBeGreaterThan(time.load + time.cleanup);
    expect(time.jobMinutes * 60).toBeGreaterThanOrEqual(time.total);
    expect(time.slotsKnown).toBe(false);
  });

  it('is shorter with more provisioners', () => {
    const outline = { parameters: new Map<string, readonly TemplateParameter[]>() };
    const few = completePlan(plan(), { ...outline, slots: 2 }).plan.time;
    const many = completePlan(plan(), { ...outline, slots: 40 }).plan.time;
    expect(few).toMatchObject({ slots: 2, slotsKnown: true });
    expect(few.cleanup).toBeGreaterThan(many.cleanup);
    expect(few.total - few.cleanup).toBe(many.total - many.cleanup);
  });
});

describe('completePlan', () => {
  const region: TemplateParameter = {
    name: 'region',
    required: false,
    ephemeral: false,
    defaultValue: 'eu-west-1,eu-west-2',
    options: [],
  };

  it('puts the template’s parameters into the command', () => {
    const { plan: complete, problems } = completePlan(plan(), {
      parameters: new Map([['ec2-datasci', [region]]]),
    });
    expect(problems).toEqual([]);
    const slow = steps(complete)[1];
    expect(slow?.command).toContain('--parameter="region=eu-west-1,eu-west-2"');
    expect(slow?.parametersComplete).toBe(true);
    expect(steps(complete)[0]?.parametersComplete).toBe(false);
  });

  it('names what has no value', () => {
    const needed = { ...region, required: true };
    const { problems } = completePlan(plan(), { parameters: new Map([['ec2-datasci', [needed]]]) });
    expect(problems).toEqual([
      expect.stringMatching(/"ec2-datasci" needs a value for its parameter "region"/),
    ]);
  });
});

describe('a profile of few workspaces', () => {
  const asked = withCriteria(
    '{ id: queue, metric: create_workspaces.pods.queue, expect: "p95 < 30s", warn: "p90 < 15s" }',
    '{ id: median, metric: create_workspaces.pods.queue, expect: "p50 < 2s" }',
    '{ id: not-too-fast, metric: create_workspaces.pods.provisioning, expect: "p95 > 1s" }',
  );

  it('asks of every workspace what no quantile could decide, and leaves what one can', () => {
    expect(expectations(plan(asked, { usedProfile: 'smoke' }))).toMatchObject({
      queue: 'create_workspaces.pods.queue max < 30s',
      median: 'create_workspaces.pods.queue p50 < 2s',
    });
    const queue = plan(asked, { usedProfile: 'smoke' }).criteria.find(({ id }) => id === 'queue');
    expect(queue?.warn?.text).toBe('max < 15s');
  });

  it('changes nothing where there are enough', () => {
    expect(expectations(plan(asked))).toMatchObject({ queue: 'create_workspaces.pods.queue p95 < 30s' });
  });
});
