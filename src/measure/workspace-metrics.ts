import type { ObservedWorkspaces, ObservedWorkspace } from '../evidence.js';
import {
  ascending,
  peakOverlap,
  type CountMetric,
  type Metric,
  type RatioMetric,
  type SampleMetric,
} from './metric.js';
import { countRuns, hasPassed, passedSeconds, type Runs } from './run-table.js';
import { buildInterval, isAlive, NEVER, passedAtFirst, stagesOf, type Stages } from './stages.js';
import { COVERAGE } from './coverage.js';

/** What a group's step left behind: its runs, or why they cannot be used. */
export interface GroupEvidence {
  readonly group: string;
  readonly template: string;
  readonly planned: number;
  readonly driver: 'cli' | 'api';
  readonly runs: Runs | { readonly unusable: string };
  /** Where the result file without its logs is kept. */
  readonly evidence: string;
}

/** The server's view; or why it could not be read. */
export type Observation = ObservedWorkspaces | { readonly unusable: string };

const PHASE = 'create';
export const OBSERVATION_FILE = 'evidence/workspaces.json';

/** Why a group's runs say nothing; undefined when they can be judged. */
export function coverageProblem({ group, planned, runs }: GroupEvidence): string | undefined {
  if ('unusable' in runs) return runs.unusable;
  if (runs.length === 0) return `${group}: the suite ran zero workspaces of ${planned} planned`;
  if (runs.length < planned * COVERAGE) {
    return `${group}: only ${runs.length} of ${planned} planned workspaces were run; at least ${COVERAGE * 100} % are needed`;
  }
  if (runs.length > planned)
    return `${group}: ${runs.length} workspaces were run, but ${planned} were planned`;
  const implausible = countRuns(runs, (run) => hasPassed(run) && run.duration < 1);
  if (implausible > 0) return `${group}: ${implausible} runs passed in 0 ms, which no workspace can`;
  return undefined;
}

/** All metrics of the suite create-workspaces: of each group, and of all together. */
export function workspaceMetrics(
  groups: readonly GroupEvidence[],
  observation: Observation,
): readonly Metric[] {
  const all: Slice = { name: 'all', groups };
  const slices: Slice[] = [all, ...groups.map((group) => ({ name: group.group, groups: [group] }))];
  return slices.flatMap((slice) => [...runMetrics(slice), ...serverMetrics(slice, observation)]);
}

/** One group, or all of them. */
interface Slice {
  readonly name: string;
  readonly groups: readonly GroupEvidence[];
}

const RUN_METRICS = ['provisioning', 'success_rate', 'peak_in_flight'];
const plannedOf = ({ groups }: Slice): number => groups.reduce((sum, { planned }) => sum + planned, 0);
const metricName = (slice: Slice, metric: string): string => `create_workspaces.${slice.name}.${metric}`;

function runMetrics(slice: Slice): Metric[] {
  const problem = slice.groups.map(coverageProblem).find((found) => found !== undefined);
  if (problem !== undefined)
    return RUN_METRICS.map((metric) => ({
      name: metricName(slice, metric),
      shape: 'missing',
      reason: problem,
    }));
  const usable = slice.groups.flatMap(({ runs }) => ('unusable' in runs ? [] : [runs]));
  const passed = ascending(usable.flatMap(passedSeconds));
  const origin = {
    phase: PHASE,
    // With driver api the file has the same shape, but its times are the gate's own.
    source: slice.groups.every(({ driver }) => driver === 'cli') ? 'cli-result' : 'load',
    evidence: slice.groups.map(({ evidence }) => evidence),
  } as const;
  const planned = plannedOf(slice);
  const provisioning: SampleMetric = {
    ...origin,
    name: metricName(slice, 'provisioning'),
    shape: 'samples',
    unit: 'seconds',
    samples: passed,
    // Runs that the file lacks failed as well: the few that coverage lets through are not left out.
    failed: planned - passed.length,
  };
  const successRate: RatioMetric = {
    ...origin,
    name: metricName(slice, 'success_rate'),
    shape: 'ratio',
    good: passed.length,
    total: planned,
  };
  const inFlight: CountMetric = {
    ...origin,
    name: metricName(slice, 'peak_in_flight'),
    shape: 'count',
    value: peakOverlap(intervalsOf(usable)),
  };
  return [provisioning, successRate, inFlight];
}

function* intervalsOf(
  groups: readonly Runs[],
): Generator<{ readonly from: number; readonly to: number }, undefined> {
  for (const runs of groups)
    for (const { startedAt, duration } of runs)
      yield { from: startedAt.getTime(), to: startedAt.getTime() + duration };
}

const STAGES = ['queue', 'build', 'agent', 'ready'] as const;
const SERVER_METRICS = [...STAGES, 'first_attempt_success_rate', 'peak_building', 'peak_alive'];

function serverMetrics(slice: Slice, observation: Observation): Metric[] {
  const workspaces = 'unusable' in observation ? [] : observedOf(slice, observation);
  const problem =
    'unusable' in observation
      ? observation.unusable
      : (nothingRun(slice, observation) ?? lostWorkspaces(slice, workspaces));
  if (problem !== undefined || 'unusable' in observation) {
    return SERVER_METRICS.map((metric) => ({
      name: metricName(slice, metric),
      shape: 'missing',
      reason: problem ?? 'not observed',
    }));
  }
  const origin = { phase: PHASE, source: 'coder-api', evidence: [OBSERVATION_FILE] } as const;
  const planned = plannedOf(slice);
  // Workspaces that never came to be waited for ever.
  const stages = [
    ...workspaces.map(stagesOf),
    ...Array.from({ length: Math.max(0, planned - workspaces.length) }, () => NEVER),
  ];
  const stageMetric = (stage: keyof Stages): SampleMetric => {
    const values = stages.map((one) => one[stage]);
    const finite = values.filter(Number.isFinite);
    return {
      ...origin,
      name: metricName(slice, stage),
      shape: 'samples',
      unit: 'seconds',
      samples: ascending(finite),
      failed: values.length - finite.length,
    };
  };
  const intervals = workspaces.flatMap(({ builds }) =>
    builds.flatMap((build) => buildInterval(build, observation.observedAt) ?? []),
  );
  return [
    ...STAGES.map(stageMetric),
    {
      ...origin,
      name: metricName(slice, 'first_attempt_success_rate'),
      shape: 'ratio',
      good: workspaces.filter(passedAtFirst).length,
      total: Math.max(planned, workspaces.length),
    },
    { ...origin, name: metricName(slice, 'peak_building'), shape: 'count', value: peakOverlap(intervals) },
    {
      ...origin,
      name: metricName(slice, 'peak_alive'),
      shape: 'count',
      value: workspaces.filter(isAlive).length,
    },
  ];
}

export function observedOf(
  slice: { readonly groups: readonly { readonly template: string }[] },
  observation: ObservedWorkspaces,
): readonly ObservedWorkspace[] {
  const templates = new Set(slice.groups.map(({ template }) => template));
  return observation.workspaces.filter(({ template }) => templates.has(template));
}

/** A suite that ran nothing shows nothing: that no workspace is alive is then no measurement. */
function nothingRun({ groups }: Slice, observation: ObservedWorkspaces): string | undefined {
  const idle = groups.find((group) =>
    'unusable' in group.runs
      ? observedOf({ groups: [group] }, observation).length === 0
      : group.runs.length === 0,
  );
  return idle && coverageProblem(idle);
}

/** Workspaces that a run says it made, but that the server does not show: then the server's numbers are not the run's. */
function lostWorkspaces(slice: Slice, workspaces: readonly ObservedWorkspace[]): string | undefined {
  const passed = slice.groups.reduce(
    (sum, { runs }) => sum + ('unusable' in runs ? 0 : countRuns(runs, hasPassed)),
    0,
  );
  if (workspaces.length >= passed * COVERAGE) return undefined;
  return `${slice.name}: the deployment shows ${workspaces.length} workspaces, but ${passed} runs passed`;
}

/**
 * Metrics that no criterion may be judged by, and why: of a group whose runs say nothing, the server's numbers show a part
 * of a load, which no criterion is about.
 */
export function withheldMetrics(
  metrics: readonly Metric[],
  groups: readonly GroupEvidence[],
): Readonly<Record<string, string>> {
  const problems = groups.flatMap((group) => {
    const reason = coverageProblem(group);
    return reason === undefined ? [] : [{ group: group.group, reason }];
  });
  const [first] = problems;
  if (first === undefined) return {};
  const reasons = new Map([
    ['all', first.reason],
    ...problems.map(({ group, reason }) => [group, reason] as const),
  ]);
  return Object.fromEntries(
    metrics.flatMap(({ name }) => {
      const reason = reasons.get(/^create_workspaces\.([^.]+)\./.exec(name)?.[1] ?? '');
      return reason === undefined ? [] : [[name, reason]];
    }),
  );
}
