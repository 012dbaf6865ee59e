import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';
import {
  annotationsOf,
  configFile,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  spread,
  summaryOf,
} from './support.js';

describe.concurrent('the load', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([{ driver: 'cli', limitsOff: true } as const, { driver: 'api', limitsOff: false } as const])(
    'ends a build that takes for ever by "job_timeout" (driver $driver)',
    ({ limitsOff }) =>
      inWorld(
        { disableRateLimits: limitsOff, templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } } },
        async (world) => {
          const run = await world.gate(configFile({ pods: 2, ec2: 1, podGroup: ['job_timeout: 3s'] }));
          expectOutcome(run, 'fail', 1);
          expectNothingLeft(world);
          expect(failedCriteria(run)).toEqual([
            '14.6-pod-workspaces',
            'create-workspaces-success-rate',
            '14.11-alive-at-once',
          ]);
          expect(summaryOf(run)).toMatch(/\| 2 \| pod\\_workspaces \| `.*context deadline exceeded.*` \|/);
        },
      ),
  );

  it('fails workspaces whose template has no agent, with the reason', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0, podTemplate: 'tpl-noagent' }));
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(summaryOf(run)).toMatch(/\| 2 \| pod\\_workspaces \| `no agents found for workspace .*` \|/);
    }));

  it('gives the CLI nothing of the environment but what it needs', () =>
    inWorld({}, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'telling-cli-'));
      try {
        const cli = path.join(folder, 'coder');
        const told = path.join(folder, 'environment');
        const real = await buildCoderExecutable(path.join(folder, 'real'), { version: 'v2.36.0' });
        // The shell adds variables of its own, so the process's environment is read as it was given.
        writeFileSync(
          cli,
          `#!/bin/sh\ncase "$*" in *--output=json:*) tr '\\0' '\\n' < /proc/$$/environ > "${told}"; readlink /proc/$$/fd/0 >> "${told}";; esac\nexec "${real}" "$@"\n`,
          { mode: 0o755 },
        );
        const run = await world.gate(configFile({ pods: 1, ec2: 0 }), {
          inputs: { 'coder-path': cli, 'upload-artifact': 'false' },
          env: {
            GITHUB_TOKEN: 'ghs_secret',
            AWS_SECRET_ACCESS_KEY: 'secret',
            HTTPS_PROXY: 'http://127.0.0.1:1',
          },
        });
        expectOutcome(run, 'pass', 0);
        const lines = readFileSync(told, 'utf8').trim().split('\n');
        const names = lines.slice(0, -1).map((line) => line.split('=')[0]);
        // By the last one the runner finds what is still running when the job has ended.
        const allowed = ['CODER_SESSION_TOKEN', 'CODER_URL', 'HOME', 'PATH', 'RUNNER_TRACKING_ID'];
        expect(names.sort()).toEqual(allowed);
        expect(lines.at(-1)).toBe('/dev/null');
        expect(lines).toContain(`CODER_URL=${world.coder.url}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('judges what the config adds, and shows what it takes out', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const config = configFile({
        pods: 3,
        ec2: 0,
        more: [
          'criteria:',
          '  - { id: 14.6-pod-workspaces, disabled: true, reason: "the pods are rebuilt this week" }',
          '  - { id: fast, metric: create_workspaces.all.ready, expect: "max < 1ms", informational: true }',
          '  - { id: warned, metric: create_workspaces.all.build, expect: "max < 60s", warn: "max < 1ms" }',
        ],
      });
      const run = await world.gate(config);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(summaryOf(run)).toContain('taken out: the pods are rebuilt this week');
      expect(summaryOf(run)).toMatch(/`fast`.*\*\*fail\*\* \(informational\) \|/);
      expect(annotationsOf(run, 'warning').map(({ title }) => title)).toEqual(['warned: warn']);
      expect(annotationsOf(run, 'error')).toEqual([]);
      expect(readJson(run, 'verdict.json')).toMatchObject({ verdict: 'pass' });
    }));

  it('releases all groups at once with "simultaneous", and judges it', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const config = configFile({ pods: 4, ec2: 4, suite: ['simultaneous: 8'] }).replaceAll(
        'concurrency: 4',
        'concurrency: 1',
      );
      const run = await world.run(`${config}${maxCriteria}`);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(summaryOf(run)).toContain('`14.11-in-flight-at-once`');
      expect(run.outputs['metrics']).toContain('"create_workspaces.all.peak_in_flight.value":8');
    }));

  it('says how much was really in flight when the groups are smaller', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const run = await world.gate(
        configFile({ pods: 4, ec2: 0 }).replace('concurrency: 4', 'concurrency: 2'),
      );
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toContain(
        'At most 2 operations were in flight at once; 4 at once was not exercised.',
      );
      expect(world.coder.state.liveWorkspaces()).toEqual([]);
    }));
});

const maxCriteria = [
  'criteria:',
  ...['14.6-pod', '14.7-ec2'].map((id) => {
    const metric = `create_workspaces.${id.slice(5)}_workspaces.provisioning`;
    return `  - { id: ${id}-workspaces, metric: ${metric}, expect: "max < 90s" }`;
  }),
  '',
].join('\n');

describe.concurrent('what READY warns about', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('a pull request that does not say what is under test', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile(), {
        event: { name: 'pull_request' },
        inputs: { mode: 'preflight' },
      });
      expect(run.main.exitCode, logOf(run)).toBe(0);
      expect(annotationsOf(run, 'warning').map(({ title }) => title)).toEqual([
        'Scale test readiness: subject',
      ]);
      const named = await world.gate(configFile(), {
        event: { name: 'pull_request' },
        inputs: { mode: 'preflight', subject: 'plan 17', 'upload-artifact': 'false' },
      });
      expect(annotationsOf(named, 'warning')).toEqual([]);
    }));

  it('a token that is dead by the next weekly run', () =>
    inWorld({ tokenExpiresInSeconds: 5 * 86_400 }, async (world) => {
      const run = await world.gate(configFile(), {
        event: { name: 'schedule' },
        inputs: { mode: 'preflight' },
      });
      expect(run.main.exitCode, logOf(run)).toBe(0);
      expect(annotationsOf(run, 'warning')[0]?.message).toMatch(/before the next weekly run/);
      expect(run.main.summary).toContain('| **warning** |');
    }));
});
