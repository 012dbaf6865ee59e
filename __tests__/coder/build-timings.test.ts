import { describe, expect, it } from 'vitest';
import { buildTimings } from '../../src/coder/api-schemas.js';
import { observeTimings, reduceTimings, unreadTimings } from '../../src/coder/build-timings.js';
import { observeWorkspaces } from '../../src/coder/observe.js';
import type { BuildTimings } from '../../src/evidence.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { buildOf, workspaceOf } from '../support/observed.js';
import { explainSkip, hasRecordings, sharedJson, VERSIONS } from '../support/shared.js';

stopDeploymentsAfterEach();
explainSkip('timings of recorded builds');

const ROUTE = 'GET /api/v2/workspacebuilds/{workspacebuild}/timings';
const SCOPE = { ownUserId: '' };
const never = new AbortController().signal;

const secondsOf = ({ stages }: BuildTimings): Record<string, number> =>
  Object.fromEntries(
    stages.map(({ stage, startedAt, endedAt }) => [
      stage,
      (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
    ]),
  );

const interval = (stage: string, from: number, to: number) => ({
  stage,
  started_at: new Date(from * 1000).toISOString(),
  ended_at: new Date(to * 1000).toISOString(),
});
const script = (stage: string, from: number, to: number) => ({
  ...interval(stage, from, to),
  display_name: 'Startup Script',
  status: 'ok',
  workspace_agent_id: 'agent',
});

describe('reduceTimings', () => {
  it('takes a stage from its earliest beginning to its latest end, however its intervals overlap', () => {
    const raw = buildTimings.parse({
      provisioner_timings: [interval('plan', 3, 5), interval('plan', 1, 4), interval('init', 0, 1)],
    });
    expect(secondsOf(reduceTimings('b', raw))).toEqual({ init: 1, plan: 4 });
    expect(reduceTimings('b', raw).stages.map(({ intervals }) => intervals)).toEqual([1, 2]);
  });

  it('leaves out what is not over, stages that it does not know, and scripts of a stop or of a clock', () => {
    const raw = buildTimings.parse({
      provisioner_timings: [
        { ...interval('apply', 5, 5), ended_at: '0001-01-01T00:00:00Z' },
        interval('later-stage', 1, 2),
      ],
      agent_script_timings: [script('start', 5, 8), script('stop', 9, 10), script('cron', 9, 10)],
      agent_connection_timings: [],
    });
    const { stages, scripts } = reduceTimings('b', raw);
    expect(stages).toEqual([]);
    expect(scripts).toEqual([
      {
        agentId: 'agent',
        name: 'Startup Script',
        status: 'ok',
        startedAt: '1970-01-01T00:00:05.000Z',
        endedAt: '1970-01-01T00:00:08.000Z',
      },
    ]);
  });
});

describe.runIf(hasRecordings)('recorded timings', () => {
  const recorded = (version: string, name: string): BuildTimings => {
    const { response } = sharedJson(`golden/${version}/api/${name}.json`) as { response: { body: unknown } };
    return reduceTimings('b', buildTimings.parse(response.body));
  };

  it.each([
    ['v2.21.3', { init: 0.157, plan: 0.008, graph: 3.444, apply: 0.024 }],
    ['v2.31.0', { init: 3.201, plan: 0.803, graph: 3.186, apply: 0.301 }],
    ['v2.36.0', { init: 0.114, plan: 0.337, graph: 0.185, apply: 0.226 }],
  ])('of %s have these stages', (version, stages) => {
    const seconds = secondsOf(recorded(version, 'workspacebuild-timings'));
    expect(Object.keys(seconds)).toEqual(Object.keys(stages));
    for (const [stage, expected] of Object.entries(stages)) {
      // Their microseconds are cut to milliseconds.
      expect(Math.abs((seconds[stage] ?? Number.NaN) - expected), stage).toBeLessThan(0.002);
    }
  });

  it.each(VERSIONS)('of %s are the same shape after the workspace was deleted', (version) => {
    const { stages } = recorded(version, 'workspacebuild-timings-after-delete');
    expect(stages.map(({ stage }) => stage)).toEqual(['init', 'plan', 'graph', 'apply']);
  });

  it.each(VERSIONS)('of %s have as many intervals a stage as the simulated ones', async (version) => {
    const deployment = await startDeployment({ version });
    deployment.seedLeftovers(1);
    const api = ownerApi(deployment);
    const { builds } = await observeTimings(api, await observeWorkspaces(api, SCOPE), SCOPE, never);
    const counts = (timings: BuildTimings | undefined) =>
      timings?.stages.map(({ stage, intervals }) => `${stage} ${intervals}`);
    expect(counts(builds[0])).toEqual(counts(recorded(version, 'workspacebuild-timings')));
  });
});

describe('observeTimings', () => {
  it('reads each build that succeeded once, and when the users were made', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(12);
    const api = ownerApi(deployment);
    const workspaces = await observeWorkspaces(api, SCOPE);
    const timings = await observeTimings(api, workspaces, SCOPE, never);
    expect(timings.unread).toBeUndefined();
    expect(timings.builds.map(({ buildId }) => buildId).sort()).toEqual(
      workspaces.flatMap(({ builds }) => builds.map(({ id }) => id)).sort(),
    );
    expect(deployment.state.requestCounts.get(ROUTE)).toBe(12);
    for (const { owner } of workspaces)
      expect(Date.parse(timings.ownersCreatedAt[owner] ?? ''), owner).toBeGreaterThan(0);
  });

  it('asks for no build that failed, since such have no timings', async () => {
    const deployment = await startDeployment();
    const failed = workspaceOf({}, { builds: [buildOf({}, { status: 'failed' })] });
    const timings = await observeTimings(ownerApi(deployment), [failed], SCOPE, never);
    expect(timings).toEqual({ builds: [], ownersCreatedAt: {} });
    expect(deployment.state.requestCounts.get(ROUTE)).toBeUndefined();
  });

  it('reads the slowest builds first', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(20);
    const api = ownerApi(deployment);
    const workspaces = (await observeWorkspaces(api, SCOPE)).map((workspace, index) => ({
      ...workspace,
      builds: workspace.builds.map((build) => ({
        ...build,
        completedAt: new Date(Date.parse(build.createdAt) + index * 1000).toISOString(),
      })),
    }));
    const { builds } = await observeTimings(api, workspaces, SCOPE, never);
    expect(builds.map(({ buildId }) => buildId)).toEqual(
      [...workspaces].reverse().flatMap(({ builds: [build] }) => build?.id ?? []),
    );
  });

  it('counts what it could not read, with the reason, and gives up on a server that refuses everything', async () => {
    const deployment = await startDeployment({ statusOverride: { [ROUTE]: 403 } });
    deployment.seedLeftovers(40);
    const api = ownerApi(deployment);
    const timings = await observeTimings(api, await observeWorkspaces(api, SCOPE), SCOPE, never);
    expect(timings.builds).toEqual([]);
    expect(timings.unread?.builds).toBe(40);
    expect(timings.unread?.reason).toMatch(/timings answered 403/);
    expect(deployment.state.requestCounts.get(ROUTE)).toBeLessThan(20);
  });

  it('ends when its time is over, and says so', async () => {
    const deployment = await startDeployment({ version: 'v2.36.0' });
    deployment.seedLeftovers(3);
    const api = ownerApi(deployment);
    const workspaces = await observeWorkspaces(api, SCOPE);
    deployment.options.latencySeconds = 20;
    const began = performance.now();
    const timings = await observeTimings(api, workspaces, SCOPE, AbortSignal.timeout(100));
    expect(performance.now() - began).toBeLessThan(5000);
    expect(timings.unread).toEqual({ builds: 3, reason: expect.stringMatching(/too slowly/) as string });
    expect(timings.ownersCreatedAt).toEqual({});
  });

  it('says that a cancelled job has no time for it', async () => {
    const deployment = await startDeployment();
    const cancelled = AbortSignal.abort(new Error('SIGINT'));
    const timings = await observeTimings(ownerApi(deployment), [workspaceOf()], SCOPE, cancelled);
    expect(timings.unread).toEqual({ builds: 1, reason: 'the job was cancelled' });
    expect(deployment.state.requestCounts.get(ROUTE)).toBeUndefined();
  });

  it('tells of a start-up script, and which keeps people out, once it has ended', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startScript: { name: 'Startup Script', blocksLogin: true } } },
    });
    deployment.seedLeftovers(1);
    const api = ownerApi(deployment);
    const [workspace] = await observeWorkspaces(api, SCOPE);
    expect(workspace?.agents[0]?.startScripts).toEqual([{ name: 'Startup Script', blocksLogin: true }]);
    // An agent is made a few milliseconds after its build has ended.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { builds } = await observeTimings(api, workspace ? [workspace] : [], SCOPE, never);
    expect(builds[0]?.scripts).toMatchObject([
      { agentId: workspace?.agents[0]?.id, name: 'Startup Script', status: 'ok' },
    ]);
  });
});

describe('unreadTimings', () => {
  it('counts the builds that there would have been', () => {
    expect(unreadTimings([workspaceOf(), workspaceOf()], 'cancelled').unread).toEqual({
      builds: 2,
      reason: 'cancelled',
    });
    expect(unreadTimings([], 'cancelled').unread).toBeUndefined();
  });
});
