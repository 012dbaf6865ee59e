import { afterEach, describe, expect, it } from 'vitest';
import { CoderApi } from '../../src/coder/api.js';
import { CoderHttp } from '../../src/coder/http.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { JumpingClock } from '../support/fakes.js';
import { answerJson, serve, type Handler, type TestServer } from '../support/http-server.js';

stopDeploymentsAfterEach();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function apiTo(handler: Handler): Promise<CoderApi> {
  server = await serve(handler);
  return new CoderApi(new CoderHttp(server.url, new JumpingClock(), 'token'));
}

const workspaceNamed = (id: string) => ({
  id,
  name: id,
  created_at: '2026-01-05T06:00:00Z',
  owner_id: 'u',
  owner_name: 'u',
  organization_id: 'o',
  template_id: 't',
  template_name: 't',
  latest_build: {
    id: 'b',
    workspace_id: id,
    build_number: 1,
    template_version_id: 'v',
    transition: 'start',
    status: 'running',
    job: { id: 'j', created_at: '2026-01-05T06:00:00Z', status: 'succeeded' },
  },
});

describe('searching workspaces', () => {
  it('finds all of them although their order shifts from page to page', async () => {
    const all = Array.from({ length: 250 }, (_, index) => workspaceNamed(`w${index}`));
    const api = await apiTo(({ path }, response) => {
      const offset = Number(new URL(path, 'http://x').searchParams.get('offset'));
      // Running ones come first: whatever ended moves to the end.
      all.push(...all.splice(0, 5));
      answerJson(response, 200, { workspaces: all.slice(offset, offset + 100), count: all.length });
    });
    const found = await api.searchWorkspaces('name:"scaletest-"');
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    expect(found.length).toBeGreaterThan(245);
  });

  it('ends although the server counts more than it shows', async () => {
    const api = await apiTo((_, response) =>
      answerJson(response, 200, { workspaces: [workspaceNamed('w')], count: 500 }),
    );
    await expect(api.searchWorkspaces('x')).resolves.toHaveLength(1);
    expect(server?.seen.length).toBeLessThan(20);
  });

  it('asks for what it is told, whatever characters that has', async () => {
    const api = await apiTo((_, response) => answerJson(response, 200, { workspaces: [], count: 0 }));
    await api.searchWorkspaces('name:"a&b=c" owner:ü');
    expect(new URL(server?.seen[0]?.path ?? '', 'http://x').searchParams.get('q')).toBe(
      'name:"a&b=c" owner:ü',
    );
  });
});

describe('answers of another shape', () => {
  it('are named with the place where they differ', async () => {
    const api = await apiTo((_, response) =>
      answerJson(response, 200, { ...workspaceNamed('w'), owner_id: 5 }),
    );
    await expect(api.workspace('w')).rejects.toMatchObject({
      kind: 'not-coder',
      message: expect.stringMatching(
        /GET \/api\/v2\/workspaces\/w answered something that is not Coder's shape \(at owner_id/,
      ) as string,
    });
  });

  it('with keys of a newer release are fine', async () => {
    const api = await apiTo((_, response) =>
      answerJson(response, 200, { ...workspaceNamed('w'), brand_new: { a: 1 } }),
    );
    await expect(api.workspace('w')).resolves.toMatchObject({ id: 'w' });
  });
});

describe('against a simulated deployment', () => {
  it('knows what a build’s request came to', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { deleteSeconds: { median: 0.1, sigma: 0 } } },
    });
    deployment.seedLeftovers(1);
    const id = deployment.state.liveWorkspaces()[0]?.id ?? '';
    const api = ownerApi(deployment);
    await expect(api.createBuild(id, { transition: 'delete' })).resolves.toMatchObject({
      transition: 'delete',
    });
    await expect(api.createBuild(id, { transition: 'delete' })).resolves.toBe('active');
    await expect(
      api.createBuild('11112222-3333-4444-5555-666677778888', { transition: 'start' }),
    ).resolves.toBe('gone');
  });

  it('does not mind that a build which it cancels has ended', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    const build = deployment.state.liveWorkspaces()[0]?.builds[0]?.id ?? '';
    await expect(ownerApi(deployment).cancelBuild(build)).resolves.toBeUndefined();
  });

  it('knows that a user with workspaces stays', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    const owner = deployment.state.liveWorkspaces()[0]?.ownerId ?? '';
    await expect(ownerApi(deployment).deleteUser(owner)).resolves.toBe('has-workspaces');
    await expect(ownerApi(deployment).deleteUser('11112222-3333-4444-5555-666677778888')).resolves.toBe(
      'deleted',
    );
  });

  it('issues a token for a user that acts as that user', async () => {
    const deployment = await startDeployment();
    const api = ownerApi(deployment);
    const member = [...deployment.state.users.values()].find(
      ({ username }) => username === deployment.memberUsername,
    );
    const token = await api.createToken(member?.id ?? '', 600, 'scaletest-1');
    expect((await api.withToken(token).me()).username).toBe(deployment.memberUsername);
    const key = await api.withToken(token).keyExpiry(token.slice(0, 10));
    expect(Math.abs(key.getTime() - Date.now() - 600_000)).toBeLessThan(30_000);
  });

  it('counts what matches', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(3);
    const api = ownerApi(deployment);
    await expect(api.countWorkspaces('name:"scaletest-" status:running')).resolves.toBe(3);
    await expect(api.countWorkspaces('name:"scaletest-" status:failed')).resolves.toBe(0);
  });
});
