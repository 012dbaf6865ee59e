import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliBehaviour } from '../../simulator/coder/options.js';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  annotationsOf,
  configFile,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  filesBelow,
  inWorld,
  logOf,
  LONGEST_SCENARIO_MS,
  readJson,
  readResult,
  reasonOf,
  resultsOf,
  summaryOf,
  type E2eWorld,
} from './support.js';

/** Folders with a Chromium that starts, and with one that does not; before all others on PATH. */
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'chromium-'));
  for (const [name, body] of [
    ['working', 'echo "<html><head></head><body></body></html>"'],
    ['broken', 'echo "FATAL: No usable sandbox!" >&2; exit 133'],
  ] as const) {
    const file = path.join(folder, `${name}-headless_shell`);
    await writeFile(file, `#!/bin/sh\n${body}\n`);
    await chmod(file, 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function pathWith(kind: 'working' | 'broken'): Promise<string> {
  const own = await mkdtemp(path.join(folder, 'bin-'));
  const file = path.join(own, 'headless_shell');
  await writeFile(file, `#!/bin/sh\nexec "${path.join(folder, `${kind}-headless_shell`)}" "$@"\n`);
  await chmod(file, 0o755);
  return `${own}${path.delimiter}${process.env['PATH'] ?? ''}`;
}

interface Options {
  readonly version?: string;
  readonly browser: 'auto' | 'always' | 'never';
  readonly chromium?: 'working' | 'broken';
  readonly cli?: Partial<CliBehaviour>;
}

/** A run of the suites create-workspaces and dashboard, of which only the browsers may misbehave. */
function browsers(
  { version = 'v2.21.3', browser, chromium = 'working', cli = {} }: Options,
  check: (finished: ActionRun, world: E2eWorld) => void,
): Promise<void> {
  const behaviour = { onlySuite: 'dashboard', failingActionShare: 0, ...cli };
  return inWorld({ version, cli: behaviour }, async (world) => {
    const dashboard = `dashboard: { concurrency: 2, duration: 4s, browser: ${browser} }`;
    // Page visits of virtual users come too rarely for a few seconds.
    const probe = 'api_probe: { rate: 20, routes: [/api/v2/users/me] }';
    const text = configFile({ pods: 2, ec2: 0, more: [dashboard, probe] });
    const env = { PATH: await pathWith(chromium) };
    check(await world.gate(text, { env, inputs: { tests: 'create-workspaces,dashboard' } }), world);
  });
}

const planned = (run: ActionRun): string =>
  JSON.stringify((readJson(run, 'plan.json') as { phases: unknown }).phases);
const browserCheck = (run: ActionRun): unknown =>
  (readJson(run, 'readiness.json') as { checks: { name: string }[] }).checks.find(
    ({ name }) => name === 'browser suite',
  );

describe.concurrent('browsers beside the virtual users', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(['auto', 'always'] as const)('click on v2.21 with "browser: %s", and are counted', (browser) =>
    browsers({ browser }, (run, world) => {
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      const flat = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
      expect(flat['dashboard.actions.value']).toBeGreaterThanOrEqual(2);
      expect(flat['dashboard.action_error_rate.value']).toBe(0);
      expect(flat['dashboard.action_duration.count']).toBe(flat['dashboard.actions.value']);
      expect(summaryOf(run)).toMatch(
        /\*\*Browsers\.\*\* 2 browsers performed \d+ actions in 4 s; 0 of them failed/,
      );
      expect(browserCheck(run)).toMatchObject({ status: 'ok' });
      expect(filesBelow(path.join(resultsOf(run), 'evidence'))).toEqual(
        expect.arrayContaining([
          'dashboard-browser.coverage.json',
          'dashboard-browser.json',
          'dashboard-browser.metrics.txt',
          'dashboard-browser.stderr.txt',
          'dashboard-browser.stdout.txt',
        ]),
      );
      const coverage = readJson(run, 'evidence/dashboard-browser.coverage.json') as Record<string, number>;
      expect(coverage['actionsOnPage']).toBe(flat['dashboard.actions.value']);
      expect(coverage['secondsBeforeTheEnd']).toBeLessThan(3);
      expect(logOf(run)).toMatch(/dashboard-browser: the metrics page was last read [\d.]+ s before the end/);
      expect(readResult(run, 'evidence/dashboard-browser.stderr.txt')).not.toContain('unmarshal');
    }),
  );

  it('are left out quietly on servers from v2.22 on, and the details say why', () =>
    browsers({ version: 'v2.36.0', browser: 'auto' }, (run, world) => {
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(planned(run)).not.toContain('dashboard-browser');
      expect(browserCheck(run)).toMatchObject({ status: 'ok' });
      expect(summaryOf(run)).toMatch(/Browsers: left out: .*does nothing on servers from v2\.22 on/);
      expect(
        annotationsOf(run, 'warning')
          .map(({ message }) => message)
          .join(),
      ).not.toMatch(/browser/i);
    }));

  it('are refused before the load where they were asked for and do nothing', () =>
    browsers({ version: 'v2.36.0', browser: 'always' }, (run, world) =>
      expectRefusal(run, world, /"dashboard\.browser: always" cannot be met: .*from v2\.22 on/),
    ));

  it('are left out where Chromium does not start, and the details say why', () =>
    browsers({ browser: 'auto', chromium: 'broken' }, (run) => {
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toMatch(/Browsers: left out: .*does not start.*No usable sandbox/);
    }));

  it('are refused where Chromium does not start and they were asked for', () =>
    browsers({ browser: 'always', chromium: 'broken' }, (run, world) =>
      expectRefusal(run, world, /cannot be met: .*does not start.*No usable sandbox/),
    ));

  it.each<['auto' | 'always', Partial<CliBehaviour>, RegExp]>([
    [
      'always',
      { pageNeverLoads: true, failingShare: 1 },
      /no action was performed: .*chrome failed to start/,
    ],
    [
      'auto',
      { metricsPage: '<html>' },
      /the metrics page at 127\.0\.0\.1:\d+ is missing.*"dashboard\.browser: never"/,
    ],
    ['always', { pageNeverLoads: true }, /no action was performed/],
    ['auto', { zeroRuns: true }, /no browser was started.*"dashboard\.browser: never"/],
    ['always', { noJson: true }, /the suite exited with 0 without a result file/],
  ])('R1: with "browser: %s" that do nothing (%j) are an error', (browser, cli, reason) =>
    browsers({ browser, cli }, (run, world) => {
      expectOutcome(run, 'error', 1);
      expectNothingLeft(world);
      expect(reasonOf(run)).toMatch(reason);
      const flat = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
      expect(Object.keys(flat).filter((name) => name.startsWith('dashboard.action'))).toEqual([]);
    }),
  );
});
