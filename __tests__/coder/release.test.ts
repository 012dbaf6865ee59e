import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assetFor,
  checksumOf,
  InstallError,
  installRelease,
  resolveChannel,
} from '../../src/coder/release.js';
import type { ToolCache } from '../../src/ports.js';
import { KeptLog } from '../support/fakes.js';
import { serve, type TestServer } from '../support/http-server.js';

const LINUX = { os: 'linux', architecture: 'x64' };
const ASSET = 'coder_2.36.0_linux_amd64.tar.gz';

describe('assetFor', () => {
  it.each([
    ['linux', 'x64', 'coder_2.36.0_linux_amd64.tar.gz', 'coder'],
    ['linux', 'arm64', 'coder_2.36.0_linux_arm64.tar.gz', 'coder'],
    ['linux', 'arm', 'coder_2.36.0_linux_armv7.tar.gz', 'coder'],
    ['darwin', 'arm64', 'coder_2.36.0_darwin_arm64.zip', 'coder'],
    ['win32', 'x64', 'coder_2.36.0_windows_amd64.zip', 'coder.exe'],
  ])('on %s %s is %s', (os, architecture, name, executable) => {
    expect(assetFor('2.36.0', { os, architecture })).toMatchObject({ name, executable });
  });

  it.each([
    ['freebsd', 'x64'],
    ['linux', 'riscv64'],
    ['darwin', 'arm'],
  ])('there is none on %s %s', (os, architecture) => {
    expect(() => assetFor('2.36.0', { os, architecture })).toThrow(/Coder has no release for .*"coder-path"/);
  });
});

describe('checksumOf', () => {
  const [a, b] = ['a'.repeat(64), 'B'.repeat(64)];

  it.each([
    ['of sha256sum', `${a}  ${ASSET}\n`],
    ['of binary mode', `${a} *${ASSET}\n`],
    ['with a folder', `${a}  ./${ASSET}\n`],
    ['with carriage returns', `${a}  ${ASSET}\r\n`],
    ['among others', `${b}  other\n${a}  ${ASSET}\n${b}  ${ASSET}.sig\n`],
  ])('reads the format %s', (_, text) => {
    expect(checksumOf(text, ASSET)).toBe(a);
  });

  it('is in small letters', () => {
    expect(checksumOf(`${b}  ${ASSET}`, ASSET)).toBe('b'.repeat(64));
  });

  it.each([
    ['another file', `${a}  x${ASSET}\n`],
    ['a short sum', `${a.slice(1)}  ${ASSET}\n`],
    ['a page', '<html>'],
    ['nothing', ''],
  ])('finds none in %s', (_, text) => {
    expect(checksumOf(text, ASSET)).toBeUndefined();
  });
});

/** The tool cache with a real download and a real tar. */
class FolderCache implements ToolCache {
  readonly steps: string[] = [];
  #count = 0;

  constructor(
    private readonly directory: string,
    private readonly cached?: string,
  ) {}

  find(): string | undefined {
    return this.cached;
  }
  async download(url: string): Promise<string> {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`Unexpected HTTP response: ${answer.status}`);
    const file = path.join(this.directory, `download-${(this.#count += 1)}`);
    await writeFile(file, Buffer.from(await answer.arrayBuffer()));
    this.steps.push(`download ${path.basename(url)}`);
    return file;
  }
  async extract(archive: string): Promise<string> {
    this.steps.push('extract');
    const target = path.join(this.directory, `extracted-${(this.#count += 1)}`);
    await mkdir(target);
    execFileSync('tar', ['-xzf', archive, '-C', target]);
    return target;
  }
  async store(directory: string): Promise<string> {
    this.steps.push('store');
    return directory;
  }
}

describe('installRelease', () => {
  let directory = '';
  let archive = Buffer.alloc(0);
  let sums = '';
  let server: TestServer;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'release-'));
    await writeFile(path.join(directory, 'coder'), '#!/bin/sh\necho installed\n');
    await chmod(path.join(directory, 'coder'), 0o755);
    execFileSync('tar', ['-czf', 'release.tgz', 'coder'], { cwd: directory });
    archive = await readFile(path.join(directory, 'release.tgz'));
    server = await serve(({ path: asked }, response) => {
      if (asked === '/download/v2.36.0/coder_2.36.0_checksums.txt') response.end(sums);
      else if (asked === `/download/v2.36.0/${ASSET}`) response.end(archive);
      else if (asked === '/latest')
        response.writeHead(302, { Location: '/coder/releases/tag/v2.34.2' }).end();
      else response.writeHead(404).end();
    });
  });
  afterAll(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    sums = `${createHash('sha256').update(archive).digest('hex')}  ${ASSET}\n`;
  });
  const install = (cache: FolderCache, version = '2.36.0') =>
    installRelease(version, `${server.url}/download`, LINUX, { cache, log: new KeptLog() });

  it('checks the sum, unpacks, and gives an executable that runs', async () => {
    const cache = new FolderCache(directory);
    const executable = await install(cache);
    expect(execFileSync(executable, { encoding: 'utf8' })).toBe('installed\n');
    expect(cache.steps).toEqual([
      'download coder_2.36.0_checksums.txt',
      `download ${ASSET}`,
      'extract',
      'store',
    ]);
  });

  it('takes what is in the cache', async () => {
    const cache = new FolderCache(directory, '/opt/cache/coder');
    await expect(install(cache)).resolves.toBe('/opt/cache/coder/coder');
    expect(cache.steps).toEqual([]);
  });

  it('unpacks nothing whose sum is another', async () => {
    sums = `${'0'.repeat(64)}  ${ASSET}\n`;
    const cache = new FolderCache(directory);
    await expect(install(cache)).rejects.toThrow(
      /has the SHA-256 [0-9a-f]{64}, but the release lists 0{64}; nothing was unpacked/,
    );
    expect(cache.steps).not.toContain('extract');
  });

  it('unpacks nothing that the sums do not list, and does not even download it', async () => {
    sums = `${'0'.repeat(64)}  something-else\n`;
    const cache = new FolderCache(directory);
    await expect(install(cache)).rejects.toThrow(
      /does not list coder_2.36.0_linux_amd64.tar.gz; nothing was installed/,
    );
    expect(cache.steps).toEqual(['download coder_2.36.0_checksums.txt']);
  });

  it('says what to do about a version that is not there', async () => {
    const refused = install(new FolderCache(directory), '9.9.9');
    await expect(refused).rejects.toBeInstanceOf(InstallError);
    await expect(refused).rejects.toThrow(
      /could not be downloaded: .*404.*set "coder-version" or "coder-path"/,
    );
  });

  it('finds the stable release by the mirror’s redirect', async () => {
    await expect(resolveChannel('stable', `${server.url}/download`, fetch)).resolves.toBe('2.34.2');
    await expect(resolveChannel('stable', `${server.url}/other`, fetch)).rejects.toThrow(
      /does not name the stable release/,
    );
  });

  it('does not guess the mainline release of a mirror', async () => {
    await expect(resolveChannel('mainline', server.url, fetch)).rejects.toThrow(
      /cannot be looked up at a mirror; give an exact version/,
    );
  });

  it('says that a mirror cannot be reached', async () => {
    await expect(resolveChannel('stable', 'http://127.0.0.1:9/download', fetch)).rejects.toThrow(
      /cannot be reached: .*give an exact "coder-version"/,
    );
  });
});
