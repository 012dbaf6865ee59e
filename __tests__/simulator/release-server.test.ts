import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import {
  type ReleaseServer,
  type ReleaseServerOptions,
  startReleaseServer,
} from '../../simulator/coder/release-server.js';
import { Executables } from './executables.js';

// Many processes are started; a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const executables = new Executables();
let server: ReleaseServer | null = null;

beforeAll(() => executables.build(['v2.36.0']), 30_000);
afterAll(() => executables.remove());
afterEach(async () => {
  await server?.close();
  server = null;
});

async function serve(options: Partial<ReleaseServerOptions> = {}): Promise<ReleaseServer> {
  server = await startReleaseServer({
    version: 'v2.36.0',
    coderExecutable: executables.of('v2.36.0'),
    ...options,
  });
  return server;
}

const ARCHIVE = '/v2.36.0/coder_2.36.0_linux_amd64.tar.gz';
const CHECKSUMS = '/v2.36.0/coder_2.36.0_checksums.txt';

it('serves archives whose checksum is listed, through a redirect', async () => {
  const { url, requests } = await serve();
  const redirect = await fetch(url + ARCHIVE, { redirect: 'manual' });
  expect(redirect.status).toBe(302);
  expect(redirect.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
  const archive = Buffer.from(await (await fetch(url + ARCHIVE)).arrayBuffer());
  const sum = createHash('sha256').update(archive).digest('hex');
  expect(await (await fetch(url + CHECKSUMS)).text()).toContain(`${sum}  coder_2.36.0_linux_amd64.tar.gz\n`);
  expect(requests[0]).toBe(`GET ${ARCHIVE}`);
  const file = path.join(executables.directory, 'archive.tar.gz');
  writeFileSync(file, archive);
  const names = execFileSync('tar', ['-tzf', file]).toString().trim().split('\n');
  expect(names).toEqual(['./coder', './README.md', './LICENSE']);
  execFileSync('tar', ['-xzf', file, '-C', executables.directory]);
  const version = execFileSync(path.join(executables.directory, 'coder'), ['version']).toString();
  expect(version).toContain('Coder v2.36.0');
});

it('points to the stable release and lists all', async () => {
  const { url } = await serve({ stableVersion: 'v2.35.2', otherVersions: ['v2.37.0-rc.0'] });
  const latest = await fetch(`${url}/latest`, { redirect: 'manual' });
  expect(latest.headers.get('location')).toBe(`${url}/tag/v2.35.2`);
  const list = (await (await fetch(`${url}/releases.json`)).json()) as {
    tag_name: string;
    prerelease: boolean;
  }[];
  expect(list.map((one) => [one.tag_name, one.prerelease])).toEqual([
    ['v2.36.0', false],
    ['v2.35.2', false],
    ['v2.37.0-rc.0', true],
  ]);
});

it('can be wrong in many ways', async () => {
  const wrong = await serve({ wrongChecksum: true });
  const archive = Buffer.from(await (await fetch(wrong.url + ARCHIVE)).arrayBuffer());
  const sum = createHash('sha256').update(archive).digest('hex');
  expect(await (await fetch(wrong.url + CHECKSUMS)).text()).not.toContain(sum);
  await wrong.close();
  const missing = await serve({ missingAsset: true, serverErrors: 1 });
  expect((await fetch(missing.url + CHECKSUMS)).status).toBe(503);
  expect((await fetch(missing.url + CHECKSUMS)).status).toBe(200);
  expect((await fetch(missing.url + ARCHIVE)).status).toBe(404);
  await missing.close();
  const bare = await serve({ missingChecksums: true });
  expect((await fetch(bare.url + CHECKSUMS)).status).toBe(404);
  expect((await fetch(`${bare.url}/v2.35.0/coder_2.35.0_linux_amd64.tar.gz`)).status).toBe(404);
});
