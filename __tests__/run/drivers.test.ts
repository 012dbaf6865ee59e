import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureCause } from '../../src/measure/failure-cause.js';
import { runWithApi } from '../../src/run/api-driver.js';
import { runWithCli } from '../../src/run/cli-driver.js';
import { runPlan } from '../../src/run/run.js';
import type { RunContext } from '../../src/run/run-types.js';
import { milliseconds, seconds } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { startDeployment, stopDeployments } from '../support/deployments.js';
import { hurriedClock, KeptLog } from '../support/fakes.js';
import { planOf, stepOf } from '../support/plans.js';
import { stepName } from '../../src/plan/steps.js';
import type { ResultDocument } from '../support/result-documents.js';
import { runContextOf } from '../support/run-context.js';
import { Redactor } from '../../src/redact/redactor.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drivers-'));
});
afterEach(async () => {
  await stopDeployments();
  await rm(directory, { recursive: true, force: true });
});

const clock = hurriedClock(50);

const contextOf = (deployment: CoderDeployment, changes: Partial<RunContext> = {}): Promise<RunContext> =>
  runContextOf(deployment, directory, { clock, ...changes });
const stepIn = (changes: Parameters<typeof stepOf>[0] = {}) =>
  stepOf({ count: 6, concurrency: 3, resultFile: path.join(directory, 'result.json'), ...changes });
const resultOf = async (): Promise<ResultDocument> =>
  JSON.parse(await readFile(path.join(directory, 'result.json'), 'utf8')) as ResultDocument;

describe('the driver "api"', () => {
  it('creates users with tokens and their workspaces, and writes the CLI’s file', async () => {
    const deployment = await startDeployment();
    const outcome = await runWithApi(stepIn(), await contextOf(deployment));
    expect(outcome).toMatchObject({
      driver: 'api',
      endedBy: 'itself',
      resultFile: path.join(directory, 'result.json'),
    });
    expect(await resultOf()).toMatchObject({ total_runs: 6, total_pass: 6, total_fail: 0 });
    const workspaces = deployment.state.liveWorkspaces();
    expect(workspaces).toHaveLength(6);
    for (const { name } of workspaces) expect(name).toMatch(/^scaletest-[0-9A-Za-z]{8}-\d$/);
    const users = deployment.state.liveUsers().filter(({ email }) => email.endsWith('@scaletest.local'));
    expect(users).toHaveLength(6);
    for (const { username } of users) expect(username).toMatch(/^scaletest-[0-9A-Za-z]{8}-\d$/);
    expect(new Set(workspaces.map(({ ownerId }) => ownerId)).size).toBe(6);
  });

  it('signs nobody in: sign-ins are limited', async () => {
    const deployment = await startDeployment();
    await runWithApi(stepIn(), await contextOf(deployment));
    expect(deployment.state.requestCounts.get('POST /api/v2/users/login')).toBeUndefined();
  });

  it('makes the token’s own user the owner where it is told so', async () => {
    const deployment = await startDeployment();
    const context = await contextOf(deployment);
    await runWithApi(stepIn({ owner: 'token-user' }), context);
    expect(new Set(deployment.state.liveWorkspaces().map(({ ownerId }) => ownerId))).toEqual(
      new Set([context.ownUserId]),
    );
    expect(deployment.state.liveUsers()).toHaveLength(2);
  });

  it('passes the parameters on', async () => {
    const deployment = await startDeployment();
    await runWithApi(
      stepIn({ template: 'ec2-datasci', parameters: { region: 'mars', size: 'large' } }),
      await contextOf(deployment),
    );
    const parameters = deployment.state.liveWorkspaces()[0]?.builds[0]?.parameters;
    expect(parameters).toEqual(
      expect.arrayContaining([
        { name: 'region', value: 'mars' },
        { name: 'size', value: 'large' },
      ]),
    );
  });

  it('never has more under way than it should', async () => {
    const deployment = await startDeployment();
    let most = 0;
    const watch = setInterval(() => {
      const active = [...deployment.state.builds.values()].filter(
        ({ job }) => job.completedAt === null,
      ).length;
      most = Math.max(most, active);
    }, 1);
    await runWithApi(stepIn({ count: 12, concurrency: 3 }), await contextOf(deployment));
    clearInterval(watch);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('records a failed build with what Terraform said', async () => {
    const deployment = await startDeployment();
    await runWithApi(stepIn({ template: 'tpl-fail', count: 2 }), await contextOf(deployment));
    const { runs, ...totals } = await resultOf();
    expect(totals).toMatchObject({ total_runs: 2, total_pass: 0, total_fail: 2 });
    for (const { error, logs } of Object.values(runs)) {
      expect(error).toMatch(/wait for build/);
      const { summary, logErrors } = failureCause(String(error), logs);
      expect(logErrors.length).toBeGreaterThan(0);
      expect(summary).toMatch(/terraform apply: exit status 1/);
    }
  });

  it('tries a failed build again where it should', async () => {
    const deployment = await startDeployment({ templateOverrides: { 'tpl-fail': { failingShare: 1 } } });
    await runWithApi(stepIn({ template: 'tpl-fail', count: 1, retries: 2 }), await contextOf(deployment));
    expect(deployment.state.liveWorkspaces()[0]?.builds).toHaveLength(3);
  });

  it('fails a workspace without agents, as the CLI does', async () => {
    const deployment = await startDeployment();
    await runWithApi(stepIn({ template: 'tpl-noagent', count: 1 }), await contextOf(deployment));
    const [run] = Object.values((await resultOf()).runs);
    expect(run?.error).toMatch(/no agents found for workspace/);
  });

  it('fails what is not done in its own time, and what never began', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 300, sigma: 0 } } },
    });
    const outcome = await runWithApi(
      stepIn({ timeout: seconds(0.8), jobTimeout: seconds(60) }),
      await contextOf(deployment),
    );
    expect(outcome.endedBy).toBe('deadline');
    const { runs, total_fail: failed } = await resultOf();
    expect(failed).toBe(6);
    for (const { error } of Object.values(runs)) expect(error).toMatch(/context deadline exceeded/);
    expect(Object.values(runs).filter(({ duration_ms: took }) => took === 0)).toHaveLength(3);
  });

  it('ends one workspace’s run after its time, and goes on with the others', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 300, sigma: 0 } } },
    });
    await runWithApi(
      stepIn({ count: 2, concurrency: 1, jobTimeout: seconds(0.4) }),
      await contextOf(deployment),
    );
    expect(await resultOf()).toMatchObject({ total_runs: 2, total_fail: 2 });
    expect(deployment.state.liveWorkspaces()).toHaveLength(2);
  });

  it('leaves no file when it is cancelled, as the CLI does', async () => {
    const deployment = await startDeployment({
      templateOverrides: { 'pod-swdev': { startSeconds: { median: 300, sigma: 0 } } },
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('cancelled')), 200);
    const outcome = await runWithApi(stepIn(), await contextOf(deployment, { signal: controller.signal }));
    expect(outcome.endedBy).toBe('cancel');
    expect(outcome.resultFile).toBeUndefined();
    await expect(resultOf()).rejects.toThrow(/ENOENT/);
  });

  it('names why users cannot be made', async () => {
    const deployment = await startDeployment({ passwordAuthDisabled: true });
    await runWithApi(stepIn({ count: 1 }), await contextOf(deployment));
    const [run] = Object.values((await resultOf()).runs);
    expect(run?.error).toMatch(/create user:[\s\S]*Password based authentication is disabled/);
  });
});

async function cli(body: string): Promise<string> {
  const file = path.join(directory, 'coder');
  await writeFile(file, `#!/bin/bash\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

describe('the driver "cli"', () => {
  it('runs the planned command, keeps what it says, and finds its file', async () => {
    const deployment = await startDeployment();
    const body = `printf '%s\\n' "$@" > args; for a in "$@"; do case $a in --output=json:*) echo '{}' > "\${a#--output=json:}";; esac; done; echo out; echo err >&2; exit 1`;
    const step = stepIn();
    const outcome = await runWithCli(step, await contextOf(deployment, { cliPath: await cli(body) }));
    expect(outcome).toMatchObject({
      driver: 'cli',
      exitCode: 1,
      endedBy: 'itself',
      resultFile: step.resultFile,
      lastWords: ['err'],
    });
    expect((await readFile(path.join(directory, 'args'), 'utf8')).trimEnd().split('\n')).toEqual(
      step.command.slice(1),
    );
    expect(await readFile(path.join(directory, 'create-workspaces.pod_workspaces.stdout.txt'), 'utf8')).toBe(
      'out\n',
    );
    expect(await readFile(path.join(directory, 'create-workspaces.pod_workspaces.stderr.txt'), 'utf8')).toBe(
      'err\n',
    );
  });

  it('says when there is no file, and the last words', async () => {
    const deployment = await startDeployment();
    const outcome = await runWithCli(
      stepIn(),
      await contextOf(deployment, { cliPath: await cli('seq 1 50 >&2; kill -INT $$') }),
    );
    expect(outcome.resultFile).toBeUndefined();
    expect(outcome).toMatchObject({ exitSignal: 'SIGINT' });
    expect(outcome.lastWords).toHaveLength(20);
    expect(outcome.lastWords.at(-1)).toBe('50');
  });

  it('keeps no private key in what it keeps, though that comes line by line', async () => {
    const deployment = await startDeployment();
    const key = `-----BEGIN PRIVATE KEY-----\n${`${'MIIEvQ'.repeat(10)}abcd\n`.repeat(9)}MIIEvQ==\n-----END PRIVATE KEY-----`;
    const outcome = await runWithCli(
      stepIn(),
      await contextOf(deployment, { cliPath: await cli(`printf 'first\n${key}\nlast\n' >&2`) }),
    );
    const kept = await readFile(path.join(directory, 'create-workspaces.pod_workspaces.stderr.txt'), 'utf8');
    expect(kept).not.toContain('MIIEvQ');
    expect(kept).toMatch(/^first\n(\*\*\*\n)+last\n$/);
    expect(outcome.lastWords.join()).not.toContain('MIIEvQ');
  });

  it('keeps no secret in what it keeps', async () => {
    const deployment = await startDeployment();
    const body = `echo "token is ${deployment.ownerToken}"; echo '{"password":"hunter2-hunter2"} told' >&2`;
    const outcome = await runWithCli(
      stepIn(),
      await contextOf(deployment, { cliPath: await cli(body), redactor: new Redactor(['told']) }),
    );
    const kept = (
      await Promise.all(
        ['stdout', 'stderr'].map((stream) =>
          readFile(path.join(directory, `create-workspaces.pod_workspaces.${stream}.txt`), 'utf8'),
        ),
      )
    ).join('');
    expect(kept).toContain('token is ***');
    for (const text of [kept, outcome.lastWords.join()]) {
      expect(text).not.toContain(deployment.ownerToken);
      expect(text).not.toContain('hunter2');
      expect(text).not.toContain('told');
    }
  });

  it('is ended when the run’s own time is over', async () => {
    const deployment = await startDeployment();
    const context = await contextOf(deployment, {
      cliPath: await cli('exec sleep 60'),
      deadline: milliseconds(clock.monotonic() + 100),
    });
    await expect(runWithCli(stepIn(), context)).resolves.toMatchObject({
      endedBy: 'deadline',
      exitSignal: 'SIGINT',
    });
  });
});

describe('runPlan', () => {
  it('runs the steps of a phase together, and what goes wrong in one does not stop the other', async () => {
    const deployment = await startDeployment();
    const log = new KeptLog();
    const good = stepIn({ group: 'good', count: 2, resultFile: path.join(directory, 'good.json') });
    const bad = stepIn({ group: 'bad', count: 2, template: 'not-there' });
    const { steps } = await runPlan(planOf([good, bad]), await contextOf(deployment, { log }));
    expect(steps.map(({ step, resultFile }) => [stepName(step), resultFile !== undefined])).toEqual([
      ['good', true],
      ['bad', false],
    ]);
    expect(steps[1]?.lastWords.join()).toMatch(/"not-there" was not read/);
    expect(log.lines.join('\n')).toMatch(/good: done after \d+ s/);
  });

  it('begins nothing after it was cancelled', async () => {
    const deployment = await startDeployment();
    const { steps } = await runPlan(
      planOf([stepIn()]),
      await contextOf(deployment, { signal: AbortSignal.abort() }),
    );
    expect(steps).toEqual([]);
    expect(deployment.state.liveWorkspaces()).toEqual([]);
  });
});
