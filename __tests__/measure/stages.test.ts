import { describe, expect, it } from 'vitest';
import { workspace as workspaceSchema } from '../../src/coder/api-schemas.js';
import { isAlive, stagesOf } from '../../src/measure/stages.js';
import { agentOf, at, buildOf, workspaceOf } from '../support/observed.js';
import { explainSkip, hasRecordings, sharedJson, VERSIONS } from '../support/shared.js';

explainSkip('stages of recorded workspaces');
const never = Number.POSITIVE_INFINITY;

describe('stagesOf', () => {
  it('tells queue, build, agent and the whole span', () => {
    expect(stagesOf(workspaceOf({ queue: 3, build: 20, agent: 4, scripts: 5 }))).toEqual({
      queue: 3,
      build: 20,
      agent: 4,
      ready: 32,
    });
  });

  it('takes the slowest agent', () => {
    const workspace = workspaceOf({}, { agents: [agentOf({ agent: 2 }), agentOf({ agent: 9, scripts: 3 })] });
    expect(stagesOf(workspace)).toMatchObject({ agent: 9, ready: 23 });
  });

  it.each([
    [
      'no build',
      workspaceOf({}, { builds: [], agents: [] }),
      { queue: never, build: never, agent: never, ready: never },
    ],
    [
      'a build that waits',
      workspaceOf({}, { builds: [{ id: 'b', number: 1, status: 'pending', createdAt: at(0) }], agents: [] }),
      { queue: never, build: never, agent: never, ready: never },
    ],
    [
      'a build that runs',
      workspaceOf(
        {},
        {
          builds: [{ id: 'b', number: 1, status: 'running', createdAt: at(0), startedAt: at(2) }],
          agents: [],
        },
      ),
      { queue: 2, build: never, agent: never, ready: never },
    ],
    [
      'a build that failed',
      workspaceOf({}, { builds: [buildOf({}, { status: 'failed' })], agents: [] }),
      { queue: 1, build: never, agent: never, ready: never },
    ],
    [
      'an agent that never came',
      workspaceOf(
        {},
        { agents: [{ id: 'agent', startScripts: [], status: 'connecting', createdAt: at(11) }] },
      ),
      { queue: 1, build: 10, agent: never, ready: never },
    ],
  ])('waits for ever for what did not happen: %s', (_, workspace, stages) => {
    expect(stagesOf(workspace)).toEqual(stages);
  });

  it('takes the last attempt of a retried build', () => {
    const builds = [
      buildOf({ build: 100 }, { status: 'failed' }),
      buildOf({ begin: 200, queue: 2, build: 7 }, { number: 2 }),
    ];
    expect(stagesOf(workspaceOf({}, { builds }))).toMatchObject({ queue: 2, build: 7 });
  });

  it('counts the time until it is ready from the first attempt, so that retries hide nothing', () => {
    const second = { begin: 200, queue: 2, build: 7, agent: 3, scripts: 4 };
    const builds = [buildOf({ build: 100 }, { status: 'failed' }), buildOf(second, { number: 2 })];
    expect(stagesOf(workspaceOf({}, { builds, agents: [agentOf(second)] })).ready).toBe(216);
  });

  it('never goes back in time when clocks differ', () => {
    expect(stagesOf(workspaceOf({ queue: -5 })).queue).toBe(0);
  });
});

describe('isAlive', () => {
  it.each([
    ['built and connected', workspaceOf(), true],
    ['without agents', workspaceOf({}, { agents: [] }), false],
    [
      'with one agent lost',
      workspaceOf({}, { agents: [agentOf(), agentOf({}, { status: 'disconnected' })] }),
      false,
    ],
    ['failed', workspaceOf({}, { status: 'failed' }), false],
    ['being built', workspaceOf({}, { status: 'starting' }), false],
  ])('%s', (_, workspace, alive) => {
    expect(isAlive(workspace)).toBe(alive);
  });
});

describe.runIf(hasRecordings)('recorded workspaces', () => {
  it.each(VERSIONS)('of %s have all their times', (version) => {
    const { response } = sharedJson(`golden/${version}/api/workspace.json`) as {
      response: { body: unknown };
    };
    const workspace = workspaceSchema.parse(response.body);
    const { job, resources } = workspace.latest_build;
    expect(resources.length).toBeGreaterThan(0);
    const stages = stagesOf({
      id: workspace.id,
      name: workspace.name,
      owner: workspace.owner_name,
      template: workspace.template_name,
      createdAt: workspace.created_at.toISOString(),
      status: workspace.latest_build.status,
      builds: [
        {
          id: job.id,
          number: 1,
          status: job.status,
          createdAt: job.created_at.toISOString(),
          ...(job.started_at && { startedAt: job.started_at.toISOString() }),
          ...(job.completed_at && { completedAt: job.completed_at.toISOString() }),
        },
      ],
      agents: resources.map((agent) => ({
        id: agent.id,
        startScripts: [],
        status: agent.status,
        createdAt: agent.created_at.toISOString(),
        ...(agent.first_connected_at && { firstConnectedAt: agent.first_connected_at.toISOString() }),
        ...(agent.ready_at && { readyAt: agent.ready_at.toISOString() }),
      })),
    });
    for (const stage of Object.values(stages)) expect(Number.isFinite(stage) && stage >= 0).toBe(true);
    expect(stages.ready).toBeGreaterThanOrEqual(stages.queue + stages.build - 0.001);
  });
});
