import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CliBehaviour, CoderDeployment } from '../../simulator/coder/server.js';
import { fields } from './api-scenario.js';
import { readResults } from './result-files.js';
import { type Ended, runCoder, type Running, startCoder } from './run-coder.js';
import { useSimulatedCli } from './simulated-cli.js';

const VERSION = 'v2.36.0';
const simulated = useSimulatedCli([VERSION]);

function serve(cli: Partial<CliBehaviour>): Promise<CoderDeployment> {
  return simulated.serve(VERSION, false, { pollScale: 0.05, ...cli });
}

function create(running: CoderDeployment, args: string[] = []): Running {
  const all = [
    'exp',
    'scaletest',
    'create-workspaces',
    '--count=4',
    '--concurrency=0',
    '--template=pod-swdev',
    '--no-cleanup',
  ];
  return startCoder(simulated.executables.of(VERSION), [...all, `--output=json:${simulated.file}`, ...args], {
    deployment: running,
  });
}

async function ending(cli: Partial<CliBehaviour>, args: string[] = []): Promise<Ended> {
  return create(await serve(cli), args).ended;
}

function document(): Record<string, unknown> {
  return fields(JSON.parse(readFileSync(simulated.file, 'utf8')));
}

describe('ordered faults of the CLI', () => {
  it('zeroRuns passes with nothing', async () => {
    const { exitCode } = await ending({ zeroRuns: true });
    expect(exitCode).toBe(0);
    expect(document()).toMatchObject({ total_runs: 0, total_pass: 0, total_fail: 0, runs: {} });
  });

  it('failingShare fails that share of the runs', async () => {
    const { exitCode } = await ending({ failingShare: 0.5 });
    expect(exitCode).toBe(1);
    expect(document()).toMatchObject({ total_runs: 4, total_pass: 2, total_fail: 2 });
  });

  it('truncateJson and noJson', async () => {
    expect((await ending({ truncateJson: true })).exitCode).toBe(0);
    expect(() => document()).toThrow(SyntaxError);
    rmSync(simulated.file);
    await simulated.deployment?.close();
    expect((await ending({ noJson: true })).exitCode).toBe(0);
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('totalsContradictRuns and dropRuns', async () => {
    await ending({ totalsContradictRuns: true });
    expect(document()).toMatchObject({ total_runs: 4, total_pass: 3, total_fail: 1 });
    await simulated.deployment?.close();
    await ending({ dropRuns: 1 });
    const results = readResults(readFileSync(simulated.file, 'utf8'));
    expect(results.totals).toMatchObject({ total: 3, pass: 3, fail: 0 });
    expect(results.runs).toHaveLength(3);
  });

  it('crash dies of a panic, and exitCode replaces the code', async () => {
    const crashed = await ending({ crash: true });
    expect(crashed.exitCode).toBe(2);
    expect(crashed.stderr).toContain('panic: runtime error');
    expect(existsSync(simulated.file)).toBe(false);
    await simulated.deployment?.close();
    expect((await ending({ exitCode: 7 })).exitCode).toBe(7);
  });

  it('failOwnCleanup leaves everything behind', async () => {
    const running = await serve({ failOwnCleanup: true });
    const args = [
      'exp',
      'scaletest',
      'create-workspaces',
      '--template=pod-swdev',
      `--output=json:${simulated.file}`,
    ];
    const { exitCode, stderr } = await runCoder(simulated.executables.of(VERSION), args, {
      deployment: running,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error: cleanup tests: ');
    expect(running.state.liveWorkspaces()).toHaveLength(1);
    expect(document()).toMatchObject({ total_pass: 1 });
  });

  it('garbageOnStdout does not touch the file', async () => {
    const { stdout } = await ending({ garbageOnStdout: true });
    expect(stdout).toContain('{"not": the result');
    expect(document()).toMatchObject({ total_pass: 4 });
  });

  it('slim and tooOld', async () => {
    const slim = await ending({ slim: true });
    expect(slim.stderr).toContain('unknown flag: --count');
    expect(slim.exitCode).toBe(1);
    await simulated.deployment?.close();
    const running = await serve({ tooOld: true });
    const version = await runCoder(simulated.executables.of(VERSION), ['version', '-o', 'json'], {
      deployment: running,
    });
    expect(JSON.parse(version.stdout)).toMatchObject({ version: 'v2.7.0' });
    const updates = await runCoder(
      simulated.executables.of(VERSION),
      ['exp', 'scaletest', 'workspace-updates'],
      {
        deployment: running,
      },
    );
    // So old a CLI prints its help for a sub-command that it does not know.
    expect([updates.exitCode, updates.stderr]).toEqual([0, '']);
  });

  it('hangOnSignals survives everything but a kill', async () => {
    const running = await serve({ hangOnSignals: true });
    running.options.templateOverrides['pod-swdev'] = {
      startSeconds: { median: 30, sigma: 0 },
      dryRunSeconds: { median: 0.1, sigma: 0 },
    };
    const started = create(running);
    await started.said('Running load test...');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) started.child.kill(signal);
    const first = await Promise.race([
      started.ended,
      new Promise((resolve) => setTimeout(() => resolve('still there'), 300)),
    ]);
    expect(first).toBe('still there');
    started.child.kill('SIGKILL');
    expect((await started.ended).signal).toBe('SIGKILL');
  });
});

describe('the CLI as it should be', () => {
  it('dies of SIGTERM without a result', async () => {
    const running = await serve({});
    running.options.templateOverrides['pod-swdev'] = {
      startSeconds: { median: 30, sigma: 0 },
      dryRunSeconds: { median: 0.1, sigma: 0 },
    };
    const started = create(running);
    await started.said('Running load test...');
    started.child.kill('SIGTERM');
    expect((await started.ended).signal).toBe('SIGTERM');
    expect(existsSync(simulated.file)).toBe(false);
  });

  it.each([
    ['a text parameter', []],
    ['an option', ['--parameter=region=eu-west-1']],
  ])('waits for ever for %s on an open pipe', async (_, parameters) => {
    const running = await serve({});
    const args = ['exp', 'scaletest', 'create-workspaces', '--template=ec2-datasci', ...parameters];
    const started = startCoder(simulated.executables.of(VERSION), args, {
      deployment: running,
      openStdin: true,
    });
    const first = await Promise.race([
      started.ended,
      new Promise((resolve) => setTimeout(() => resolve('waits'), 500)),
    ]);
    expect(first).toBe('waits');
    started.child.kill('SIGKILL');
    await started.ended;
  });

  it('takes a blank line as a default', async () => {
    const running = await serve({});
    const args = [
      'exp',
      'scaletest',
      'create-workspaces',
      '--template=ec2-datasci',
      '--parameter=size=large',
      '--no-cleanup',
    ];
    const started = startCoder(simulated.executables.of(VERSION), args, {
      deployment: running,
      openStdin: true,
    });
    started.child.stdin?.write('\n');
    expect((await started.ended).exitCode).toBe(0);
    const [build] = [...running.state.builds.values()];
    expect(build?.parameters).toEqual([
      { name: 'region', value: 'eu-west-1' },
      { name: 'size', value: 'large' },
    ]);
  });

  it('prints text results, and cleans up after itself', async () => {
    const running = await serve({});
    const args = ['exp', 'scaletest', 'create-workspaces', '--count=2', '--template=pod-swdev'];
    const { stdout, exitCode } = await runCoder(simulated.executables.of(VERSION), args, {
      deployment: running,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /\n\nTest results:\n\tPass: {2}2\n\tFail: {2}0\n\tTotal: 2\n\n\tTotal duration: \S+\n\tAvg\. duration: {2}\S+\n$/,
    );
    expect(running.state.liveWorkspaces()).toEqual([]);
    expect(running.state.liveUsers()).toHaveLength(2);
  });

  it('runs one after the other unless told otherwise', async () => {
    const running = await serve({});
    await create(running, ['--concurrency=1']).ended;
    const [first, second] = [...running.state.builds.values()];
    expect(second?.createdAt).toBeGreaterThan(first?.job.completedAt ?? Infinity);
  });

  it('refuses a member, a missing template and a count of nothing', async () => {
    const running = await serve({});
    const run = (args: string[], token?: string): Promise<Ended> =>
      runCoder(simulated.executables.of(VERSION), ['exp', 'scaletest', 'create-workspaces', ...args], {
        deployment: running,
        ...(token !== undefined && { environment: { CODER_SESSION_TOKEN: token } }),
      });
    const member = await run(['--template=pod-swdev'], running.memberToken);
    expect(member.stderr).toContain(
      'error: Not logged in as a site owner. Scale testing is only available to site owners.',
    );
    expect((await run([])).stderr).toContain('error: --template is required');
    expect((await run(['--template=none'])).exitCode).toBe(1);
    const unknown = await run(['--template=pod-swdev', '--parameter=a=b']);
    expect(unknown.stderr).toContain('parameter "a" is not present in the template.');
  });

  it('cleans a licensed deployment up', async () => {
    const running = await serve({});
    running.options.licensed = true;
    running.seedLeftovers(3);
    const { exitCode, stdout } = await runCoder(
      simulated.executables.of(VERSION),
      ['exp', 'scaletest', 'cleanup'],
      {
        deployment: running,
      },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Pausing prebuilds reconciler...');
    expect(running.state.liveWorkspaces()).toEqual([]);
    expect(running.state.reconciliationPaused).toBe(false);
  });

  it('ignores a path in the address', async () => {
    const running = await serve({});
    const environment = { CODER_URL: `${running.url}/wrong` };
    const args = ['exp', 'scaletest', 'create-workspaces', '--template=pod-swdev', '--no-cleanup'];
    expect(
      (await runCoder(simulated.executables.of(VERSION), args, { deployment: running, environment }))
        .exitCode,
    ).toBe(0);
  });
});

describe('coder delete', () => {
  it('asks for the deletion and waits for its end', async () => {
    const running = await serve({});
    running.seedLeftovers(1);
    const [workspace] = running.state.workspaces.values();
    const owner = running.state.users.get(workspace?.ownerId ?? '');
    const name = `${owner?.username ?? ''}/${workspace?.name ?? ''}`;
    const remove = ['delete', name, '--yes'];
    const first = await startCoder(simulated.executables.of(VERSION), remove, { deployment: running }).ended;
    expect(first.exitCode, first.stderr).toBe(0);
    expect(first.stdout).toContain(`${name} has been deleted at `);
    expect(workspace?.deleted).toBe(true);
    const second = await startCoder(simulated.executables.of(VERSION), remove, { deployment: running }).ended;
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain('Encountered an error running "coder delete"');
  });
});
