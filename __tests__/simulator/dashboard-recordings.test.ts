import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CliBehaviour } from '../../simulator/coder/server.js';
import { freePort } from '../../src/run/metrics-page.js';
import { cliRecording, explainSkip, hasRecordings, sharedText, type Version } from './golden.js';
import { normalizedError, readResults } from './result-files.js';
import { runCoder, startCoder, type Ended } from './run-coder.js';
import { useSimulatedCli } from './simulated-cli.js';

explainSkip('recordings of the dashboard suite');

const simulated = useSimulatedCli(['v2.36.0', 'v2.29.0', 'v2.21.3'], 'dashboard.json');

interface Serving {
  users?: number;
  withLimits?: boolean;
  cli?: Partial<CliBehaviour>;
}

async function serve(version: Version, { users = 2, withLimits = false, cli = {} }: Serving = {}) {
  const deployment = await simulated.serve(version, withLimits, { pollScale: 0.1, ...cli });
  if (users > 0) deployment.seedLeftovers(users);
  return deployment;
}

const INTERVAL_MS = 150;

async function command(more: readonly string[] = [], wait = '100ms') {
  const port = await freePort();
  const args = [
    'exp',
    'scaletest',
    'dashboard',
    '--concurrency=0',
    `--interval=${INTERVAL_MS}ms`,
    '--jitter=20ms',
    '--timeout=3s',
    '--job-timeout=33s',
    `--scaletest-prometheus-address=127.0.0.1:${port}`,
    `--scaletest-prometheus-wait=${wait}`,
    `--output=json:${simulated.file}`,
    ...more,
  ];
  return { port, args };
}

async function run(version: string, more: readonly string[] = []): Promise<Ended> {
  const { args } = await command(more);
  return runCoder(simulated.executables.of(version), args, {
    ...(simulated.deployment && { deployment: simulated.deployment }),
  });
}

const written = (): string => readFileSync(simulated.file, 'utf8');

/** What kinds of lines a text has: everything that differs from run to run is taken out. */
const kindsOf = (text: string): string[] => [
  ...new Set(
    text
      .replaceAll(/\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d(\.\d{3})?/g, '<time>')
      .replaceAll(/scaletest-[0-9A-Za-z]{8}-\d+/g, '<name>')
      .replaceAll(/scaletest-dashboard-\d+/g, '<folder>')
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
      .replaceAll(/(interval|jitter)=\S+/g, '$1=<span>')
      .replaceAll(/Waiting \S+ for/g, 'Waiting <span> for')
      .split('\n'),
  ),
];

const pageKinds = (page: string): string[] =>
  page.split('\n').map((line) => line.replace(/ [\d.e+-]+$/, ' <n>'));

/** Which line a machine writes here depends on the moment. */
const withoutFolders = (kinds: string[]): string[] =>
  kinds.filter((line) => !line.includes('failed to remove temp user data dir'));

describe.runIf(hasRecordings)('dashboard, as recorded', () => {
  // In three seconds a starved machine may perform too few actions for every kind of line.
  it('v2.21.3 acts: what it prints and writes', { retry: 2 }, async () => {
    await serve('v2.21.3');
    const ended = await run('v2.21.3');
    const recorded = cliRecording('v2.21.3', 'dashboard');
    expect(kindsOf(ended.stderr).sort()).toEqual(kindsOf(recorded.stderr).sort());
    expect(withoutFolders(kindsOf(ended.stdout)).sort()).toEqual(
      withoutFolders(kindsOf(recorded.stdout)).sort(),
    );
    expect(ended.exitCode).toBe(recorded.exitCode);
    const [own, real] = [written(), sharedText('golden/v2.21.3/cli/dashboard.json')].map(readResults);
    expect(own?.shape).toEqual(real?.shape);
    expect(own?.totals).toMatchObject({ total: 2, pass: 2, fail: 0 });
    for (const key of own?.totals.keys ?? [])
      expect(key).toMatch(/^dashboard\/dashboard-scaletest-[0-9A-Za-z]{8}-\d+$/);
    expect(own?.runs.map(({ logs }) => logs)).toEqual(real?.runs.map(({ logs }) => logs));
  });

  it('v2.21.3 acts about once an interval and user, for its whole time', { retry: 2 }, async () => {
    await serve('v2.21.3');
    const began = Date.now();
    const ended = await run('v2.21.3');
    expect(Date.now() - began).toBeGreaterThan(2900);
    const actions = ended.stdout.match(/action (success|failed)/g)?.length ?? 0;
    const expected = (2 * (3000 - 250 - 60)) / INTERVAL_MS;
    expect(actions).toBeGreaterThan(expected * 0.6);
    expect(actions).toBeLessThan(expected * 1.4);
  });

  it('v2.21.3: its page has the families and labels of the real one, and is gone with the load', async () => {
    const running = await serve('v2.21.3');
    const { port, args } = await command([], '2s');
    const started = startCoder(simulated.executables.of('v2.21.3'), args, { deployment: running });
    await started.said('Running load test...');
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/any`)).text();
    let last = '';
    const load = { isOver: false };
    void started.said('Waiting 2s for prometheus metrics to be scraped').then(() => (load.isOver = true));
    while (!load.isOver) {
      last = await page().catch(() => last);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(existsSync(simulated.file)).toBe(true);
    expect(pageKinds(last)).toEqual(pageKinds(sharedText('golden/v2.21.3/cli/dashboard.metrics-mid.txt')));
    await expect(page()).rejects.toThrow();
    expect((await started.ended).exitCode).toBe(0);
  });

  it('v2.36.0 does nothing and passes, whatever its time', async () => {
    const running = await serve('v2.36.0');
    const { port, args } = await command(['--timeout=20s'], '1s');
    const started = startCoder(simulated.executables.of('v2.36.0'), args, { deployment: running });
    await started.said('Waiting 1s for prometheus metrics to be scraped');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect({ status: answer.status, body: await answer.text() }).toEqual({
      status: 200,
      body: sharedText('golden/v2.36.0/cli/dashboard.metrics-mid.txt'),
    });
    const ended = await started.ended;
    const recorded = cliRecording('v2.36.0', 'dashboard');
    expect(kindsOf(ended.stderr)).toEqual(kindsOf(recorded.stderr));
    expect(withoutFolders(kindsOf(ended.stdout))).toEqual(withoutFolders(kindsOf(recorded.stdout)));
    expect(ended.exitCode).toBe(recorded.exitCode);
    const [own, real] = [written(), sharedText('golden/v2.36.0/cli/dashboard.json')].map(readResults);
    expect(own?.shape).toEqual(real?.shape);
    expect(own?.totals).toMatchObject({ total: 2, pass: 2, fail: 0 });
  });

  it('v2.36.0 with rate limits fails at once', async () => {
    await serve('v2.36.0', { withLimits: true });
    const ended = await run('v2.36.0');
    const recorded = cliRecording('v2.36.0', 'dashboard-428');
    expect(kindsOf(ended.stderr)).toEqual(kindsOf(recorded.stderr));
    expect(kindsOf(ended.stdout)).toEqual(kindsOf(recorded.stdout));
    expect(ended.exitCode).toBe(recorded.exitCode);
    const [own, real] = [written(), sharedText('golden/v2.36.0/cli/dashboard-428.json')].map(readResults);
    expect(own?.shape).toEqual(real?.shape);
    expect(own?.runs.map(({ error }) => normalizedError(error))).toEqual(
      real?.runs.map(({ error }) => normalizedError(error)),
    );
  });
});

describe('dashboard', () => {
  it('passes without any user', async () => {
    await serve('v2.21.3', { users: 0 });
    expect((await run('v2.21.3')).exitCode).toBe(0);
    expect(readResults(written()).totals).toMatchObject({ total: 0, pass: 0, fail: 0 });
  });

  it('takes the users of its range, by name, each with a token of its own', async () => {
    const running = await serve('v2.21.3', { users: 4 });
    expect((await run('v2.21.3', ['--target-users=1:9', '--timeout=1s'])).exitCode).toBe(0);
    expect(readResults(written()).totals).toMatchObject({ total: 3, pass: 3 });
    const tokens = [...running.state.tokens.values()].filter(({ name }) => /^scaletest-\d+$/.test(name));
    expect(tokens).toHaveLength(3);
  });

  it.each([
    ['3', 'parse target users: invalid target users "3"'],
    ['2:2', 'start and end cannot be equal'],
    ['3:1', 'end cannot be less than start'],
  ])('refuses the range %s', async (range, why) => {
    await serve('v2.21.3');
    const ended = await run('v2.21.3', [`--target-users=${range}`]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(why);
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('refuses a jitter that is not below the interval', async () => {
    await serve('v2.21.3');
    expect((await run('v2.21.3', ['--jitter=1s', '--interval=1s'])).stderr).toContain(
      'error: --jitter must be less than --interval',
    );
  });

  it('fails where a browser cannot be started', async () => {
    await serve('v2.21.3', { cli: { failingShare: 0.5 } });
    expect((await run('v2.21.3', ['--timeout=1s'])).exitCode).toBe(1);
    expect(readResults(written()).totals).toMatchObject({ total: 2, pass: 1, fail: 1 });
    expect(written()).toContain('chrome failed to start');
  });

  it('goes by the pages of the server, not by its own version', async () => {
    await serve('v2.21.3');
    const ended = await run('v2.29.0', ['--timeout=1s']);
    expect(ended.stdout).toMatch(/action success/);
  });

  it('dies by SIGINT at once, without a result', async () => {
    const running = await serve('v2.21.3');
    const { args } = await command(['--timeout=20s']);
    const started = startCoder(simulated.executables.of('v2.21.3'), args, { deployment: running });
    await started.said('Running load test...');
    started.child.kill('SIGINT');
    expect((await started.ended).signal).toBe('SIGINT');
    expect(existsSync(simulated.file)).toBe(false);
  });
});
