import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FaultyProxy } from '../../simulator/chaos/faulty-proxy.js';
import { clockModule } from '../../simulator/chaos/process-faults.js';
import { Random } from '../../simulator/coder/random.js';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { RunnerSignal } from '../../simulator/runner/runner.js';
import { leaseTokens } from '../support/leases.js';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  reasonOf,
  remaining,
  spread,
  summaryOf,
  type E2eWorld,
} from './support.js';

const HOUR_MS = 3_600_000;
/** Longer than a single call is tried again. */
const OUTAGE_MS = 20_000;
const small = configFile({ pods: 2, ec2: 0 });
const api = { disableRateLimits: false };
const unbuilt: Partial<DeploymentOptions> = {
  ...api,
  templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } },
};
const IN_THE_MIDDLE: RunnerSignal = {
  signal: 'SIGINT',
  whenLogMatches: /pod_workspaces: 0 of 2 built, 2 building/,
};

/** A world with something in front of the deployment. */
const behindProxy = (
  deployment: Partial<DeploymentOptions>,
  scenario: (world: E2eWorld, proxy: FaultyProxy) => Promise<void>,
): Promise<void> =>
  inWorld(deployment, async (world) => {
    const proxy = new FaultyProxy(new URL(world.coder.url), new Random(1));
    await proxy.open();
    try {
      await scenario(world, proxy);
    } finally {
      await proxy.close();
    }
  });

describe.concurrent('a deployment that is away when post begins', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('is waited for, and cleaned up', () =>
    behindProxy(unbuilt, async (world, proxy) => {
      const run = await world.gate(small, {
        inputs: { 'coder-url': proxy.url },
        signals: [IN_THE_MIDDLE],
        onStep: (step) => {
          if (step !== 'post') return;
          proxy.goDown();
          setTimeout(() => proxy.heal(), OUTAGE_MS);
        },
      });
      expectOutcome(run, 'cancelled', 1);
      expect(logOf(run)).toMatch(/The deployment is asked again, because .* cannot be reached/);
      expect(run.post?.summary).toContain('2 workspaces and 2 users were removed; nothing is left');
      expectNothingLeft(world);
      expect(leaseTokens(world.coder)).toEqual([]);
    }));

  it('is not waited for when post is cancelled as well, which says what is left to do', () =>
    behindProxy(unbuilt, async (world, proxy) => {
      const run = await world.gate(small, {
        inputs: { 'coder-url': proxy.url },
        signals: [IN_THE_MIDDLE],
        postTimeoutMs: 4000,
        onStep: (step) => {
          if (step === 'post') proxy.goDown();
        },
      });
      expect(run.post?.exitCode, logOf(run)).toBe(1);
      expect(run.post?.signal).toBeNull();
      expect(run.post?.log.join('\n')).toContain('Run the gate with "mode: cleanup" to remove what is left');
      expect(remaining(world).workspaces).toHaveLength(2);
    }));
});

describe.concurrent('clocks that are wrong', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([-1, 1])('a proxy’s by %i h: everything is found and removed', (hours) =>
    behindProxy(api, async (world, proxy) => {
      proxy.faults.clockOffsetMs = hours * HOUR_MS;
      const run = await world.gate(small, { inputs: { 'coder-url': proxy.url } });
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toContain('2 workspaces and 2 users were removed');
      expectNothingLeft(world);
    }),
  );

  it('the runner’s, which jumps: the minutes are those that passed', () =>
    inWorld(unbuilt, async (world) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'clock-'));
      const flag = path.join(directory, 'jumped');
      try {
        const run = await world.gate(small, {
          env: { NODE_OPTIONS: clockModule(flag, 5 * HOUR_MS) },
          signals: [{ ...IN_THE_MIDDLE, afterMs: 500 }],
          onLog: (line) => {
            if (IN_THE_MIDDLE.whenLogMatches?.test(line) === true) writeFileSync(flag, '');
          },
        });
        expectOutcome(run, 'cancelled', 1);
        expect(reasonOf(run)).toMatch(
          /^the job was cancelled after 1 of at most \d+ minutes, 2 workspaces exist$/,
        );
        expectNothingLeft(world);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    }));
});
