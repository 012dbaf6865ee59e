import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanUp, type CleanupRequest } from '../../src/coder/cleanup.js';
import type { CleanupResult } from '../../src/coder/cleanup-result.js';
import { milliseconds } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import {
  ownerApi,
  startDeployment,
  stopDeployments,
  stopDeploymentsAfterEach,
  templateOf,
} from '../support/deployments.js';
import { hurriedClock, KeptLog } from '../support/fakes.js';

stopDeploymentsAfterEach();

const clock = hurriedClock(100);

async function clean(
  deployment: CoderDeployment,
  changes: Partial<CleanupRequest> = {},
): Promise<CleanupResult> {
  const api = ownerApi(deployment);
  const me = await api.me();
  return cleanUp(
    api,
    {
      scope: { ownUserId: me.id },
      queue: 'short',
      orphan: false,
      deadline: milliseconds(clock.monotonic() + 8000),
      confirm: () => Promise.resolve(),
      signal: new AbortController().signal,
      ...changes,
    },
    { clock, log: new KeptLog() },
  );
}

const liveNames = ({ state }: CoderDeployment): string[] => state.liveWorkspaces().map(({ name }) => name);
const deletions = ({ state }: CoderDeployment) =>
  [...state.builds.values()].filter(({ transition }) => transition === 'delete');

/** A user with a workspace through the API, as a run makes them. */
async function makeWorkspace(
  deployment: CoderDeployment,
  username: string,
  name: string,
  template = 'pod-swdev',
) {
  const api = ownerApi(deployment);
  const { id, organization_id: organizationId } = (await api.templates()).find(
    (one) => one.name === template,
  ) ?? { id: '', organization_id: '' };
  const user = await api.createUser({
    username,
    email: `${username.replace('scaletest-', '')}@scaletest.local`,
    password: 'correct-Horse-battery-9',
    organizationId,
  });
  const workspace = await api.createWorkspace(user.id, { templateId: id, name, parameters: {} });
  return { user, workspace };
}

describe('clean-up', () => {
  it('removes all workspaces, then all users, and looks again', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(25);
    const result = await clean(deployment);
    expect(result).toMatchObject({
      deletedWorkspaces: 25,
      deletedUsers: 25,
      leftoverWorkspaces: [],
      leftoverUsers: [],
      verified: true,
    });
    expect(liveNames(deployment)).toEqual([]);
    expect(
      deployment.state
        .liveUsers()
        .map(({ username }) => username)
        .sort(),
    ).toEqual(['ci-admin', 'ordinary-member']);
    // One deletion each: deleting a deleted workspace would make another build.
    expect(deletions(deployment)).toHaveLength(25);
  });

  it('does nothing where there is nothing, and can be repeated', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(2);
    await clean(deployment);
    const builds = deployment.state.builds.size;
    await expect(clean(deployment)).resolves.toMatchObject({
      deletedWorkspaces: 0,
      deletedUsers: 0,
      verified: true,
    });
    expect(deployment.state.builds.size).toBe(builds);
  });

  it('removes more than a page of them', async () => {
    const deployment = await startDeployment({ provisionerSlots: 60 });
    deployment.seedLeftovers(130);
    await expect(clean(deployment)).resolves.toMatchObject({ deletedWorkspaces: 130, deletedUsers: 130 });
    expect(liveNames(deployment)).toEqual([]);
  }, 15_000);

  it('cancels a build that is under way (409 until it has ended), then deletes', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 300, sigma: 0 } } },
    });
    await makeWorkspace(deployment, 'scaletest-a', 'scaletest-w-1');
    await makeWorkspace(deployment, 'scaletest-b', 'scaletest-w-2');
    await expect(clean(deployment)).resolves.toMatchObject({
      deletedWorkspaces: 2,
      deletedUsers: 2,
      leftoverWorkspaces: [],
    });
    expect(
      [...deployment.state.builds.values()].filter(
        ({ job, transition }) => transition === 'start' && job.canceledAt === null,
      ),
    ).toEqual([]);
  });

  it('deletes the other workspaces of a scale-test user too (417)', async () => {
    const deployment = await startDeployment();
    await makeWorkspace(deployment, 'scaletest-a', 'another-name');
    await expect(clean(deployment)).resolves.toMatchObject({
      deletedUsers: 1,
      leftoverUsers: [],
      leftoverWorkspaces: [],
    });
    expect(liveNames(deployment)).toEqual([]);
  });

  it('takes a workspace that is gone in the meantime (410) for an attempt', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    deployment.options.statusOverride = { 'POST /api/v2/workspaces/{workspace}/builds': 410 };
    const result = await clean(deployment);
    expect(result.leftoverWorkspaces).toHaveLength(1);
    expect(deployment.state.requestCounts.get('POST /api/v2/workspaces/{workspace}/builds')).toBe(3);
  });

  it('waits for another’s build (409) until the deadline, and then tells what is left', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    deployment.options.statusOverride = { 'POST /api/v2/workspaces/{workspace}/builds': 409 };
    const result = await clean(deployment, { deadline: milliseconds(clock.monotonic() + 400) });
    expect(result).toMatchObject({ deletedWorkspaces: 0, deletedUsers: 0, verified: true });
    expect(result.leftoverWorkspaces[0]?.name).toMatch(/^scaletest-.+\/scaletest-/);
    expect(result.leftoverUsers).toHaveLength(1);
  });

  it('tries a failed deletion three times, then gives up and says why', async () => {
    const deployment = await startDeployment({ failDeleteShare: 1 });
    deployment.seedLeftovers(2);
    const began = performance.now();
    const result = await clean(deployment);
    expect(performance.now() - began).toBeLessThan(6000);
    expect(deletions(deployment)).toHaveLength(6);
    expect(result.leftoverWorkspaces).toHaveLength(2);
    for (const { reason } of result.leftoverWorkspaces) expect(reason).toMatch(/its deletion is failed: .+/);
    expect(result.leftoverUsers).toHaveLength(2);
  });

  it('succeeds when a later try does', async () => {
    const deployment = await startDeployment({ failDeleteShare: 1 });
    deployment.seedLeftovers(3);
    setTimeout(() => {
      deployment.options.failDeleteShare = 0;
    }, 20);
    await expect(clean(deployment)).resolves.toMatchObject({
      deletedWorkspaces: 3,
      deletedUsers: 3,
      leftoverWorkspaces: [],
    });
  });

  it('lets one that cannot be deleted not keep the others', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(5);
    const stuck = liveNames(deployment)[2] ?? '';
    deployment.options.undeletableWorkspaces = [stuck];
    const result = await clean(deployment);
    expect(result).toMatchObject({ deletedWorkspaces: 4, deletedUsers: 4 });
    expect(result.leftoverWorkspaces.map(({ name }) => name.split('/')[1])).toEqual([stuck]);
    expect(liveNames(deployment)).toEqual([stuck]);
  });

  it('orphans only when it was asked for, and only after the other tries', async () => {
    const deployment = await startDeployment({ failDeleteShare: 1 });
    deployment.seedLeftovers(1);
    const asked: unknown[] = [];
    const api = ownerApi(deployment);
    const createBuild = api.createBuild.bind(api);
    api.createBuild = async (id, build, signal) => {
      asked.push(build.orphan ?? false);
      return createBuild(id, build, signal);
    };
    const me = await api.me();
    const request = {
      scope: { ownUserId: me.id },
      queue: 'short',
      orphan: true,
      deadline: milliseconds(clock.monotonic() + 5000),
      confirm: () => Promise.resolve(),
      signal: new AbortController().signal,
    } as const;
    await cleanUp(api, request, { clock, log: new KeptLog() });
    expect(asked).toEqual([false, false, false, true]);
  });

  it('keeps the provisioner queue short for everybody else', async () => {
    const deployment = await startDeployment({ provisionerSlots: 3 });
    deployment.seedLeftovers(30);
    let longest = 0;
    const watch = setInterval(() => {
      longest = Math.max(longest, deletions(deployment).filter(({ job }) => job.completedAt === null).length);
    }, 1);
    await expect(clean(deployment)).resolves.toMatchObject({ deletedWorkspaces: 30 });
    clearInterval(watch);
    expect(longest).toBeGreaterThan(1);
    expect(longest).toBeLessThanOrEqual(2 * 3);
  });

  it('hands everything over at once after a cancelled job', async () => {
    const deployment = await startDeployment({
      provisionerSlots: 1,
      templateOverrides: { 'pod-swdev': { deleteSeconds: { median: 30, sigma: 0 } } },
    });
    deployment.seedLeftovers(20);
    await clean(deployment, { queue: 'hand-over', deadline: milliseconds(clock.monotonic() + 500) });
    expect(deletions(deployment)).toHaveLength(20);
  });

  it('never calls unknown what is left "nothing"', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { deleteSeconds: { median: 30, sigma: 0 } } },
    });
    deployment.seedLeftovers(2);
    const running = clean(deployment, { deadline: milliseconds(clock.monotonic() + 1000) });
    await expect.poll(() => deletions(deployment).length, { interval: 2 }).toBeGreaterThan(0);
    deployment.options.apiDown = true;
    await expect(running).resolves.toMatchObject({
      verified: false,
      problem: expect.stringMatching(/cannot be reached/) as string,
    });
  });

  it('ends at once when it is cancelled', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { deleteSeconds: { median: 30, sigma: 0 } } },
    });
    deployment.seedLeftovers(2);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('cancelled')), 100);
    await expect(clean(deployment, { signal: controller.signal })).rejects.toThrow('cancelled');
  });
});

describe('what is not a scale test’s', () => {
  const HOUR = 3_600_000;
  const username = fc.constantFrom(
    'scaletest-AbC-',
    'lisa',
    'my-scaletest-user',
    'scaletest',
    'xscaletest-',
    'Scaletest-x-',
  );
  const domain = fc.constantFrom(
    'scaletest.local',
    'example.com',
    'scaletest.local.example.com',
    'notscaletest.local',
  );
  const workspaceName = fc.constantFrom(
    'scaletest-AbC-1',
    'my-scaletest-1',
    'prod',
    'xscaletest-1',
    'scaletest',
    'test-scaletest-',
  );
  const resource = fc.record({ username, domain, workspaceName, isOld: fc.boolean() });

  it('is never touched, nor what was there before the run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(resource, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (resources, isScoped) => {
          const deployment = await startDeployment();
          deployment.seedLeftovers(resources.length);
          const { state } = deployment;
          const since = new Date(Date.now() - HOUR / 2);
          const users = state.liveUsers().filter(({ username: name }) => name.startsWith('scaletest-'));
          const made = users.map((user, index) => {
            const {
              username: name,
              domain: at,
              workspaceName: title,
              isOld,
            } = resources[index] ??
              resources[0] ?? { username: '', domain: '', workspaceName: '', isOld: false };
            const workspace = state.liveWorkspaces().find(({ ownerId }) => ownerId === user.id);
            if (workspace === undefined) throw new Error('no workspace');
            user.username = `${name}${index}`;
            user.email = `u${index}@${at}`;
            workspace.name = title;
            user.createdAt = workspace.createdAt = isOld ? Date.now() - 5 * HOUR : Date.now();
            return { user, workspace, isInScope: !isScoped || !isOld };
          });
          const api = ownerApi(deployment);
          const me = await api.me();
          const result = await clean(deployment, { scope: { ownUserId: me.id, ...(isScoped && { since }) } });
          for (const { user, workspace, isInScope } of made) {
            const isTestUser =
              user.username.startsWith('scaletest-') || user.email.endsWith('@scaletest.local');
            const isTestWorkspace =
              workspace.name.startsWith('scaletest-') || user.username.startsWith('scaletest-');
            const mayTouch = isInScope && isTestWorkspace;
            expect(workspace.builds.length > 1, `${user.username}/${workspace.name} was touched`).toBe(
              mayTouch,
            );
            expect(workspace.deleted).toBe(mayTouch);
            expect(user.deleted, `${user.username} ${user.email}`).toBe(
              isInScope && isTestUser && isTestWorkspace,
            );
          }
          expect(state.liveUsers().map(({ username: name }) => name)).toEqual(
            expect.arrayContaining(['ci-admin', 'ordinary-member']),
          );
          expect(result.verified).toBe(true);
          await stopDeployments();
        },
      ),
      { numRuns: 12 },
    );
  }, 30_000);

  it('but is there although nothing was when the run began is left, and said to be', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(2);
    const api = ownerApi(deployment);
    const { id: ownUserId } = await api.me();
    // As when the deployment's clock is set back in the middle, or a proxy's is ahead.
    const result = await clean(deployment, { scope: { ownUserId, since: new Date(Date.now() + HOUR) } });
    expect(result).toMatchObject({ deletedWorkspaces: 0, deletedUsers: 0, verified: true });
    expect(result.leftoverWorkspaces).toHaveLength(2);
    expect(result.leftoverUsers[0]?.reason).toMatch(/^not touched: by its age it was there before this run/);
  });

  it('is never the gate’s own user, whatever its name', async () => {
    const deployment = await startDeployment();
    const owner = [...deployment.state.users.values()].find(({ roles }) => roles.includes('owner'));
    if (owner === undefined) throw new Error('no owner');
    owner.username = 'scaletest-admin';
    owner.email = 'admin@scaletest.local';
    deployment.seedLeftovers(1);
    await expect(clean(deployment)).resolves.toMatchObject({ deletedUsers: 1, leftoverUsers: [] });
    expect(owner.deleted).toBe(false);
  });

  it('is a build of somebody else in the queue: it is not cancelled', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 300, sigma: 0 } } },
    });
    const api = ownerApi(deployment);
    const me = await api.me();
    const { id } = templateOf(deployment);
    await api.createWorkspace(me.id, { templateId: id, name: 'prod', parameters: {} });
    deployment.seedLeftovers(1);
    await clean(deployment);
    const prod = deployment.state.liveWorkspaces().find(({ name }) => name === 'prod');
    expect(prod?.builds).toHaveLength(1);
    expect(prod?.builds[0]?.job.canceledAt).toBeNull();
  });
});
