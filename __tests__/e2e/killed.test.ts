import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { RunnerSignal } from '../../simulator/runner/runner.js';
import {
  configFile,
  expectNothingLeft,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  spread,
  type E2eWorld,
} from './support.js';

/** Pods are built in a moment, the others take longer than any test. */
const half: Partial<DeploymentOptions> = {
  templateOverrides: { 'ec2-datasci': { startSeconds: spread(300) } },
};
const HALF_DONE = /pod_workspaces: 2 of 2 built.*ec2_workspaces: 0 of 2 built, 2 building/;
/** Longer than the five attempts of one call. */
const AWAY_MS = 20_000;
const config = configFile({ pods: 2, ec2: 2 });

describe.concurrent('a killed main', { timeout: LONGEST_SCENARIO_MS }, () => {
  const killed = async (world: E2eWorld, signal: Omit<RunnerSignal, 'signal'>): Promise<void> => {
    const run = await world.gate(config, { signals: [{ ...signal, signal: 'SIGKILL' }] });
    expect(run.main.signal).toBe('SIGKILL');
    expect(run.post?.exitCode, logOf(run)).toBe(0);
    expect(run.post?.summary, logOf(run)).toContain('nothing is left');
    expectNothingLeft(world);
    expect(run.orphans).toEqual([]);
    expect(world.artifacts.artifacts).toHaveLength(1);
    // A child that went on alone would make more in the meantime.
    await pause(2000);
    expectNothingLeft(world);
  };
  const inTheMiddle = { whenLogMatches: HALF_DONE };
  const atTheBeginning = { whenLogMatches: /^::group::Create workspaces/, afterMs: 150 };

  it('is cleaned up after by post: driver "api", in the middle of creating', () =>
    inWorld({ ...half, disableRateLimits: false }, (world) => killed(world, inTheMiddle)));

  it('is cleaned up after by post: driver "cli", in the middle of creating', () =>
    inWorld(half, (world) => killed(world, inTheMiddle)));

  it('is cleaned up after by post: driver "cli", right after the load began', () =>
    inWorld(half, (world) => killed(world, atTheBeginning)));

  it.each([
    ['which is away for a moment', { apiDown: true }, { apiDown: false }],
    [
      'before which a page of something else stands for a moment',
      { answerHtml: true },
      { answerHtml: false },
    ],
  ])('is cleaned up after by a post that waits for a deployment %s', (_, trouble, none) =>
    inWorld({ ...half, disableRateLimits: false }, async (world) => {
      const { options } = world.coder;
      let back: NodeJS.Timeout | undefined;
      const run = await world.gate(config, {
        signals: [{ ...inTheMiddle, signal: 'SIGKILL' }],
        onLog: (line) => {
          if (!HALF_DONE.test(line)) return;
          Object.assign(options, trouble);
          back ??= setTimeout(() => Object.assign(options, none), AWAY_MS);
        },
      });
      clearTimeout(back);
      expect(run.main.signal).toBe('SIGKILL');
      expect(run.post?.log.join('\n')).toContain('The deployment is asked again, because');
      expect(run.post?.exitCode, logOf(run)).toBe(0);
      expectNothingLeft(world);
    }),
  );

  it('takes its children with it: driver "cli", with most of the workspaces still to come', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { startSeconds: spread(2) } } }, async (world) => {
      const run = await world.gate(
        configFile({ pods: 10, ec2: 0 }).replace('concurrency: 10', 'concurrency: 1'),
        {
          signals: [{ signal: 'SIGKILL', whenLogMatches: /pod_workspaces: \d of 10 built/ }],
        },
      );
      expect(run.main.signal).toBe('SIGKILL');
      expect(run.post?.exitCode, logOf(run)).toBe(0);
      expectNothingLeft(world);
      expect(run.orphans).toEqual([]);
      // A child that goes on makes the seven or so that are still to come, for post to run after.
      expect(world.coder.state.workspaces.size).toBeLessThan(6);
    }));

  it.each(['SIGKILL', 'SIGINT'] as const)('by %s before it could leave a word for post', (signal) =>
    inWorld({}, async (world) => {
      const run = await world.gate(config, { signals: [{ signal, afterMs: 20 }] });
      expect(run.main.exitCode).not.toBe(0);
      expect(run.post?.exitCode, logOf(run)).toBe(0);
      expect(run.post?.log.join('\n')).toContain('main left nothing to do');
      expect(world.coder.state.requestCounts).toEqual(new Map());
    }),
  );
});
