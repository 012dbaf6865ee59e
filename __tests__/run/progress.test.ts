import { describe, expect, it } from 'vitest';
import { logProgress } from '../../src/run/progress.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock, KeptLog } from '../support/fakes.js';
import { stepOf } from '../support/plans.js';

stopDeploymentsAfterEach();

const steps = [stepOf({ count: 5 })];

/** The lines that are logged until the phase is over. */
async function linesUntil(
  deployment: Awaited<ReturnType<typeof startDeployment>>,
  milliseconds: number,
): Promise<string[]> {
  const log = new KeptLog();
  const signal = AbortSignal.timeout(milliseconds);
  await logProgress(steps, { api: ownerApi(deployment), clock: hurriedClock(200), log, signal });
  return log.lines;
}

describe('logProgress', () => {
  it('says how many are built, of how many', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(3);
    const lines = await linesUntil(deployment, 400);
    expect(
      lines.filter((line) => line.includes('pod_workspaces: 3 of 5 built, 0 building, 0 waiting')),
    ).not.toEqual([]);
  });

  it('says how many failed', async () => {
    const deployment = await startDeployment();
    deployment.seedLeftovers(2);
    const [first] = deployment.state.liveWorkspaces();
    const job = first?.builds[0]?.job;
    if (job) job.error = 'terraform apply: exit status 1';
    expect((await linesUntil(deployment, 400)).join('\n')).toMatch(/1 of 5 built, .*, 1 failed/);
  });

  it('neither ends nor throws when the API does not answer', async () => {
    const deployment = await startDeployment();
    deployment.options.apiDown = true;
    const lines = await linesUntil(deployment, 400);
    expect(lines.join('\n')).toMatch(/progress could not be read/);
  });
});
