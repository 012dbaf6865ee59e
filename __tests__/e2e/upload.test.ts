import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResultsServiceSwitches } from '../../simulator/runner/results-service.js';
import {
  annotationsOf,
  configFile,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  readResult,
  resultsOf,
} from './support.js';

const small = configFile({ pods: 1, ec2: 0 });

const TROUBLE: {
  name: string;
  switches?: ResultsServiceSwitches;
  env?: Record<string, string>;
  says: RegExp;
}[] = [
  { name: '409: the name is taken', switches: { conflict: true }, says: /could not be uploaded: .*409/ },
  {
    name: '403: the quota is used up',
    switches: { forbidden: true },
    says: /could not be uploaded: .*quota/i,
  },
  { name: '403 of the blob storage', switches: { blobForbidden: true }, says: /could not be uploaded/ },
  {
    name: 'GHES, which has no such service',
    env: { GITHUB_SERVER_URL: 'https://github.corp.example' },
    says: /could not be uploaded: .*GHES/,
  },
  {
    name: 'a runner without the service',
    env: { ACTIONS_RUNTIME_TOKEN: '', ACTIONS_RESULTS_URL: '' },
    says: /could not be uploaded: .*ACTIONS_R/,
  },
];

describe.concurrent('trouble with the upload', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(TROUBLE)('warns and changes nothing: $name', ({ switches = {}, env = {}, says }) =>
    inWorld({}, async (world) => {
      Object.assign(world.artifacts.switches, switches);
      const run = await world.gate(small, { env });
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      const warnings = annotationsOf(run, 'warning').map(({ message }) => message);
      // The client adds one of its own where there is no such service.
      expect(warnings.at(-1)).toMatch(says);
      expect(warnings.at(-1)).toContain('the verdict is not changed');
      expect(run.outputs['artifact-id']).toBeUndefined();
      expect(world.artifacts.artifacts).toEqual([]);
      expect(readResult(run, 'summary.md')).toContain('Scale test passed');
      // Post does not try again what main was refused.
      expect(run.post?.log).toEqual(['main left nothing to do']);
    }),
  );

  it('keeps a failure a failure', () =>
    inWorld({ cli: { failingShare: 1 } }, async (world) => {
      world.artifacts.switches.forbidden = true;
      const run = await world.gate(small);
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
    }));

  it('warns when nothing listens at the service’s address', () =>
    inWorld({}, async (world) => {
      await world.artifacts.close();
      const run = await world.gate(small);
      expectOutcome(run, 'pass', 0);
      expect(annotationsOf(run, 'warning')[0]?.message).toContain('could not be uploaded');
    }));
});

describe.concurrent('the upload', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('can be switched off', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(small, { inputs: { 'upload-artifact': 'false' } });
      expectOutcome(run, 'pass', 0);
      expect(world.artifacts.requests).toEqual([]);
      expect(run.outputs['artifact-id']).toBeUndefined();
      expect(annotationsOf(run, 'warning')).toEqual([]);
    }));

  it('takes the name and the days that the inputs give', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(small, {
        inputs: { 'artifact-name': 'scale test of main', 'retention-days': '3' },
      });
      expectOutcome(run, 'pass', 0);
      const [artifact] = world.artifacts.artifacts;
      expect(artifact?.name).toBe('scale test of main');
      const days = (Date.parse(artifact?.expiresAt ?? '') - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(2.9);
      expect(days).toBeLessThan(3.1);
    }));

  it('has another name in the second attempt of a run', () =>
    inWorld({ disableRateLimits: false }, async (world) => {
      const run = await world.gate(small, { env: { GITHUB_RUN_ATTEMPT: '2' } });
      expectOutcome(run, 'pass', 0);
      expect(world.artifacts.artifacts[0]?.name).toMatch(/-attempt-2-[0-9a-f]{4}$/);
    }));

  it('also holds what explains a refusal', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ podTemplate: 'pod-gone' }));
      expectRefusal(run, world, /the template "pod-gone" does not exist/);
      expect([...(world.artifacts.artifacts[0]?.entries().keys() ?? [])].sort()).toEqual([
        'plan.json',
        'readiness.json',
        'summary.md',
      ]);
    }));
});

describe.concurrent('the results directory', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(['results', 'deep/er/results'])(
    'is refused when a symlink leads out of the workspace: %s',
    (name) =>
      inWorld({}, async (world) => {
        const outside = mkdtempSync(path.join(tmpdir(), 'outside-'));
        const workspace = mkdtempSync(path.join(tmpdir(), 'linked-'));
        try {
          const first = name.split('/')[0] ?? name;
          symlinkSync(outside, path.join(workspace, first));
          const run = await world.gate(small, { workspace, inputs: { 'results-dir': name } });
          expectRefusal(run, world, `input "results-dir" is "${name}", which lies outside the workspace`);
          expect(readdirSync(outside)).toEqual([]);
        } finally {
          await rm(outside, { recursive: true, force: true });
          await rm(workspace, { recursive: true, force: true });
        }
      }),
  );

  it('may be a symlink inside the workspace, and hold what others put there', () =>
    inWorld({}, async (world) => {
      const workspace = mkdtempSync(path.join(tmpdir(), 'linked-'));
      try {
        mkdirSync(path.join(workspace, 'real'));
        writeFileSync(path.join(workspace, 'real', 'notes.txt'), 'mine\n');
        symlinkSync(path.join(workspace, 'real'), path.join(workspace, 'results'));
        const run = await world.gate(small, { workspace, inputs: { 'results-dir': 'results' } });
        expectOutcome(run, 'pass', 0);
        expect(path.dirname(resultsOf(run))).toBe(path.join(workspace, 'real'));
        expect(filesBelow(path.join(workspace, 'real'))).toContain('notes.txt');
        expect(world.artifacts.artifacts[0]?.entries().has('notes.txt')).toBe(false);
      } finally {
        await rm(workspace, { recursive: true, force: true });
      }
    }));

  it('is another one for each of several runs in the same second', () =>
    inWorld({}, async (world) => {
      const workspace = mkdtempSync(path.join(tmpdir(), 'shared-'));
      try {
        const inputs = { mode: 'plan', 'coder-url': '', 'coder-session-token': '' };
        const config = configFile();
        const all = await Promise.all(
          Array.from({ length: 3 }, () => world.gate(config, { workspace, inputs, env: STOPPED_CLOCK })),
        );
        const directories = all.map(resultsOf);
        expect(directories.map((directory) => path.basename(directory)).sort()).toEqual([
          '20260105T060000Z',
          '20260105T060000Z-2',
          '20260105T060000Z-3',
        ]);
        for (const directory of directories)
          expect(filesBelow(directory)).toEqual(['plan.json', 'summary.md']);
        expectNothingCreated(world);
      } finally {
        await rm(workspace, { recursive: true, force: true });
      }
    }));
});

/** For the action every moment is the same. */
const STOPPED_CLOCK = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    `const at = Date.UTC(2026, 0, 5, 6);
     const Real = Date;
     globalThis.Date = class extends Real {
       constructor(...given) { super(...(given.length === 0 ? [at] : given)); }
       static now() { return at; }
     };`,
  )}`,
};
