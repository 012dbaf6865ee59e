import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeBrowserPage } from '../../src/measure/browser-page.js';
import type { DashboardBrowserStep } from '../../src/plan/plan-types.js';
import { runBrowsers } from '../../src/run/browsers.js';
import type { KeptPage, RunContext, StepOutcome } from '../../src/run/run-types.js';
import { systemClock } from '../../src/system.js';
import { milliseconds, seconds } from '../../src/units.js';
import type { CliBehaviour, CoderDeployment } from '../../simulator/coder/server.js';
import { Executables } from '../simulator/executables.js';
import { ownerApi, startDeployment, stopDeployments } from '../support/deployments.js';
import { KeptLog } from '../support/fakes.js';
import { browserStepWith } from '../support/plans.js';
import { Redactor } from '../../src/redact/redactor.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const executables = new Executables();
beforeAll(() => executables.build(['v2.36.0', 'v2.21.3']));
afterAll(() => executables.remove());

let directory = '';
const log = new KeptLog();
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'run-browsers-'));
  log.lines.length = 0;
});
afterEach(async () => {
  await stopDeployments();
  await rm(directory, { recursive: true, force: true });
});

interface Running {
  version?: string;
  cli?: Partial<CliBehaviour>;
  step?: Partial<DashboardBrowserStep>;
  context?: (deployment: CoderDeployment) => Partial<RunContext>;
}

async function run({
  version = 'v2.21.3',
  cli = {},
  step = {},
  context,
}: Running = {}): Promise<StepOutcome> {
  const deployment = await startDeployment({ version, disableRateLimits: true });
  deployment.options.cli = { pollScale: 0.1, ...cli };
  deployment.seedLeftovers(3);
  return runBrowsers(
    browserStepWith({
      users: 3,
      interval: seconds(0.2),
      jitter: seconds(0.02),
      timeout: seconds(3),
      jobTimeout: seconds(33),
      resultFile: path.join(directory, 'result.json'),
      ...step,
    }),
    {
      api: ownerApi(deployment, systemClock),
      clock: systemClock,
      log,
      signal: new AbortController().signal,
      cancelled: new AbortController().signal,
      driver: 'cli',
      cliPath: executables.of(version),
      childEnvironment: {
        PATH: process.env['PATH'] ?? '',
        CODER_URL: deployment.url,
        CODER_SESSION_TOKEN: deployment.ownerToken,
      },
      rawDirectory: directory,
      evidenceDirectory: directory,
      redactor: new Redactor(),
      network: { headers: {}, proxies: {} },
      deadline: milliseconds(systemClock.monotonic() + 60_000),
      templates: new Map(),
      ownUserId: '',
      deploymentUrl: deployment.url,
      since: new Date(),
      describeTrafficPage: () => undefined,
      describeBrowserPage,
      describeSuitePage: () => undefined,
      suitesWithPage: new Set(),
      beforeSuites: async () => undefined,
      ...context?.(deployment),
    },
  );
}

function pageOf({ metricsPage }: StepOutcome): KeptPage {
  if (metricsPage === undefined || 'unusable' in metricsPage)
    throw new Error(`no page: ${JSON.stringify(metricsPage)}`);
  return metricsPage;
}
const evidence = (name: string): Promise<string> =>
  readFile(path.join(directory, `dashboard-browser.${name}.txt`), 'utf8');

describe('browsers', () => {
  it('click for their time, and the last page of theirs is kept with its age', async () => {
    const outcome = await run();
    expect(outcome).toMatchObject({ driver: 'cli', exitCode: 0, endedBy: 'itself' });
    expect(existsSync(outcome.resultFile ?? '')).toBe(true);
    const page = pageOf(outcome);
    expect(page.file).toBe('evidence/dashboard-browser.metrics.txt');
    // It is read each second, and gone with the load.
    expect(outcome.endedAt.getTime() - page.readAt.getTime()).toBeLessThan(2000);
    const text = await evidence('metrics');
    expect(text).toContain('coderd_scaletest_dashboard_duration_seconds_count{action="workspace_list"}');
    expect(describeBrowserPage(text)).toMatch(/^[1-9]\d* actions, \d+ of them failed$/);
    expect(log.lines.join('\n')).toMatch(/\d s {2}dashboard-browser: \d+ actions/);
    expect(log.lines.join('\n')).toMatch(/coder exp scaletest dashboard --target-users=0:3/);
  });

  it('leave out what Chromium says that the CLI does not know, and count it', async () => {
    const outcome = await run();
    const stderr = await evidence('stderr');
    expect(stderr).not.toContain('could not unmarshal');
    expect(stderr).toMatch(/^\([1-9]\d+ lines without meaning were left out here\)$/m);
    expect(outcome.lastWords.join('\n')).toContain('Waiting 0s for prometheus metrics');
    expect(await evidence('stdout')).toMatch(/action success/);
  });

  it('of a newer server pass and do nothing: an empty page', async () => {
    const outcome = await run({ version: 'v2.36.0', step: { interval: seconds(2) } });
    expect(outcome).toMatchObject({ exitCode: 0 });
    pageOf(outcome);
    expect(await evidence('metrics')).toBe('');
  });

  it('have no page where another program answers there', async () => {
    const outcome = await run({ cli: { metricsPage: 'go_goroutines 7\n' } });
    expect(outcome.metricsPage).toEqual({
      unusable: expect.stringMatching(
        /the metrics page at 127\.0\.0\.1:\d+ is missing: what answers there is no metrics page/,
      ) as unknown,
    });
  });

  it('that are cancelled are ended at once, and what was read before is kept', async () => {
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error('cancelled')), 2500);
    const began = Date.now();
    const outcome = await run({
      step: { timeout: seconds(60) },
      context: () => ({ signal: cancel.signal }),
    });
    expect(Date.now() - began).toBeLessThan(8000);
    expect(outcome).toMatchObject({ endedBy: 'cancel', exitSignal: 'SIGINT' });
    expect(outcome.resultFile).toBeUndefined();
    expect(describeBrowserPage(await evidence('metrics'))).toMatch(/actions/);
  });

  it('give way to the rest, and keep their profiles in a folder of their own, which is removed', async () => {
    const cliPath = path.join(directory, 'coder');
    await writeFile(
      cliPath,
      `#!/bin/sh\necho "$TMPDIR" > ${directory}/tmpdir\nnice > ${directory}/priority\nmkdir -p "$TMPDIR/scaletest-dashboard-1/Default"\necho x > "$TMPDIR/scaletest-dashboard-1/Default/Cookies"\n`,
    );
    await chmod(cliPath, 0o755);
    const before = await readdir(tmpdir());
    await run({ context: () => ({ cliPath }) });
    const used = (await readFile(path.join(directory, 'tmpdir'), 'utf8')).trim();
    expect(path.dirname(used)).toBe(tmpdir());
    expect(before).not.toContain(path.basename(used));
    expect(existsSync(used)).toBe(false);
    expect((await readFile(path.join(directory, 'priority'), 'utf8')).trim()).toBe('19');
    // Chromium makes a socket below it, whose path may have 107 bytes.
    expect(path.basename(used).length).toBeLessThan(20);
  });
});
