import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun, RunnerSignal } from '../../simulator/runner/runner.js';
import {
  configFile,
  errorTexts,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  outcomeOf,
  readJson,
  reasonOf,
  resultsOf,
  spread,
  summaryOf,
  type E2eWorld,
} from './support.js';

/** From SIGINT the runner waits 7.5 s until SIGTERM, and 2.5 s more until SIGKILL. */
const LAST_MOMENT_MS = 10_000;

/** Pods are built in a moment, the others take longer than any test: so a cancel finds both kinds. */
const half: Partial<DeploymentOptions> = {
  templateOverrides: { 'ec2-datasci': { startSeconds: spread(300) } },
};
const HALF_DONE = /pod_workspaces: 2 of 2 built.*ec2_workspaces: 0 of 2 built, 2 building/;
const IN_THE_MIDDLE: RunnerSignal = { signal: 'SIGINT', whenLogMatches: HALF_DONE };
const config = configFile({ pods: 2, ec2: 2 });

function expectInTime(run: ActionRun): void {
  const [first] = run.main.signalsSent;
  expect(first?.signal, logOf(run)).toBe('SIGINT');
  expect(run.main.durationMs - (first?.atMs ?? 0)).toBeLessThan(LAST_MOMENT_MS);
  expect(run.main.signal).toBeNull();
  expect(run.main.streamsLeftOpen).toBe(false);
  expect(run.main.outcome).toBe('cancelled');
}

function expectCancelledReport(run: ActionRun, world: E2eWorld): void {
  expectOutcome(run, 'cancelled', 1);
  expectInTime(run);
  expect(reasonOf(run)).toMatch(/^the job was cancelled after 1 of at most \d+ minutes, 4 workspaces exist$/);
  expect(run.main.summary).toMatch(/^### Scale test was cancelled\n/);
  expect(run.main.summary).toContain('The job was cancelled; post cleans up.');
  expect(summaryOf(run)).toMatch(/\nWhen it was cancelled: .* were ready\. Cut short: ec2\\_workspaces\.\n/);
  expect(errorTexts(run)).toContain('Scale test: cancelled: the job was cancelled');
  expect(run.main.summary).toMatch(/could not be read: the job was cancelled, which leaves seconds only/);
  const observed = readJson(run, 'evidence/workspaces.json') as {
    workspaces: { template: string; status: string }[];
  };
  expect(observed.workspaces.map(({ template, status }) => `${template} ${status}`).sort()).toEqual([
    'ec2-datasci starting',
    'ec2-datasci starting',
    'pod-swdev running',
    'pod-swdev running',
  ]);
  expect(readJson(run, 'verdict.json')).toMatchObject({ verdict: 'cancelled' });
  expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, verdict: 'cancelled' });
  // The pods were done before; of the other group nothing complete was measured.
  expect(filesBelow(resultsOf(run))).toContain('pod-workspaces.json');
  expect(filesBelow(resultsOf(run))).not.toContain('ec2-workspaces.json');
  // Main has no time for the upload: post does it, after the clean-up.
  expect(
    world.artifacts.artifacts.map((artifact) => artifact.entries().has('evidence/workspaces.json')),
  ).toEqual([true]);
  expect(run.post?.summary).toContain('4 workspaces and 4 users were removed; nothing is left');
  expectNothingLeft(world);
}

describe.concurrent('a cancelled job', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('F16: ends in time and post removes everything: driver "cli"', () =>
    inWorld(half, async (world) => {
      const run = await world.gate(config, { signals: [IN_THE_MIDDLE] });
      expectCancelledReport(run, world);
    }));

  it('F16: ends in time and post removes everything: driver "api"', () =>
    inWorld({ ...half, disableRateLimits: false }, async (world) => {
      const run = await world.gate(config, { signals: [IN_THE_MIDDLE] });
      expectCancelledReport(run, world);
    }));

  it('F16: ends in time and post removes everything: a CLI that ignores signals', () =>
    inWorld({ ...half, cli: { hangOnSignals: true } }, async (world) => {
      const run = await world.gate(config, { signals: [IN_THE_MIDDLE] });
      expectCancelledReport(run, world);
    }));

  it('ends a session that it began', () =>
    inWorld({ ...half, disableRateLimits: false }, async (world) => {
      const { coder } = world;
      const run = await world.gate(config, {
        signals: [IN_THE_MIDDLE],
        inputs: {
          'coder-session-token': '',
          'coder-email': coder.ownerEmail,
          'coder-password': coder.ownerPassword,
        },
      });
      expectCancelledReport(run, world);
      expect([...coder.state.tokens.values()].filter(({ loginType }) => loginType === 'password')).toEqual(
        [],
      );
    }));

  it('leaves what is there with "cleanup: never", also in post', () =>
    inWorld({ ...half, disableRateLimits: false }, async (world) => {
      const run = await world.gate(config, { signals: [IN_THE_MIDDLE], inputs: { cleanup: 'never' } });
      expectOutcome(run, 'cancelled', 1);
      expectInTime(run);
      expect(run.main.summary).toContain('Nothing was removed (cleanup: never).');
      expect(world.coder.state.liveWorkspaces()).toHaveLength(4);
    }));

  it('ends as a cancelled one when the step takes longer than timeout-minutes', () =>
    inWorld({ ...half, disableRateLimits: false }, async (world) => {
      const run = await world.gate(config, { timeoutMs: 9000 });
      expectOutcome(run, 'cancelled', 1);
      expect(run.main.timedOut).toBe(true);
      expect(run.main.outcome).toBe('failure');
      expect(run.main.signal).toBeNull();
      expectNothingLeft(world);
    }));

  it('goes on in post when it is cancelled during the clean-up', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { deleteSeconds: spread(6) } } }, async (world) => {
      const run = await world.gate(configFile({ pods: 3, ec2: 0 }), {
        signals: [{ signal: 'SIGINT', whenLogMatches: /^::group::Clean up/, afterMs: 2000 }],
      });
      expectOutcome(run, 'cancelled', 1);
      expectInTime(run);
      expect(run.main.summary).toContain('The job was cancelled during the clean-up; post goes on with it.');
      expect(run.post?.summary).toContain('nothing is left');
      expectNothingLeft(world);
      // Everything was measured before: the numbers are there, but nothing is green.
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, verdict: 'cancelled' });
      expect(run.outputs['metrics']).toContain('"create_workspaces.all.success_rate.value":1');
    }));

  it('goes on in post also with "cleanup: on-success", once everything has passed', () =>
    inWorld(
      { disableRateLimits: false, templateOverrides: { 'pod-swdev': { deleteSeconds: spread(6) } } },
      async (world) => {
        const run = await world.gate(configFile({ pods: 3, ec2: 0 }), {
          inputs: { cleanup: 'on-success' },
          signals: [{ signal: 'SIGINT', whenLogMatches: /^::group::Clean up/, afterMs: 2000 }],
        });
        expectOutcome(run, 'cancelled', 1);
        expectInTime(run);
        expect(run.post?.summary).toContain('nothing is left');
        expectNothingLeft(world);
      },
    ));

  it('creates nothing when it is cancelled before the load', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(config, {
        signals: [{ signal: 'SIGINT', whenLogMatches: /^::group::(Install the CLI|Check the deployment)/ }],
      });
      expectOutcome(run, 'cancelled', 1);
      expectInTime(run);
      expectNothingCreated(world);
    }));

  it('says that it was cancelled also when the deployment answers too slowly to go on', () =>
    inWorld({ latencySeconds: 12 }, async (world) => {
      const run = await world.gate(config, {
        signals: [{ signal: 'SIGINT', whenLogMatches: /./, afterMs: 1000 }],
      });
      expect(outcomeOf(run)).toMatchObject({ verdict: 'cancelled', orphans: [] });
      expectInTime(run);
      expectNothingCreated(world);
    }));
});
