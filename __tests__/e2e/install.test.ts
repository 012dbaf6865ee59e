import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';
import type { ReleaseServerOptions } from '../../simulator/coder/release-server.js';
import {
  configFile,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  FAST_RETRIES,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  reasonOf,
} from './support.js';

const small = configFile({ pods: 1, ec2: 0 });

const BROKEN: { name: string; releases: Partial<ReleaseServerOptions>; says: RegExp }[] = [
  {
    name: 'a checksum that does not fit',
    releases: { wrongChecksum: true },
    says: /coder_2\.36\.0_linux_\w+\.tar\.gz has the SHA-256 [0-9a-f]{64}, but the release lists [0-9a-f]{64}; nothing was unpacked/,
  },
  {
    name: 'no asset for this platform',
    releases: { missingAsset: true },
    says: /(does not list coder_2\.36\.0_linux|coder_2\.36\.0_linux_\w+\.tar\.gz could not be downloaded: .*404.*set "coder-version" or "coder-path")/,
  },
  {
    name: 'no checksums',
    releases: { missingChecksums: true },
    says: /coder_2\.36\.0_checksums\.txt could not be downloaded: .*404/,
  },
];

describe.concurrent('a release that cannot be installed', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(BROKEN)('$name: refused before any load, and nothing is unpacked', ({ releases, says }) =>
    inWorld(
      {},
      async (world) => {
        const run = await world.gate(small, { env: FAST_RETRIES });
        expectRefusal(run, world, says);
        expect(filesBelow(run.toolCache)).toEqual([]);
        expect(filesBelow(run.temp).some((name) => name.endsWith('/coder'))).toBe(false);
        expect(run.outputs['coder-version']).toBe('v2.36.0+a1b2c3d');
      },
      { releases },
    ),
  );

  it('a version that has no release is refused with its address', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(small, { env: FAST_RETRIES, inputs: { 'coder-version': '2.35.9' } });
      expectRefusal(run, world, /v2\.35\.9\/coder_2\.35\.9_checksums\.txt could not be downloaded: .*404/);
    }));

  it('an error of the server that passes is tried again', () =>
    inWorld(
      {},
      async (world) => {
        const run = await world.gate(small, { env: FAST_RETRIES });
        expectOutcome(run, 'pass', 0);
        expect(world.releases.requests.length).toBeGreaterThan(4);
      },
      { releases: { serverErrors: 1 } },
    ));

  it('"mainline" at a mirror is refused, with the way out', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(small, { inputs: { 'coder-version': 'mainline' } });
      expectRefusal(
        run,
        world,
        /"coder-version: mainline" cannot be looked up at a mirror; give an exact version/,
      );
    }));
});

describe.concurrent('a release that is installed', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('is downloaded before any load, and taken from the tool cache by the next run', () =>
    inWorld({}, async (world) => {
      const toolCache = mkdtempSync(path.join(tmpdir(), 'tool-cache-'));
      try {
        const first = await world.gate(small, { toolCache });
        expectOutcome(first, 'pass', 0);
        expect(world.releases.requests.map((request) => path.basename(request))).toEqual([
          'coder_2.36.0_checksums.txt',
          'coder_2.36.0_checksums.txt',
          expect.stringMatching(/^coder_2\.36\.0_linux_/),
          expect.stringMatching(/^coder_2\.36\.0_linux_/),
        ]);
        const log = logOf(first);
        expect(log.indexOf('SHA-256 verified')).toBeGreaterThan(0);
        expect(log.indexOf('SHA-256 verified')).toBeLessThan(log.indexOf('##[group]Create workspaces'));
        const downloads = world.releases.requests.length;
        const second = await world.gate(small, { toolCache });
        expectOutcome(second, 'pass', 0);
        expectNothingLeft(world);
        expect(logOf(second)).toContain('Coder CLI 2.36.0 is in the tool cache');
        expect(world.releases.requests).toHaveLength(downloads);
      } finally {
        await rm(toolCache, { recursive: true, force: true });
      }
    }));

  it('is not needed with "coder-path"', () =>
    inWorld({}, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'own-cli-'));
      try {
        const cli = await buildCoderExecutable(folder, { version: 'v2.35.1' });
        const run = await world.gate(small, { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(world.releases.requests).toEqual([]);
        expect(readJson(run, 'readiness.json')).toMatchObject({ cliVersion: 'v2.35.1' });
        expect(run.main.summary).toContain('CLI: `v2.35.1`');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it.each([
    ['a path from the workspace', './bin/coder'],
    ['the same without a dot', 'bin/coder'],
    ['a name on PATH', 'coder'],
  ])('is not needed with "coder-path" as %s', (_, given) =>
    inWorld({}, async (world) => {
      const workspace = mkdtempSync(path.join(tmpdir(), 'workspace-'));
      try {
        const folder = path.join(workspace, 'bin');
        mkdirSync(folder);
        const cli = await buildCoderExecutable(folder, { version: 'v2.36.0' });
        expect(cli).toBe(path.join(folder, 'coder'));
        const run = await world.gate(small, {
          workspace,
          inputs: { 'coder-path': given },
          ...(given === 'coder' && { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } }),
        });
        expectOutcome(run, 'pass', 0);
        expect(readJson(run, 'plan.json')).toMatchObject({ effects: { workspaces: 1 } });
        expect(world.releases.requests).toEqual([]);
        const used = given === 'coder' ? given : cli;
        expect(logOf(run)).toContain(`The Coder CLI v2.36.0 at ${used} is used (input "coder-path")`);
      } finally {
        await rm(workspace, { recursive: true, force: true });
      }
    }),
  );

  it('"coder-path" that is not there is refused', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(small, { inputs: { 'coder-path': '/nowhere/coder' } });
      expectOutcome(run, 'error', 1);
      expectNothingCreated(world);
      expect(reasonOf(run)).toMatch(/\/nowhere\/coder cannot be run: Unable to locate/);
    }));

  it.each([
    { wanted: '2.34.2', looksUp: false },
    { wanted: 'v2.34.2', looksUp: false },
    { wanted: 'stable', looksUp: true },
  ])('can be another than the server’s: $wanted', ({ wanted, looksUp }) =>
    inWorld(
      {},
      async (world) => {
        const run = await world.gate(small, { inputs: { 'coder-version': wanted } });
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(world.releases.requests.includes('GET /latest')).toBe(looksUp);
        expect(logOf(run)).toMatch(/Coder CLI 2\.34\.2 installed from .*SHA-256 verified/);
      },
      { releases: { version: 'v2.34.2', stableVersion: 'v2.34.2' } },
    ),
  );

  it('is the release of a development build’s version, with a warning', () =>
    inWorld({ buildVersionSuffix: '-devel+a1b2c3d' }, async (world) => {
      const run = await world.gate(small);
      expectOutcome(run, 'pass', 0);
      expect(logOf(run)).toContain(
        'the server runs a development build; the CLI of the release 2.36.0 is used',
      );
    }));
});
