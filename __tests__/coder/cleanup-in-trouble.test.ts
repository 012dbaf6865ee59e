import { describe, expect, it } from 'vitest';
import { CoderApi } from '../../src/coder/api.js';
import { cleanUp, type CleanupRequest } from '../../src/coder/cleanup.js';
import type { CleanupResult } from '../../src/coder/cleanup-result.js';
import { CoderHttp } from '../../src/coder/http.js';
import type { FetchAnswer, FetchRequest } from '../../src/ports.js';
import { milliseconds } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock, JumpingClock, KeptLog } from '../support/fakes.js';

stopDeploymentsAfterEach();

const clock = hurriedClock(100);

async function clean(
  api: CoderApi,
  changes: Partial<CleanupRequest> = {},
  at: typeof clock = clock,
): Promise<CleanupResult> {
  const { id } = await api.me();
  const request: CleanupRequest = {
    scope: { ownUserId: id },
    queue: 'short',
    orphan: false,
    deadline: milliseconds(at.monotonic() + 120_000),
    confirm: () => Promise.resolve(),
    signal: new AbortController().signal,
    ...changes,
  };
  return cleanUp(api, request, { clock: at, log: new KeptLog() });
}

const deletions = ({ state }: CoderDeployment) =>
  [...state.builds.values()].filter(({ transition }) => transition === 'delete');

/** The owner's client, some of whose calls meet something else on the way. */
function ownerApiThrough(
  deployment: CoderDeployment,
  meets: (call: string, signal: AbortSignal | undefined) => Promise<FetchAnswer> | undefined,
): CoderApi {
  const fetchThrough = (url: string, request: FetchRequest): Promise<FetchAnswer> =>
    meets(`${request.method ?? 'GET'} ${new URL(url).pathname}`, request.signal) ?? fetch(url, request);
  const access = { fetch: fetchThrough, headers: {} };
  return new CoderApi(new CoderHttp(deployment.url, clock, deployment.ownerToken, access));
}

describe('a clean-up of a deployment in trouble', () => {
  it('does not count the deployment’s trouble against a workspace', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(2);
    let refused = 0;
    const api = ownerApiThrough(deployment, (call) => {
      if (!/^POST .*\/builds$/.test(call) || refused >= 12) return undefined;
      refused += 1;
      return Promise.resolve(
        new Response('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } }),
      );
    });
    const result = await clean(api);
    expect(refused).toBe(12);
    expect(result).toMatchObject({ deletedWorkspaces: 2, deletedUsers: 2, leftoverWorkspaces: [] });
  });

  it('deletes nothing while it is not certain that no other test runs, and goes on once it is', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(1);
    let asked = 0;
    const api = ownerApi(deployment);
    const result = await clean(api, {
      confirm: () => {
        asked += 1;
        if (asked === 4) expect(deletions(deployment)).toEqual([]);
        return asked < 4 ? Promise.reject(new Error('no answer')) : Promise.resolve();
      },
      deadline: milliseconds(clock.monotonic() + 60_000),
    });
    expect(asked).toBeGreaterThan(4);
    expect(result).toMatchObject({ deletedWorkspaces: 1, deletedUsers: 1 });
  });

  it('does not wait beyond its deadline for calls that hang, and still says what is left', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(2);
    const api = ownerApiThrough(deployment, (call, signal) =>
      /^POST .*\/builds$/.test(call)
        ? new Promise((_, reject) => {
            signal?.addEventListener('abort', () => reject(new Error('given up')));
          })
        : undefined,
    );
    const wall = new JumpingClock();
    const began = performance.now();
    const result = await clean(api, { queue: 'hand-over', deadline: milliseconds(500) }, wall);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(result).toMatchObject({ deletedWorkspaces: 0, verified: true });
    expect(result.leftoverWorkspaces).toHaveLength(2);
  });
});
