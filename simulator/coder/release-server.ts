/**
 * The layout of GitHub's release downloads, on 127.0.0.1. With `url` as the base:
 *
 * - `<url>/v<V>/coder_<V>_<os>_<arch>.tar.gz`   302 to `<url>/storage/…`, which serves the archive (linux; amd64, arm64)
 * - `<url>/v<V>/coder_<V>_checksums.txt`        302 likewise; `sha256sum` format
 * - `<url>/latest`                              302 to `<url>/tag/v<stable>`, as github.com does; the page there is 200 HTML
 * - `<url>/releases.json`                       the list of releases as api.github.com gives it, newest first
 *
 * `<V>` has no `v` in the file name. The archive's root holds `./coder`, `./README.md` and `./LICENSE`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export interface ReleaseServerOptions {
  /** With or without the `v`. */
  version: string;
  /** The file that goes into the archives as `coder`. */
  coderExecutable: string;
  /** What `/latest` points to; `version` unless given. */
  stableVersion?: string;
  /** Further tags of the list, such as candidates. */
  otherVersions?: string[];
  wrongChecksum?: boolean;
  /** The archives are not there (404). */
  missingAsset?: boolean;
  missingChecksums?: boolean;
  /** So many first requests are answered with 503. */
  serverErrors?: number;
}

export interface ReleaseServer {
  url: string;
  /** `"GET /v2.36.0/coder_2.36.0_checksums.txt"`, in order. */
  requests: string[];
  close: () => Promise<void>;
}

const ARCHITECTURES = ['amd64', 'arm64'];

async function packArchive(coderExecutable: string): Promise<Buffer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'coder-release-'));
  try {
    await copyFile(coderExecutable, path.join(directory, 'coder'));
    await writeFile(path.join(directory, 'README.md'), '# Coder\n');
    await writeFile(path.join(directory, 'LICENSE'), 'Simulated.\n');
    const archive = path.join(directory, 'archive.tar.gz');
    const names = ['./coder', './README.md', './LICENSE'];
    await promisify(execFile)('tar', ['-czf', archive, '-C', directory, ...names]);
    return await readFile(archive);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function assetsOf(options: ReleaseServerOptions, bare: string, archive: Buffer): Map<string, Buffer> {
  const assets = new Map<string, Buffer>();
  const names = ARCHITECTURES.map((architecture) => `coder_${bare}_linux_${architecture}.tar.gz`);
  const sum = createHash('sha256').update(archive).digest('hex');
  const written =
    options.wrongChecksum === true ? sum.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : sum;
  if (options.missingAsset !== true) for (const name of names) assets.set(name, archive);
  if (options.missingChecksums !== true) {
    const lines = names.map((name) => `${written}  ${name}\n`).join('');
    assets.set(`coder_${bare}_checksums.txt`, Buffer.from(lines));
  }
  return assets;
}

export async function startReleaseServer(options: ReleaseServerOptions): Promise<ReleaseServer> {
  const bare = options.version.replace(/^v/, '').replace(/\+.*$/, '');
  const stable = (options.stableVersion ?? bare).replace(/^v/, '');
  const assets = assetsOf(options, bare, await packArchive(options.coderExecutable));
  const requests: string[] = [];
  let errorsLeft = options.serverErrors ?? 0;
  let url = '';

  const releaseList = (): string => {
    const tags = [
      ...new Set([bare, stable, ...(options.otherVersions ?? []).map((tag) => tag.replace(/^v/, ''))]),
    ];
    return JSON.stringify(
      tags.map((tag) => ({
        tag_name: `v${tag}`,
        name: `v${tag}`,
        draft: false,
        prerelease: tag.includes('-'),
        html_url: `${url}/tag/v${tag}`,
        assets: [...assets.keys()].map((name) => ({ name, browser_download_url: `${url}/v${tag}/${name}` })),
      })),
    );
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    requests.push(`${request.method ?? 'GET'} ${pathname}`);
    if (errorsLeft > 0) {
      errorsLeft -= 1;
      response.writeHead(503, { 'Content-Type': 'text/html' }).end('<h1>Unicorn!</h1>');
      return;
    }
    const redirect = (location: string): void =>
      void response.writeHead(302, { Location: url + location }).end();
    if (pathname === '/latest') {
      redirect(`/tag/v${stable}`);
      return;
    }
    if (pathname.startsWith('/tag/')) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end('<html>release</html>');
      return;
    }
    if (pathname === '/releases.json') {
      response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(releaseList());
      return;
    }
    const stored = /^\/storage\/(.+)$/.exec(pathname)?.[1];
    const content = assets.get(stored ?? '');
    if (content !== undefined) {
      const head = { 'Content-Type': 'application/octet-stream', 'Content-Length': content.length };
      response.writeHead(200, head).end(content);
      return;
    }
    const asset = /^\/v([^/]+)\/(.+)$/.exec(pathname);
    if (asset !== null && asset[1] === bare && assets.has(asset[2] ?? '')) {
      redirect(`/storage/${asset[2] ?? ''}`);
      return;
    }
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Not Found');
  };

  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
