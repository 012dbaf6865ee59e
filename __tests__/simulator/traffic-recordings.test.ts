import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CliBehaviour, CoderDeployment } from '../../simulator/coder/server.js';
import { freePort } from '../../src/run/metrics-page.js';
import { cliRecording, explainSkip, hasRecordings, sharedText, VERSIONS, type Version } from './golden.js';
import { logSkeleton, readResults } from './result-files.js';
import { runCoder, startCoder, type Ended } from './run-coder.js';
import { useSimulatedCli } from './simulated-cli.js';

explainSkip('recordings of workspace-traffic');

const simulated = useSimulatedCli(VERSIONS, 'traffic.json');

async function serve(
  version: Version = 'v2.36.0',
  workspaces = 3,
  cli: Partial<CliBehaviour> = {},
): Promise<CoderDeployment> {
  const deployment = await simulated.serve(version, false, cli);
  if (workspaces > 0) deployment.seedLeftovers(workspaces);
  return deployment;
}

async function traffic(more: readonly string[] = [], wait = '200ms') {
  const port = await freePort();
  const args = [
    'exp',
    'scaletest',
    'workspace-traffic',
    '--concurrency=0',
    '--timeout=1s',
    '--job-timeout=31s',
    `--scaletest-prometheus-address=127.0.0.1:${port}`,
    `--scaletest-prometheus-wait=${wait}`,
    `--output=json:${simulated.file}`,
    ...more,
  ];
  return { port, args };
}

async function run(version: Version, more: readonly string[] = []): Promise<Ended> {
  const { args } = await traffic(more);
  return runCoder(simulated.executables.of(version), args, {
    ...(simulated.deployment && { deployment: simulated.deployment }),
  });
}

const anyWait = (text: string): string =>
  text.replace(/Waiting \S+ for/, 'Waiting <time> for').replace(/scaletest-[0-9A-Za-z]{8}-\d+/g, '<name>');
const written = (): string => readFileSync(simulated.file, 'utf8');

/** What kinds of lines a page has: the labels' values and the numbers are taken out. */
const pageSkeleton = (page: string): string[] => [
  ...new Set(
    page
      .split('\n')
      .map((line) =>
        line
          .replace(/(agent_name|username|workspace_name)="[^"]*"/g, '$1="…"')
          .replace(/ [\d.e+-]+$/, ' <n>'),
      ),
  ),
];

describe.runIf(hasRecordings)('workspace-traffic, as recorded', () => {
  it.each(VERSIONS)('%s: what it prints, writes and logs', async (version) => {
    await serve(version);
    const ended = await run(version);
    const recorded = cliRecording(version, 'workspace-traffic');
    expect(anyWait(ended.stderr)).toBe(anyWait(recorded.stderr));
    expect(ended.exitCode).toBe(recorded.exitCode ?? 0);
    const [own, real] = [written(), sharedText(`golden/${version}/cli/workspace-traffic.json`)].map(
      readResults,
    );
    expect(own?.shape).toEqual(real?.shape);
    expect(own?.totals.keys).toEqual(['workspace-traffic/0', 'workspace-traffic/1', 'workspace-traffic/2']);
    const plain = (logs = ''): string =>
      logSkeleton(logs)
        .replaceAll(/\d+(?=\n|$)/g, '<n>')
        .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>');
    const masked = (text: string): string => plain(text).replaceAll(/actual_bytes_\w+=\S+/g, '<bytes>');
    expect(masked(own?.runs[0]?.logs ?? '')).toBe(masked(real?.runs[0]?.logs ?? ''));
  });

  it('its metrics page, during the load and in the wait', async () => {
    const running = await serve();
    const { port, args } = await traffic([], '2s');
    const started = startCoder(simulated.executables.of('v2.36.0'), args, { deployment: running });
    await started.said('Running load test...');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/any`)).text();
    const middle = await page();
    await started.said('Waiting 2s for prometheus metrics to be scraped');
    expect(existsSync(simulated.file)).toBe(true);
    const end = await page();
    const recorded = pageSkeleton(sharedText('golden/v2.36.0/cli/workspace-traffic.metrics-end.txt'));
    expect(pageSkeleton(end)).toEqual(recorded);
    expect(pageSkeleton(middle)).toEqual(recorded);
    expect((await started.ended).exitCode).toBe(0);
    // Of each workspace one more read than ticks: the artificial one of 0 s.
    const count = /read_latency_seconds_count\{[^}]*\} (\d+)/.exec(end)?.[1];
    const bytes = /bytes_written_total\{[^}]*\} (\d+)/.exec(end)?.[1];
    expect(Number(count)).toBe(Number(bytes) / 1024 + 1);
    await expect(page()).rejects.toThrow();
  });

  it('ended by SIGINT', async () => {
    const running = await serve('v2.36.0', 3, { lostAgents: 1 });
    const { args } = await traffic(['--timeout=20s'], '3s');
    const started = startCoder(simulated.executables.of('v2.36.0'), args, { deployment: running });
    await started.said('Running load test...');
    await new Promise((resolve) => setTimeout(resolve, 300));
    started.child.kill('SIGINT');
    const ended = await started.ended;
    const recorded = cliRecording('v2.36.0', 'workspace-traffic-sigint');
    expect(anyWait(ended.stderr)).toBe(anyWait(recorded.stderr));
    expect({ code: ended.exitCode, signal: ended.signal }).toEqual({ code: recorded.exitCode, signal: null });
    expect(existsSync(simulated.file)).toBe(false);
  });
});

describe('workspace-traffic', () => {
  it('needs workspaces', async () => {
    await serve('v2.36.0', 0);
    const ended = await run('v2.36.0');
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/\nerror: no scaletest workspaces exist\n$/);
    expect(ended.stderr).not.toContain('Waiting');
    expect(existsSync(simulated.file)).toBe(false);
  });

  it('finds none of another template', async () => {
    await serve();
    expect((await run('v2.36.0', ['--template=ec2-datasci'])).stderr).toContain(
      'no scaletest workspaces exist',
    );
  });

  it('runs as long as the shorter of its time-outs', async () => {
    await serve();
    const began = Date.now();
    expect((await run('v2.36.0', ['--timeout=20s', '--job-timeout=1s'])).exitCode).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('fails every workspace that comes too late with a concurrency of one', async () => {
    await serve();
    expect((await run('v2.36.0', ['--concurrency=1'])).exitCode).toBe(1);
    expect(readResults(written()).totals).toMatchObject({ total: 3, pass: 1, fail: 2 });
  });

  it.each<[Version, number]>([
    ['v2.36.0', 1],
    ['v2.31.0', 0],
    ['v2.21.3', 0],
  ])('%s ends with %d where a connection drops and another gets no answer', async (version, exitCode) => {
    await serve(version, 3, { dropShare: 0.4, stalledShare: 0.4 });
    const ended = await run(version);
    expect(ended.exitCode).toBe(exitCode);
    expect(readResults(written()).totals).toMatchObject({ total: 3, fail: exitCode });
  });

  it('goes on without a page where its port is taken', async () => {
    const running = await serve();
    const other = createServer((_, response) => response.end('mine'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { args } = await traffic([`--scaletest-prometheus-address=127.0.0.1:${port}`]);
    const ended = await runCoder(simulated.executables.of('v2.36.0'), args, { deployment: running });
    other.close();
    expect(ended.exitCode).toBe(0);
    expect(readResults(written()).totals).toMatchObject({ total: 3, pass: 3 });
  });
});
