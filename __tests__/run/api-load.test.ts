import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadResult } from '../../src/load/load-types.js';
import { loadMetrics } from '../../src/measure/load-metrics.js';
import { dashboardMix } from '../../src/load/mix-data.js';
import type { DashboardStep, Plan } from '../../src/plan/plan-types.js';
import { runPlan } from '../../src/run/run.js';
import type { PlanOutcome } from '../../src/run/run-types.js';
import { systemClock } from '../../src/system.js';
import { milliseconds, seconds } from '../../src/units.js';
import { startDeployment, stopDeployments } from '../support/deployments.js';
import { KeptLog } from '../support/fakes.js';
import { planOf, stepOf } from '../support/plans.js';
import { runContextOf } from '../support/run-context.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'api-load-'));
});
afterEach(async () => {
  await stopDeployments();
  await rm(directory, { recursive: true, force: true });
});

/** Its pauses are real: the load's own times are. */
const clock = systemClock;

const dashboardStep = (changes: Partial<DashboardStep> = {}): DashboardStep => ({
  suite: 'dashboard',
  users: 4,
  usersWithoutWorkspace: 2,
  duration: seconds(3),
  alone: seconds(1.5),
  timeout: seconds(38),
  seed: 1,
  work: { kind: 'visits', mix: dashboardMix.version, unknownRoutes: [] },
  ...changes,
});

/** Two workspaces that take a moment, then virtual users. */
function planWith(step: DashboardStep, workspaces = 2): Plan {
  const create = stepOf({
    count: Math.max(1, workspaces),
    concurrency: 2,
    resultFile: path.join(directory, 'result.json'),
  });
  const plan = planOf(workspaces === 0 ? [] : [create]);
  const phases = [
    ...plan.phases.filter(({ steps }) => steps.length > 0),
    { name: 'dashboard', title: 'API load', steps: [step] },
  ];
  return { ...plan, phases };
}

const resultOf = ({ load }: PlanOutcome): LoadResult => {
  if (load === undefined || 'unusable' in load) throw new Error('no load');
  return load.result;
};
/** Visits come every half minute, too seldom for a test. */
const PROBE = {
  kind: 'probe',
  rate: 20,
  routes: [{ id: 'templates', path: '/api/v2/templates' }],
} as const;
const SLOW = { startSeconds: { median: 1, sigma: 0 } };

describe('the load of virtual users', () => {
  it('is sent while workspaces are created and after it, by their owners and by users of its own', async () => {
    const deployment = await startDeployment({ templateOverrides: { 'pod-swdev': SLOW } });
    const log = new KeptLog();
    const outcome = await runPlan(
      planWith(dashboardStep({ work: PROBE })),
      await runContextOf(deployment, directory, { clock, log }),
    );
    const result = resultOf(outcome);
    expect(result).toMatchObject({ users: 4, usersSeen: 4, aborted: false });
    expect(result.phases.map(({ name }) => name)).toEqual(['create', 'dashboard']);
    expect(result.calls).toMatchObject({ failed: 0, throttled: 0 });
    expect(result.calls.ok).toBeGreaterThan(10);
    expect(result.elapsedMs).toBeGreaterThan(2950);
    expect(new Set(result.series.map(({ phase }) => phase))).toEqual(new Set(['create', 'dashboard']));
    const usernames = deployment.state.liveUsers().map(({ username }) => username);
    expect(usernames.filter((name) => name.startsWith('scaletest-load-'))).toHaveLength(2);
    expect(deployment.state.liveWorkspaces()).toHaveLength(2);
    expect(outcome.steps.find(({ step }) => step.suite === 'dashboard')).toMatchObject({
      driver: 'load',
      endedBy: 'itself',
    });
  });

  it('takes its tokens back, and masks them', async () => {
    const deployment = await startDeployment();
    const log = new KeptLog();
    await runPlan(planWith(dashboardStep()), await runContextOf(deployment, directory, { clock, log }));
    expect(log.masked).toHaveLength(4);
    const left = [...deployment.state.tokens.values()].filter(({ name }) =>
      name.startsWith('scaletest-load-'),
    );
    expect(left).toEqual([]);
    expect(log.lines.join('\n')).not.toContain(log.masked[0]);
  });

  it('is sent in the name of scale-test users only, whatever others call their workspaces', async () => {
    const deployment = await startDeployment();
    const people = ['my-scaletest-notes', 'scaletest-of-mine'].map((name, index) =>
      deployment.seedWorkspace({ username: `dev-${index}`, email: `dev-${index}@example.com` }, name),
    );
    const step = dashboardStep({ users: 4, usersWithoutWorkspace: 0 });
    const context = await runContextOf(deployment, directory, { clock });
    const created = new Set<string>();
    const { tokens } = deployment.state;
    const set = tokens.set.bind(tokens);
    tokens.set = (id, token) => {
      created.add(token.userId);
      return set(id, token);
    };
    const result = resultOf(await runPlan(planWith(step), context));
    expect(result.usersSeen).toBe(2);
    expect(people.filter(({ ownerId }) => created.has(ownerId))).toEqual([]);
  });

  it('needs no workspaces', async () => {
    const deployment = await startDeployment();
    const step = dashboardStep({ usersWithoutWorkspace: 4, duration: seconds(1.5), alone: seconds(1.5) });
    const outcome = await runPlan(planWith(step, 0), await runContextOf(deployment, directory, { clock }));
    const result = resultOf(outcome);
    expect(result).toMatchObject({ usersSeen: 4, calls: { failed: 0, leftOut: 0 } });
    expect(deployment.state.liveWorkspaces()).toEqual([]);
  });

  it('says which users did not come, and is then no measurement', async () => {
    const deployment = await startDeployment({ templateOverrides: { 'pod-swdev': SLOW } });
    const step = dashboardStep({ users: 6, usersWithoutWorkspace: 0 });
    const outcome = await runPlan(planWith(step), await runContextOf(deployment, directory, { clock }));
    const result = resultOf(outcome);
    expect(result.usersSeen).toBe(2);
    expect(result.calls.leftOut).toBeGreaterThan(0);
    expect(loadMetrics({ result, problems: [], planned: step.duration }, ['api.latency'])).toEqual([
      {
        name: 'api.latency',
        shape: 'missing',
        reason: 'dashboard: only 2 of 6 virtual users came; at least 95 % are needed',
      },
    ]);
  });

  it('keeps the reason why users could not be made', async () => {
    const deployment = await startDeployment();
    const step = dashboardStep({ usersWithoutWorkspace: 4, duration: seconds(1), alone: seconds(1) });
    const context = await runContextOf(deployment, directory, { clock });
    const { organizationId, ...nowhere } = context;
    expect(organizationId).toBeDefined();
    const { load } = await runPlan(planWith(step, 0), nowhere);
    expect(load).toMatchObject({
      problems: ['a virtual user could not be made: the organization for new users is not known'],
      result: { usersSeen: 0 },
    });
  });

  it('ends at once when the job is cancelled', async () => {
    const deployment = await startDeployment();
    const cancel = new AbortController();
    const context = await runContextOf(deployment, directory, { clock, signal: cancel.signal });
    const step = dashboardStep({ usersWithoutWorkspace: 4, duration: seconds(60), alone: seconds(60) });
    setTimeout(() => cancel.abort(new Error('cancelled')), 1500);
    const began = performance.now();
    const outcome = await runPlan(planWith(step, 0), context);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(resultOf(outcome).aborted).toBe(true);
    expect(outcome.steps[0]).toMatchObject({ endedBy: 'cancel' });
  });

  it('ends at the deadline of the run, and says so', async () => {
    const deployment = await startDeployment();
    const context = await runContextOf(deployment, directory, { clock });
    const step = dashboardStep({ usersWithoutWorkspace: 4, duration: seconds(60), alone: seconds(60) });
    const deadline = milliseconds(context.clock.monotonic() + 1500);
    const outcome = await runPlan(planWith(step, 0), { ...context, deadline });
    expect(outcome.steps[0]).toMatchObject({ endedBy: 'deadline' });
  });
});
