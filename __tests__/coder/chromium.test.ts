import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChromium } from '../../src/coder/chromium.js';
import { runShortCommand } from '../../src/github/tools.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'chromium-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const WELL = 'echo "<html><head></head><body></body></html>"';

async function browser(name: string, body = WELL, folder = 'bin'): Promise<string> {
  const file = path.join(directory, folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}
/** Only what a test puts there is on PATH. */
const find = (folders: readonly string[] = ['bin'], os = 'linux') =>
  findChromium({
    environment: { PATH: folders.map((folder) => path.join(directory, folder)).join(path.delimiter) },
    os,
    run: runShortCommand,
  });
const installed = ['/usr/bin/google-chrome', '/usr/local/bin/chrome', '/snap/bin/chromium'].some(existsSync);

describe('findChromium', () => {
  it.each(['headless_shell', 'headless-shell', 'chromium', 'chromium-browser', 'google-chrome'])(
    'finds %s on PATH',
    async (name) => {
      const file = await browser(name);
      expect(await find()).toEqual({ path: file });
    },
  );

  it('takes the one that the CLI would take: by name first, then by PATH', async () => {
    await browser('google-chrome', WELL, 'first');
    const file = await browser('chromium', WELL, 'second');
    expect(await find(['first', 'second'])).toEqual({ path: file });
  });

  it('passes over what cannot be run', async () => {
    await mkdir(path.join(directory, 'bin', 'chromium'), { recursive: true });
    await writeFile(path.join(directory, 'bin', 'chromium-browser'), 'text');
    const file = await browser('google-chrome');
    expect(await find()).toEqual({ path: file });
  });

  it.skipIf(installed)('says what it looked for', async () => {
    expect(await find()).toEqual({
      unusable: expect.stringMatching(/no Chromium was found on the runner \(chromium, /) as unknown,
    });
  });

  it('does not take one that does not start, and says what it said', async () => {
    const file = await browser(
      'chromium',
      'echo "[1:1:ERROR:dbus/bus.cc] no bus" >&2; echo "[1:1:FATAL:zygote_host.cc] No usable sandbox!" >&2; exit 133',
    );
    expect(await find()).toEqual({
      unusable: `${file} does not start (exit code 133): [1:1:FATAL:zygote_host.cc] No usable sandbox!`,
    });
  });

  it('does not take one that shows nothing', async () => {
    await browser('chromium', 'exit 0');
    expect(await find()).toEqual({
      unusable: expect.stringMatching(/does not start \(exit code 0\)$/) as unknown,
    });
  });

  it('starts it without a window, with a profile of its own that is removed', async () => {
    const args = path.join(directory, 'args');
    await browser('chromium', `printf '%s\\n' "$@" > ${args}; ${WELL}`);
    const before = await readdir(tmpdir());
    await find();
    const given = (await readFile(args, 'utf8')).trim().split('\n');
    expect(given).toContain('--headless');
    expect(given.includes('--no-sandbox')).toBe(process.getuid?.() === 0);
    const profile = given.find((one) => one.startsWith('--user-data-dir='))?.split('=')[1] ?? '';
    expect(path.dirname(profile)).toBe(tmpdir());
    expect(before).not.toContain(path.basename(profile));
    expect(existsSync(profile)).toBe(false);
  });

  it('does not look on Windows', async () => {
    await browser('chromium');
    expect(await find(['bin'], 'win32')).toEqual({
      unusable: expect.stringMatching(/Linux and macOS only/) as unknown,
    });
  });
});
