import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedWorkspace } from '../../src/evidence.js';
import type { Metric } from '../../src/measure/metric.js';
import { workspaceMetricNames } from '../../src/plan/metric-names.js';
import type { RunRecord } from '../../src/measure/run-table.js';
import {
  coverageProblem,
  withheldMetrics,
  workspaceMetrics,
  type GroupEvidence,
} from '../../src/measure/workspace-metrics.js';
import { milliseconds } from '../../src/units.js';
import { judgeMetric } from '../support/metrics.js';
import { agentOf, at, buildOf, workspaceOf } from '../support/observed.js';

const START = new Date(at(0));

const runOf = (index: number, seconds: number, error?: string, startedAfter = 0): RunRecord => ({
  id: `workspacebuild/${index}`,
  startedAt: new Date(START.getTime() + startedAfter * 1000),
  duration: milliseconds(seconds * 1000),
  ...(error !== undefined && { error }),
});
const runsOf = (passed: number, failed = 0): RunRecord[] => [
  ...Array.from({ length: passed }, (_, index) => runOf(index, index + 1)),
  ...Array.from({ length: failed }, (_, index) => runOf(passed + index, 3, 'broken')),
];

const groupOf = (
  runs: GroupEvidence['runs'],
  planned: number,
  group = 'pods',
  template = 'pod-swdev',
): GroupEvidence => ({
  group,
  template,
  planned,
  driver: 'cli',
  runs,
  evidence: `evidence/create-workspaces.${group}.json`,
});

const observed = (workspaces: readonly ObservedWorkspace[]) => ({ observedAt: at(100), workspaces });
const many = (count: number, template = 'pod-swdev'): ObservedWorkspace[] =>
  Array.from({ length: count }, () => workspaceOf({}, { template }));

function metric(metrics: readonly Metric[], name: string): Metric {
  const found = metrics.find((one) => one.name === `create_workspaces.${name}`);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

describe('coverage', () => {
  it.each([
    ['nothing was run', groupOf([], 100), /pods: the suite ran zero workspaces of 100 planned/],
    [
      'too few were run',
      groupOf(runsOf(94), 100),
      /only 94 of 100 planned workspaces were run; at least 95 %/,
    ],
    [
      'more were run than planned',
      groupOf(runsOf(101), 100),
      /101 workspaces were run, but 100 were planned/,
    ],
    [
      'a run took no time',
      groupOf([...runsOf(99), runOf(99, 0)], 100),
      /1 runs passed in 0 ms, which no workspace can/,
    ],
    ['the file cannot be used', groupOf({ unusable: 'pods: truncated' }, 100), /pods: truncated/],
  ])('is a problem when %s', (_, group, message) => {
    expect(coverageProblem(group)).toMatch(message);
    const metrics = workspaceMetrics([group], observed(many(100)));
    for (const name of ['provisioning', 'success_rate', 'peak_in_flight'])
      for (const slice of ['pods', 'all'])
        expect(judgeMetric('>= 0%', metric(metrics, `${slice}.${name}`)).verdict).toBe('error');
  });

  it.each([
    ['95 of 100', groupOf(runsOf(95), 100)],
    ['19 of 20', groupOf(runsOf(19), 20)],
    ['failures of any kind', groupOf(runsOf(0, 100), 100)],
    [
      'a queued run that failed in 0 ms',
      groupOf([...runsOf(99), runOf(99, 0, 'context deadline exceeded')], 100),
    ],
  ])('is no problem with %s', (_, group) => {
    expect(coverageProblem(group)).toBeUndefined();
  });
});

describe('metrics of the runs', () => {
  it('count a run that failed, or that the file lacks, as infinitely slow', () => {
    const metrics = workspaceMetrics([groupOf(runsOf(94, 3), 100)], observed(many(94)));
    expect(metric(metrics, 'pods.provisioning')).toMatchObject({ failed: 6, samples: { length: 94 } });
    expect(metric(metrics, 'pods.success_rate')).toMatchObject({ good: 94, total: 100 });
  });

  it('always have as many samples as were planned, in ascending order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.nat(3), (planned, failing, missing) => {
        const run = Math.max(0, planned - missing);
        const failed = Math.min(failing, run);
        const group = groupOf(runsOf(run - failed, failed), planned);
        fc.pre(coverageProblem(group) === undefined);
        const provisioning = metric(workspaceMetrics([group], observed(many(planned))), 'pods.provisioning');
        if (provisioning.shape !== 'samples') throw new Error(provisioning.shape);
        expect(provisioning.samples.length + provisioning.failed).toBe(planned);
        expect(provisioning.samples).toEqual([...provisioning.samples].sort((a, b) => a - b));
      }),
    );
  });

  it('tell how many were in flight at once', () => {
    const runs = [
      runOf(0, 10, undefined, 0),
      runOf(1, 10, undefined, 5),
      runOf(2, 10, undefined, 8),
      runOf(3, 1, 'x', 15),
    ];
    expect(
      metric(workspaceMetrics([groupOf(runs, 4)], observed(many(4))), 'pods.peak_in_flight'),
    ).toMatchObject({ value: 3 });
  });

  it('tell whose clock they were measured by', () => {
    const byApi = { ...groupOf(runsOf(2), 2), driver: 'api' } as const;
    const of = (group: GroupEvidence) =>
      metric(workspaceMetrics([group], observed(many(2))), 'pods.provisioning');
    expect(of(groupOf(runsOf(2), 2))).toMatchObject({ source: 'cli-result' });
    expect(of(byApi)).toMatchObject({ source: 'load' });
  });

  it('of all groups together are their sum', () => {
    const groups = [groupOf(runsOf(10), 10), groupOf(runsOf(18, 2), 20, 'ec2', 'ec2-datasci')];
    const metrics = workspaceMetrics(groups, observed([...many(10), ...many(20, 'ec2-datasci')]));
    expect(metric(metrics, 'all.success_rate')).toMatchObject({ good: 28, total: 30 });
    expect(metric(metrics, 'all.provisioning')).toMatchObject({ failed: 2, samples: { length: 28 } });
    expect(metric(metrics, 'all.provisioning')).toMatchObject({
      evidence: ['evidence/create-workspaces.pods.json', 'evidence/create-workspaces.ec2.json'],
    });
  });

  it('of all groups are missing when one group’s are', () => {
    const groups = [groupOf(runsOf(10), 10), groupOf([], 20, 'ec2', 'ec2-datasci')];
    const metrics = workspaceMetrics(groups, observed(many(10)));
    expect(metric(metrics, 'pods.success_rate').shape).toBe('ratio');
    expect(metric(metrics, 'all.success_rate')).toMatchObject({
      shape: 'missing',
      reason: expect.stringMatching(/^ec2:/) as string,
    });
  });
});

describe('metrics of the server', () => {
  it('count what never came to be as waiting for ever', () => {
    const metrics = workspaceMetrics([groupOf(runsOf(8, 2), 10)], observed(many(8)));
    expect(metric(metrics, 'pods.queue')).toMatchObject({
      failed: 2,
      samples: Array.from({ length: 8 }, () => 1),
    });
    expect(metric(metrics, 'pods.build')).toMatchObject({ failed: 2 });
  });

  it('are missing when workspaces cannot be seen that runs say they made', () => {
    const metrics = workspaceMetrics([groupOf(runsOf(10), 10)], observed(many(5)));
    for (const name of [
      'queue',
      'build',
      'agent',
      'ready',
      'first_attempt_success_rate',
      'peak_building',
      'peak_alive',
    ])
      expect(metric(metrics, `pods.${name}`)).toMatchObject({
        shape: 'missing',
        reason: 'pods: the deployment shows 5 workspaces, but 10 runs passed',
      });
  });

  it('are missing when the API did not answer, and the runs’ own are not', () => {
    const metrics = workspaceMetrics([groupOf(runsOf(10), 10)], { unusable: 'no answer within 30 s' });
    expect(metric(metrics, 'pods.peak_alive')).toMatchObject({
      shape: 'missing',
      reason: 'no answer within 30 s',
    });
    expect(metric(metrics, 'pods.provisioning').shape).toBe('samples');
  });

  it.each([
    ['ran nothing', groupOf([], 10), [], /ran zero workspaces of 10 planned/],
    [
      'has no file and no workspaces',
      groupOf({ unusable: 'pods: no result file' }, 10),
      [],
      /pods: no result file/,
    ],
  ])('are missing when a group %s: nothing alive is then no measurement', (_, group, workspaces, reason) => {
    const metrics = workspaceMetrics([group], observed(workspaces));
    for (const name of ['peak_alive', 'peak_building', 'queue'])
      for (const slice of ['pods', 'all'])
        expect(metric(metrics, `${slice}.${name}`)).toMatchObject({
          shape: 'missing',
          reason: expect.stringMatching(reason) as string,
        });
  });

  it('are shown, but not judged, when the runs cannot be used', () => {
    const groups = [
      groupOf({ unusable: 'pods: no result file' }, 10),
      groupOf(runsOf(3), 3, 'ec2', 'ec2-datasci'),
    ];
    const metrics = workspaceMetrics(groups, observed([...many(7), ...many(3, 'ec2-datasci')]));
    expect(metric(metrics, 'pods.peak_alive')).toMatchObject({ value: 7 });
    const withheld = withheldMetrics(metrics, groups);
    for (const name of ['pods.peak_alive', 'pods.queue', 'all.peak_alive']) {
      expect(withheld[`create_workspaces.${name}`]).toBe('pods: no result file');
    }
    expect(withheld).not.toHaveProperty(['create_workspaces.ec2.peak_alive']);
  });

  it('look at the group’s own template only', () => {
    const groups = [groupOf(runsOf(2), 2), groupOf(runsOf(3), 3, 'ec2', 'ec2-datasci')];
    const metrics = workspaceMetrics(
      groups,
      observed([...many(2), ...many(3, 'ec2-datasci'), ...many(9, 'other')]),
    );
    expect(metric(metrics, 'pods.peak_alive')).toMatchObject({ value: 2 });
    expect(metric(metrics, 'ec2.peak_alive')).toMatchObject({ value: 3 });
    expect(metric(metrics, 'all.peak_alive')).toMatchObject({ value: 5 });
  });

  it('tell first attempts from retries', () => {
    const retried = workspaceOf(
      {},
      {
        builds: [buildOf({}, { status: 'failed' }), buildOf({ begin: 20 }, { number: 2 })],
        agents: [agentOf({ begin: 20 })],
      },
    );
    const metrics = workspaceMetrics([groupOf(runsOf(2), 2)], observed([retried, workspaceOf()]));
    expect(metric(metrics, 'pods.first_attempt_success_rate')).toMatchObject({ good: 1, total: 2 });
    expect(metric(metrics, 'pods.success_rate')).toMatchObject({ good: 2, total: 2 });
  });

  it('tell how many were built at once, also such as still are', () => {
    const running = workspaceOf(
      {},
      {
        builds: [{ id: 'b', number: 1, status: 'running', createdAt: at(0), startedAt: at(5) }],
        agents: [],
        status: 'starting',
      },
    );
    const metrics = workspaceMetrics(
      [groupOf(runsOf(2, 1), 3)],
      observed([workspaceOf({ queue: 1, build: 10 }), workspaceOf({ queue: 4, build: 10 }), running]),
    );
    expect(metric(metrics, 'pods.peak_building')).toMatchObject({ value: 3 });
    expect(metric(metrics, 'pods.peak_alive')).toMatchObject({ value: 2 });
  });
});

it('a run always has every metric that a criterion can name, measured or missing', () => {
  const groups = [groupOf(runsOf(2), 2), groupOf({ unusable: 'x' }, 3, 'ec2', 'ec2-datasci')];
  for (const observation of [observed(many(2)), { unusable: 'y' }]) {
    const names = workspaceMetrics(groups, observation).map(({ name }) => name);
    const planned = new Map([
      ['all', 5],
      ['pods', 2],
      ['ec2', 3],
    ]);
    const known = workspaceMetricNames(planned).map(({ name }) => name);
    expect([...names].sort()).toEqual([...known].sort());
  }
});
