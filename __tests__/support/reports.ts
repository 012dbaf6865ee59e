import { judgeRun } from '../../src/judge/judge.js';
import type { Metric } from '../../src/measure/metric.js';
import type { Criterion } from '../../src/plan/plan-types.js';
import type { RunReport } from '../../src/report/run-report.js';
import { seconds } from '../../src/units.js';
import { countMetric, ratioMetric, samplesMetric } from './metrics.js';
import { criterionOf, planOf, stepOf } from './plans.js';

export const STEPS = [
  stepOf({ group: 'pod_workspaces', template: 'pod-swdev', count: 700 }),
  stepOf({ group: 'ec2_workspaces', template: 'ec2-datasci', count: 300 }),
];

const slow = (n: number, factor: number): number[] =>
  Array.from({ length: n }, (_, index) => factor * (index + 1));

/** 700 pods up to 70 s, 300 EC2 machines up to 240 s, all well. */
export const METRICS: readonly Metric[] = [
  samplesMetric(slow(700, 0.1), 0, 'create_workspaces.pod_workspaces.provisioning'),
  ratioMetric(700, 700, 'create_workspaces.pod_workspaces.success_rate'),
  samplesMetric(slow(300, 0.8), 0, 'create_workspaces.ec2_workspaces.provisioning'),
  ratioMetric(300, 300, 'create_workspaces.ec2_workspaces.success_rate'),
  countMetric(150, 'create_workspaces.all.peak_in_flight'),
];

export const CRITERIA: readonly Criterion[] = [
  criterionOf('p95 < 2m', {
    id: '14.6-pod-workspaces',
    requirement: '14.6',
    title: 'Pods',
    metric: 'create_workspaces.pod_workspaces.provisioning',
  }),
  criterionOf('p95 < 5m', {
    id: '14.7-ec2-workspaces',
    requirement: '14.7',
    title: 'EC2',
    metric: 'create_workspaces.ec2_workspaces.provisioning',
  }),
];

export interface ReportChanges extends Partial<RunReport> {
  readonly criteria?: readonly Criterion[];
  readonly problems?: readonly string[];
}

/** A report of a run that went well, with something else about it. */
export function reportOf({ criteria = CRITERIA, problems = [], ...changes }: ReportChanges = {}): RunReport {
  const metrics = changes.metrics ?? METRICS;
  return {
    environment: 'https://coder.example.com',
    startedAt: new Date('2026-01-05T06:00:00.123Z'),
    plan: planOf(STEPS, criteria),
    readiness: { schema: 1, checks: [], serverVersion: 'v2.36.0+a1b2c3d' },
    metrics,
    timeShares: [],
    steps: STEPS.map(({ group }) => ({
      group,
      driver: 'cli',
      seconds: seconds(600),
      exitCode: 0,
      endedBy: 'itself',
      causes: [],
    })),
    verdict: judgeRun(criteria, metrics, { problems }),
    resultsDirectory: 'scaletest-results/20260105T060000Z',
    evidenceOnly: false,
    ...changes,
  };
}

export const without = (name: string, ...instead: Metric[]): Metric[] => [
  ...METRICS.filter((metric) => metric.name !== `create_workspaces.${name}`),
  ...instead,
];
