import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '../errors.js';
import type { RunShortCommand } from '../ports.js';

/** What the CLI's browser driver looks for on Linux, in its order (chromedp's findExecPath); no variable changes it. */
const NAMES = [
  'headless_shell',
  'headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'google-chrome-beta',
  'google-chrome-unstable',
  '/usr/bin/google-chrome',
  '/usr/local/bin/chrome',
  '/snap/bin/chromium',
  'chrome',
] as const;
const MAC_PATHS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The Chromium that the CLI would start, or why it cannot. */
export type Chromium = { readonly path: string } | { readonly unusable: string };

interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  readonly os: string;
  readonly run: RunShortCommand;
}

/** Finds the Chromium that the CLI would start, and starts it once: one that is there may still lack what it needs. */
export async function findChromium(surroundings: Surroundings): Promise<Chromium> {
  const { environment, os } = surroundings;
  if (os === 'win32') return { unusable: 'Chromium is looked for on Linux and macOS only' };
  const wanted = os === 'darwin' ? MAC_PATHS : NAMES;
  for (const candidate of wanted.flatMap((name) => placesOf(name, environment))) {
    if (await isExecutable(candidate)) return tryOut(candidate, surroundings);
  }
  const looked = os === 'darwin' ? MAC_PATHS.join(', ') : 'chromium, google-chrome, headless-shell, …';
  return { unusable: `no Chromium was found on the runner (${looked})` };
}

function placesOf(name: string, environment: Surroundings['environment']): string[] {
  if (name.startsWith('/')) return [name];
  return (environment['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, name));
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function tryOut(executable: string, { environment, run }: Surroundings): Promise<Chromium> {
  const profile = await mkdtemp(path.join(tmpdir(), 'browser-'));
  const args = [
    '--headless',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    // As the CLI does it, which gives up the sandbox for root only.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    `--user-data-dir=${profile}`,
    '--dump-dom',
    'about:blank',
  ];
  try {
    const { exitCode, stdout, stderr } = await run(executable, args, { ...environment, TMPDIR: profile });
    if (exitCode === 0 && stdout.includes('<html')) return { path: executable };
    return { unusable: `${executable} does not start (exit code ${exitCode})${reasonIn(stderr)}` };
  } catch (thrown) {
    return { unusable: `${executable} does not start: ${messageOf(thrown)}` };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Chromium complains about much that does not matter; what ended it is fatal. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((one) => /FATAL|sandbox|cannot|not found/i.test(one)) ?? lines.at(-1);
  return line === undefined ? '' : `: ${line.trim()}`;
}
