import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';
import {
  annotationsOf,
  configFile,
  errorTexts,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  reasonOf,
  spread,
  summaryOf,
} from './support.js';

const small = configFile({ pods: 2, ec2: 0 });
const api = { disableRateLimits: false };

describe.concurrent('a deployment in trouble during the load', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('fails with what it answered', () =>
    inWorld({ ...api, statusOverride: { 'POST /api/v2/users/{user}/workspaces': 500 } }, async (world) => {
      const run = await world.gate(small);
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toContain('create-workspaces-success-rate');
      expect(summaryOf(run)).toMatch(
        /\| 2 \| pod\\_workspaces \| `POST \/api\/v2\/users\/<id>\/workspaces answered 500: An internal server error occurred\.` \|/,
      );
      // Two users were made, and are gone again.
      expect(world.coder.state.users.size).toBe(4);
    }));

  it('passes when it was away for a moment while builds were watched', () =>
    inWorld({ ...api, templateOverrides: { 'pod-swdev': { startSeconds: spread(7) } } }, async (world) => {
      const { options } = world.coder;
      let outages = 0;
      const run = await world.gate(small, {
        onLog: (line) => {
          if (!line.includes('2 building') || outages > 0) return;
          outages += 1;
          options.apiDown = true;
          setTimeout(() => (options.apiDown = false), 1500);
        },
      });
      expect(outages).toBe(1);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
    }));
});

describe.concurrent('a deployment that dies in the middle', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(['api', 'cli'] as const)('is an error, with what was measured (driver %s)', (driver) =>
    inWorld(
      {
        disableRateLimits: driver === 'cli',
        templateOverrides: {
          'pod-swdev': { startSeconds: spread(6) },
          'ec2-datasci': { startSeconds: spread(0.2) },
        },
      },
      async (world) => {
        const { options } = world.coder;
        const run = await world.gate(configFile({ pods: 2, ec2: 2 }), {
          onLog: (line) => {
            if (/ec2_workspaces: (done|2 of 2 built)/.test(line)) options.apiDown = true;
            // It is there again for the clean-up, which is not what this is about.
            if (line === '##[group]Clean up') options.apiDown = false;
          },
        });
        expectOutcome(run, 'error', 1);
        expect(reasonOf(run)).toContain('the deployment did not answer any more at the end of the load');
        expect(failedCriteria(run)).toEqual([]);
        expect(readJson(run, 'metrics.json')).toMatchObject({
          metrics: expect.arrayContaining([
            expect.objectContaining({ name: 'create_workspaces.all.success_rate' }),
          ]) as unknown,
        });
        expectNothingLeft(world);
      },
    ),
  );
});

describe.concurrent('where the deployment is said to be', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('may be in the variables that Coder’s CLI reads', () =>
    inWorld(api, async (world) => {
      const { url, ownerToken } = world.coder;
      const run = await world.gate(small, {
        inputs: { 'coder-url': '', 'coder-session-token': '' },
        env: { CODER_URL: `${url}/`, CODER_SESSION_TOKEN: ownerToken },
      });
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(run.main.rawOutput).toContain(`::add-mask::${ownerToken}`);
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ environment: url });
    }));

  it('may end with a slash', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }), {
        inputs: { 'coder-url': `${world.coder.url}/` },
      });
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
    }));
});

describe.concurrent('what else may be in the way', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('a file where the results directory should be is named', () =>
    inWorld({}, async (world) => {
      const workspace = mkdtempSync(path.join(tmpdir(), 'blocked-'));
      try {
        writeFileSync(path.join(workspace, 'scaletest-results'), 'a file\n');
        const run = await world.gate(small, { workspace });
        expectOutcome(run, 'error', 1);
        expectNothingCreated(world);
        expect(reasonOf(run)).toContain('scaletest-results');
        expect(errorTexts(run)).toContain('scaletest-results');
      } finally {
        await rm(workspace, { recursive: true, force: true });
      }
    }));

  it('commands to the runner in what a child prints are text', () =>
    inWorld({}, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'commanding-cli-'));
      try {
        const cli = path.join(folder, 'coder');
        const real = await buildCoderExecutable(path.join(folder, 'real'), { version: 'v2.36.0' });
        const words =
          '##[error]injected one\n::error::injected two\n::add-mask::e\n##[set-output name=verdict;]pass';
        writeFileSync(
          cli,
          `#!/bin/sh\ncase "$*" in *--output=json:*) printf '%s\\n' '${words}' >&2; exit 3;; esac\nexec "${real}" "$@"\n`,
          { mode: 0o755 },
        );
        const run = await world.gate(small, { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'error', 1);
        const messages = annotationsOf(run, 'error').map(({ message }) => message);
        expect(messages.filter((message) => message.startsWith('injected'))).toEqual([]);
        // Only as the text of an annotation of our own.
        const others = run.main.rawOutput.split('\n').filter((line) => !line.startsWith('::error title='));
        expect(others.join('\n')).toContain('## [set-output name=verdict;]pass');
        expect(others.join('\n')).not.toContain('##[');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('a cancel after the verdict does not change it', () =>
    inWorld(api, async (world) => {
      const run = await world.gate(small, {
        signals: [{ signal: 'SIGINT', whenLogMatches: /^Verdict: pass/ }],
      });
      expect(run.main.outcome, logOf(run)).toBe('cancelled');
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ verdict: 'pass' });
      expect(run.outputs['verdict']).toBe('pass');
      expectNothingLeft(world);
      expect(world.artifacts.artifacts).toHaveLength(1);
    }));

  it('a janitor that is cancelled says so, and the next one goes on', () =>
    inWorld(api, async (world) => {
      world.coder.seedLeftovers(3);
      world.coder.options.templateOverrides['pod-swdev'] = { deleteSeconds: spread(20) };
      const run = await world.run(undefined, {
        inputs: { mode: 'cleanup' },
        signals: [{ signal: 'SIGINT', whenLogMatches: /^clean-up: 3 workspaces/, afterMs: 1500 }],
      });
      expectOutcome(run, 'cancelled', 1);
      expect(run.main.signal).toBeNull();
    }));
});
