import { describe, expect, it } from 'vitest';
import {
  errorTexts,
  expectOutcome,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  reasonOf,
  summaryOf,
  type E2eWorld,
} from './support.js';
import { letTimePass, takeOver } from '../support/leases.js';
import { licensed, metricsOf, NOTIFICATIONS, PREBUILDS, suites } from './suite-runs.js';

describe.concurrent('a suite that pauses prebuilt workspaces', { timeout: LONGEST_SCENARIO_MS }, () => {
  const paused = ({ coder }: E2eWorld): boolean => coder.state.reconciliationPaused;

  it('runs when it is named, and the plan says what it does to everybody', () =>
    suites(PREBUILDS, { deployment: licensed, inputs: { tests: 'prebuilds' } }, (run, world) => {
      expectOutcome(run, 'pass', 0);
      expect(paused(world)).toBe(false);
      expect(logOf(run)).toContain(
        'The suite prebuilds concerns everybody: it pauses the reconciler of prebuilt workspaces for the whole deployment',
      );
    }));

  it('is left out by "all"', () =>
    suites(`${NOTIFICATIONS}  prebuilds: {}\n`, { deployment: licensed }, (run) => {
      expectOutcome(run, 'pass', 0);
      expect(metricsOf(run)).not.toHaveProperty(['prebuilds.success_rate']);
      expect(logOf(run)).toContain(
        'The suite prebuilds is left out: it runs only when input "tests" names it.',
      );
    }));

  it('is resumed by main when the CLI left it paused', () =>
    suites(
      PREBUILDS,
      { deployment: licensed, cli: { leavePrebuildsPaused: true }, inputs: { tests: 'prebuilds' } },
      (run, world) => {
        expectOutcome(run, 'pass', 0);
        expect(paused(world)).toBe(false);
        expect(logOf(run)).toContain('was left paused, and goes on again');
      },
    ));

  it.each(['SIGKILL', 'SIGINT'] as const)('is resumed by post after main got %s', (signal) =>
    suites(
      PREBUILDS,
      {
        deployment: licensed,
        cli: { suiteSeconds: 60 },
        inputs: { tests: 'prebuilds' },
        run: { signals: [{ signal, whenLogMatches: /^coder exp scaletest prebuilds/, afterMs: 2500 }] },
      },
      (run, world) => {
        expect(run.post?.exitCode, logOf(run)).toBe(0);
        expect(run.post?.log.join('\n')).toContain('was left paused, and goes on again');
        expect(paused(world)).toBe(false);
        expect(run.orphans).toEqual([]);
      },
    ),
  );

  it('is left alone by post while another run holds the lease: it may be that run’s', () =>
    inWorld({ ...licensed, cli: { suiteSeconds: 60 } }, async (world) => {
      const run = await world.run(PREBUILDS, {
        inputs: { tests: 'prebuilds', cleanup: 'never' },
        signals: [{ signal: 'SIGKILL', whenLogMatches: /^coder exp scaletest prebuilds/, afterMs: 2500 }],
        onLog: (line, step) => {
          if (step === 'post') takeOver(world.coder, 'https://example.com/runs/7');
        },
      });
      expect(run.post?.exitCode, logOf(run)).toBe(1);
      expect(errorTexts(run)).toContain(
        'nothing was removed, because another scale test holds the lease of this deployment: https://example.com/runs/7',
      );
      expect(paused(world)).toBe(true);
    }));

  it('is named by the janitor when the run was lost with its post', () =>
    inWorld({ ...licensed, cli: { suiteSeconds: 60 } }, async (world) => {
      await world.run(PREBUILDS, {
        inputs: { tests: 'prebuilds' },
        signals: [{ signal: 'SIGKILL', whenLogMatches: /^coder exp scaletest prebuilds/, afterMs: 2500 }],
        runPost: false,
      });
      expect(paused(world)).toBe(true);
      const [template] = world.coder.state.templates.values();
      Object.assign(template?.options ?? {}, { name: 'scaletest-prebuilds-template-0' });
      letTimePass(world.coder, 301);
      const janitor = await world.run(undefined, { inputs: { mode: 'cleanup' } });
      expect(janitor.main.exitCode, logOf(janitor)).toBe(0);
      expect(logOf(janitor)).toContain(
        'the reconciler of prebuilt workspaces is paused; unless somebody wants that, run "coder prebuilds resume"',
      );
      expect(summaryOf(janitor)).toContain(
        'Templates with names that suites give are there: scaletest-prebuilds-template-0; delete them',
      );
      expect(paused(world)).toBe(true);
    }));

  it('does not keep a cancelled main from its end when the deployment does not answer', () =>
    inWorld({ ...licensed, cli: { leavePrebuildsPaused: true } }, async (world) => {
      const { options } = world.coder;
      const hanging: Record<string, number> = {
        get 'GET /api/v2/prebuilds/settings'() {
          options.latencySeconds = 20;
          return 503;
        },
      };
      const run = await world.gate(PREBUILDS, {
        inputs: { tests: 'prebuilds' },
        onLog: (line, step) => {
          if (step === 'main' && line.startsWith('prebuilds: done')) options.statusOverride = hanging;
          if (step === 'post') Object.assign(options, { statusOverride: {}, latencySeconds: 0 });
        },
        signals: [{ signal: 'SIGINT', whenLogMatches: /^prebuilds: done/, afterMs: 1500 }],
      });
      expectOutcome(run, 'cancelled', 1);
      expect(run.main.durationMs - (run.main.signalsSent[0]?.atMs ?? 0)).toBeLessThan(7500);
      expect(run.main.signal).toBeNull();
      expect(paused(world)).toBe(false);
    }));

  it('makes post fail when it cannot be resumed', () =>
    inWorld({ ...licensed, cli: { leavePrebuildsPaused: true } }, async (world) => {
      // Once it is paused, nobody may change it any more.
      const watch = setInterval(() => {
        if (world.coder.state.reconciliationPaused)
          world.coder.options.statusOverride = { 'PUT /api/v2/prebuilds/settings': 403 };
      }, 5);
      const run = await world
        .run(PREBUILDS, { inputs: { tests: 'prebuilds' } })
        .finally(() => clearInterval(watch));
      expectOutcome(run, 'error', 1, 1);
      expect(reasonOf(run)).toContain('whether prebuilt workspaces go on again is not known');
      expect(errorTexts(run)).toContain('coder prebuilds resume');
    }));
});
