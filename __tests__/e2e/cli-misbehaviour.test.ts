import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';
import type { CliBehaviour } from '../../simulator/coder/options.js';
import {
  configFile,
  errorTexts,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  reasonOf,
  resultsOf,
} from './support.js';

interface Misbehaviour {
  name: string;
  cli: Partial<CliBehaviour>;
  pods?: number;
  reason: RegExp;
}

/** An exit code proves nothing, and missing data is never green. */
const UNUSABLE: Misbehaviour[] = [
  {
    name: 'F2: zero runs and exit code 0',
    cli: { zeroRuns: true },
    reason: /pod_workspaces: the suite ran zero workspaces of 2 planned/,
  },
  {
    name: 'F3: a quarter of the runs missing',
    cli: { dropRuns: 1 },
    pods: 4,
    reason: /pod_workspaces: only 3 of 4 planned workspaces were run; at least 95 % are needed/,
  },
  {
    name: 'a result file that ends in the middle',
    cli: { truncateJson: true },
    reason: /pod_workspaces: the result file is truncated \(\d+ bytes\)/,
  },
  {
    name: 'no result file and exit code 0',
    cli: { noJson: true },
    reason: /pod_workspaces: the suite exited with 0 without a result file/,
  },
  {
    name: 'totals that contradict the runs',
    cli: { totalsContradictRuns: true },
    reason: /pod_workspaces: the result file cannot be used/,
  },
  {
    name: 'a crash',
    cli: { crash: true },
    reason: /pod_workspaces: the suite exited with 2 without a result file: .*harness\.go:99/,
  },
];

describe.concurrent('a CLI that misbehaves', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(UNUSABLE.map((one) => [one.name, one] as const))(
    '%s: an error, never green',
    (_, { cli, pods = 2, reason }) =>
      inWorld({ cli }, async (world) => {
        const run = await world.gate(configFile({ pods, ec2: 0 }));
        expectOutcome(run, 'error', 1);
        expectNothingLeft(world);
        expect(reasonOf(run)).toMatch(reason);
        expect(errorTexts(run)).toMatch(/Scale test: error/);
        expect(errorTexts(run)).toMatch(/14\.6-pod-workspaces: error/);
        expect(run.main.summary).toMatch(/^### Scale test could not be judged\n/);
        expect(run.main.summary).toContain('no value');
        expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, results: {} });
        expect(filesBelow(resultsOf(run))).not.toContain('pod-workspaces.json');
        expect(run.outputs['metrics']).not.toContain('provisioning');
      }),
  );

  it('counts the few runs that are missing within 5 % as failed', () =>
    inWorld({ cli: { dropRuns: 1 } }, async (world) => {
      const config = configFile({
        pods: 20,
        ec2: 0,
        more: [
          'criteria:',
          '  - { id: 14.6-pod-workspaces, metric: create_workspaces.pod_workspaces.provisioning, expect: "max < 60s" }',
        ],
      });
      const run = await world.run(config);
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['create-workspaces-success-rate', '14.6-pod-workspaces']);
      expect(reasonOf(run)).toContain('95 % (19 of 20), expected >= 99%');
      expect(errorTexts(run)).toContain('max never (n = 20), expected max < 60s');
    }));

  it('does not mind garbage on stdout', () =>
    inWorld({ cli: { garbageOnStdout: true } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(filesBelow(resultsOf(run))).toContain('evidence/create-workspaces.pod_workspaces.stdout.txt');
    }));

  it('R6: judges a good result by its criteria when the exit code is 1, as for a clean-up of its own that failed, and shows it', () =>
    inWorld({ cli: { exitCode: 1 } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(run.main.summary).toContain('exit code 1');
    }));

  it('R2: is red when runs failed, although the exit code is 0 (as with --max-failures)', () =>
    inWorld({ cli: { exitCode: 0, failingShare: 0.5 } }, async (world) => {
      const run = await world.gate(configFile({ pods: 4, ec2: 0 }));
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toContain('create-workspaces-success-rate');
      expect(run.main.summary).toContain('exit code 0');
    }));

  it('names the cause of runs that failed although the deployment did its part', () =>
    inWorld({ cli: { failingShare: 0.5 } }, async (world) => {
      const run = await world.gate(configFile({ pods: 4, ec2: 0 }));
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['14.6-pod-workspaces', 'create-workspaces-success-rate']);
      expect(run.main.summary).toMatch(/\| 2 \| pod\\_workspaces \| `.*unexpected status code 502.*` \|/);
      expect(run.main.summary).toContain('exit code 1');
    }));
});

describe.concurrent('a CLI that cannot be used', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('refuses the slim build before any load', () =>
    inWorld({ cli: { slim: true } }, async (world) => {
      const run = await world.gate(configFile());
      expectOutcome(run, 'error', 1);
      expectNothingCreated(world);
      expect(reasonOf(run)).toMatch(/is the slim build of Coder .*use the full release binary/);
      expect(errorTexts(run)).toContain('slim build');
    }));

  it('refuses a CLI without the suite before any load', () =>
    inWorld({}, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'old-cli-'));
      try {
        const cli = path.join(folder, 'coder');
        // Up to v2.9 an unknown sub-command printed its parent's help and exited with 0.
        const real = await buildCoderExecutable(path.join(folder, 'real'), { version: 'v2.7.0' });
        writeFileSync(
          cli,
          `#!/bin/sh\nif [ "$3" = create-workspaces ]; then exec "${real}" exp scaletest gone --help; fi\nexec "${real}" "$@"\n`,
          { mode: 0o755 },
        );
        const run = await world.gate(configFile(), { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'error', 1);
        expectNothingCreated(world);
        expect(reasonOf(run)).toMatch(
          /the Coder CLI v2\.7\.0 at .*coder has no "exp scaletest create-workspaces"; use the full release of a newer version/,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('is an error when the CLI ends before it has run anything, with its last words', () =>
    inWorld({}, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'failing-cli-'));
      try {
        const cli = path.join(folder, 'coder');
        const real = await buildCoderExecutable(path.join(folder, 'real'), { version: 'v2.36.0' });
        writeFileSync(
          cli,
          `#!/bin/sh\ncase "$*" in *--output=json:*) echo "the disk is on fire" >&2; exit 3;; esac\nexec "${real}" "$@"\n`,
          { mode: 0o755 },
        );
        const run = await world.gate(configFile(), { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'error', 1);
        expectNothingCreated(world);
        expect(reasonOf(run)).toBe(
          'pod_workspaces: the suite exited with 3 without a result file: the disk is on fire',
        );
        expect(run.main.summary).toContain('exit code 3');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('refuses a file that is no Coder CLI', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile(), { inputs: { 'coder-path': '/bin/true' } });
      expectOutcome(run, 'error', 1);
      expectNothingCreated(world);
      expect(reasonOf(run)).toContain('/bin/true is no Coder CLI');
    }));
});
