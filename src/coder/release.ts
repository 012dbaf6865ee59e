import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { Fetch, FetchAnswer, Log, ToolCache } from '../ports.js';
import { parseVersion } from './version.js';

const PUBLIC_RELEASES = 'https://github.com/coder/coder/releases/download';
const PUBLIC_RELEASE_LIST = 'https://api.github.com/repos/coder/coder/releases?per_page=50';
const TOOL = 'coder';
const LOOKUP_TIMEOUT_MS = 30_000;

/** The CLI could not be installed; the message says what to do. */
export class InstallError extends Error {}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

interface Asset {
  readonly name: string;
  readonly kind: 'tar.gz' | 'zip';
  readonly executable: string;
}

/** The release asset with the full CLI. (What a server offers under /bin is the slim one, without scaletest.) */
export function assetFor(version: string, platform: Platform): Asset {
  const os = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[platform.os];
  const architecture = { x64: 'amd64', arm64: 'arm64', arm: 'armv7' }[platform.architecture];
  if (os === undefined || architecture === undefined || (architecture === 'armv7' && os !== 'linux')) {
    throw new InstallError(
      `Coder has no release for ${platform.os} on ${platform.architecture}; use a Linux runner or set "coder-path"`,
    );
  }
  const kind = os === 'linux' ? 'tar.gz' : 'zip';
  return {
    name: `coder_${version}_${os}_${architecture}.${kind}`,
    kind,
    executable: os === 'windows' ? 'coder.exe' : 'coder',
  };
}

/**
 * The release that "stable" or "mainline" stands for.
 * @throws InstallError when it cannot be found out.
 */
export async function resolveChannel(
  channel: 'stable' | 'mainline',
  downloadUrl: string | undefined,
  fetch: Fetch,
): Promise<string> {
  if (channel === 'stable') return latestStable(downloadUrl ?? PUBLIC_RELEASES, fetch);
  if (downloadUrl !== undefined) {
    throw new InstallError(
      '"coder-version: mainline" cannot be looked up at a mirror; give an exact version',
    );
  }
  const answer = await lookUp(PUBLIC_RELEASE_LIST, 'follow', fetch);
  const releases = z
    .array(z.object({ tag_name: z.string() }))
    .safeParse(await answer.json().catch(() => undefined));
  const versions = (releases.data ?? [])
    .map(({ tag_name }) => parseVersion(tag_name))
    .filter((version) => version !== undefined);
  const newest = versions
    .filter(({ release }) => /^\d+\.\d+\.\d+$/.test(release))
    .sort((a, b) => b.major - a.major || b.minor - a.minor || b.patch - a.patch)[0];
  if (newest === undefined)
    throw new InstallError('the list of Coder releases could not be read; give an exact "coder-version"');
  return newest.release;
}

/** GitHub redirects `…/releases/latest` to the tag. */
async function latestStable(downloadUrl: string, fetch: Fetch): Promise<string> {
  const url = `${downloadUrl.replace(/\/download$/, '')}/latest`;
  const answer = await lookUp(url, 'manual', fetch);
  const tag = /\/tag\/(v[^/?#]+)/.exec(answer.headers.get('location') ?? '')?.[1];
  const version = tag === undefined ? undefined : parseVersion(tag);
  if (version === undefined)
    throw new InstallError(`${url} does not name the stable release; give an exact "coder-version"`);
  return version.release;
}

async function lookUp(url: string, redirect: 'manual' | 'follow', fetch: Fetch): Promise<FetchAnswer> {
  try {
    return await fetch(url, {
      redirect,
      signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS),
      headers: { 'User-Agent': 'coder-scaletest-gate' },
    });
  } catch (thrown) {
    throw new InstallError(`${url} cannot be reached: ${messageOf(thrown)}; give an exact "coder-version"`);
  }
}

/**
 * Installs a release of the full CLI through the tool cache; its SHA-256 is checked before anything is unpacked.
 * @returns the path of the executable.
 * @throws InstallError
 */
export async function installRelease(
  version: string,
  downloadUrl: string | undefined,
  platform: Platform,
  tools: { cache: ToolCache; log: Log },
): Promise<string> {
  const asset = assetFor(version, platform);
  const cached = tools.cache.find(TOOL, version);
  if (cached !== undefined) {
    tools.log.info(`Coder CLI ${version} is in the tool cache`);
    return `${cached}/${asset.executable}`;
  }
  const base = `${downloadUrl ?? PUBLIC_RELEASES}/v${version}`;
  const sums = await fetchFile(`${base}/coder_${version}_checksums.txt`, tools.cache);
  const expected = checksumOf(await readFile(sums, 'utf8'), asset.name);
  if (expected === undefined)
    throw new InstallError(
      `${base}/coder_${version}_checksums.txt does not list ${asset.name}; nothing was installed`,
    );
  const archive = await fetchFile(`${base}/${asset.name}`, tools.cache);
  const actual = await sha256(archive);
  if (actual !== expected) {
    throw new InstallError(
      `${base}/${asset.name} has the SHA-256 ${actual}, but the release lists ${expected}; nothing was unpacked. Check the mirror, or try again`,
    );
  }
  const unpacked = await tools.cache.extract(archive, asset.kind);
  const directory = await tools.cache.store(unpacked, TOOL, version);
  tools.log.info(`Coder CLI ${version} installed from ${base}/${asset.name}, SHA-256 verified`);
  return `${directory}/${asset.executable}`;
}

async function fetchFile(url: string, cache: ToolCache): Promise<string> {
  try {
    return await cache.download(url);
  } catch (thrown) {
    const reason = messageOf(thrown);
    const hint = reason.includes('404')
      ? ' (is there a release of this version for this platform? set "coder-version" or "coder-path")'
      : '';
    throw new InstallError(`${url} could not be downloaded: ${reason}${hint}`);
  }
}

/** The checksum of a file in the format of sha256sum. */
export function checksumOf(sums: string, file: string): string | undefined {
  for (const line of sums.split('\n')) {
    const match = /^([0-9a-f]{64})\s+\*?(?:\.\/)?(.+?)\s*$/i.exec(line);
    if (match?.[2] === file) return match[1]?.toLowerCase();
  }
  return undefined;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
