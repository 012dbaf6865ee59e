import { describe, expect, it } from 'vitest';
import { observeWorkspaces } from '../../src/coder/observe.js';
import { isAlive, stagesOf } from '../../src/measure/stages.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';

stopDeploymentsAfterEach();

describe('observeWorkspaces', () => {
  it('tells the times of builds and agents by the server’s clock', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(3);
    const api = ownerApi(deployment);
    const workspaces = await observeWorkspaces(api, { ownUserId: (await api.me()).id });
    expect(workspaces).toHaveLength(3);
    for (const workspace of workspaces) {
      expect(workspace).toMatchObject({
        template: 'pod-swdev',
        status: 'running',
        builds: [{ number: 1, status: 'succeeded' }],
      });
      expect(isAlive(workspace)).toBe(true);
      for (const stage of Object.values(stagesOf(workspace))) expect(Number.isFinite(stage)).toBe(true);
    }
  });

  it('sees only what is in its scope', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(3);
    for (const workspace of deployment.state.liveWorkspaces().slice(0, 2)) workspace.createdAt -= 3_600_000;
    const api = ownerApi(deployment);
    const scope = { ownUserId: (await api.me()).id, since: new Date(Date.now() - 60_000) };
    expect(await observeWorkspaces(api, scope)).toHaveLength(1);
  });

  it('leaves out a real person’s workspace with a scale test’s name, but not the gate’s own user’s', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(3);
    const [members, own] = deployment.state.liveWorkspaces();
    const member = [...deployment.state.users.values()].find(
      ({ username }) => username === deployment.memberUsername,
    );
    const api = ownerApi(deployment);
    const me = await api.me();
    if (members === undefined || own === undefined || member === undefined) throw new Error('not seeded');
    members.ownerId = member.id;
    own.ownerId = me.id;
    const seen = await observeWorkspaces(api, { ownUserId: me.id });
    expect(seen.map(({ id }) => id)).not.toContain(members.id);
    expect(seen.map(({ id }) => id)).toContain(own.id);
    expect(seen).toHaveLength(2);
  });

  it('shows every attempt of a retried build, the first one first, and no deletions', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    const api = ownerApi(deployment);
    const id = deployment.state.liveWorkspaces()[0]?.id ?? '';
    await api.createBuild(id, { transition: 'start' });
    const until = Date.now() + 3000;
    while ((await api.workspace(id)).latest_build.job.status !== 'succeeded' && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [workspace] = await observeWorkspaces(api, { ownUserId: '' });
    expect(workspace?.builds.map(({ number, status }) => [number, status])).toEqual([
      [1, 'succeeded'],
      [2, 'succeeded'],
    ]);
  });

  it('shows a failed build with its error and without agents', async () => {
    const deployment = await startDeployment();
    const api = ownerApi(deployment);
    const template = (await api.templates()).find(({ name }) => name === 'tpl-fail');
    const me = await api.me();
    const { id } = await api.createWorkspace(me.id, {
      templateId: template?.id ?? '',
      name: 'scaletest-x-1',
      parameters: {},
    });
    const until = Date.now() + 3000;
    while ((await api.workspace(id)).latest_build.job.status !== 'failed' && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [workspace] = await observeWorkspaces(api, { ownUserId: me.id });
    expect(workspace).toMatchObject({
      status: 'failed',
      builds: [{ status: 'failed', error: expect.stringMatching(/terraform apply/) as string }],
    });
    expect(workspace && isAlive(workspace)).toBe(false);
  });
});
