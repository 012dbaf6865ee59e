import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../src/run/metrics-page.js';

const run = promisify(execFile);
const START_WITHIN_MS = 15_000;

/** What runs without a licence, each as short as it can be. */
const configOf = (template: string, upstream: string): Record<string, string> => ({
  notifications: '{ user-count: 3, notification-timeout: 2m, dial-timeout: 1m }',
  'workspace-updates': `{ workspace-count: 4, power-user-workspaces: 2, template: ${template}, workspace-updates-timeout: 3m }`,
  'dynamic-parameters': '{ concurrent-evaluations: 4 }',
  bridge: `{ concurrent-users: 2, provider: completions, request-count: 3, upstream-url: "${upstream}/v1/chat/completions" }`,
  autostart: `{ workspace-count: 2, template: ${template}, autostart-delay: 2m }`,
});

/** The CLI's own stand-in for a model, which the suite bridge sends its requests to. */
export interface ModelMock {
  readonly url: string;
  stop(): void;
}

/** Undefined for a CLI that has none (before v2.30). */
export async function startModelMock(coderPath: string): Promise<ModelMock | undefined> {
  if (!(await suitesOf(coderPath)).includes('llm-mock')) return undefined;
  const port = await freePort();
  const child = spawn(coderPath, ['exp', 'scaletest', 'llm-mock', `--address=127.0.0.1:${port}`], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const url = `http://127.0.0.1:${port}`;
  await untilListening(url, child);
  return { url, stop: () => void child.kill('SIGKILL') };
}

async function untilListening(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const isThere = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await pause(200);
  }
  child.kill('SIGKILL');
  throw new Error('the stand-in for a model did not start');
}

/** The sub-commands of a CLI. */
async function suitesOf(coderPath: string): Promise<readonly string[]> {
  const { stdout } = await run(coderPath, ['exp', 'scaletest', '--help']);
  return [...stdout.matchAll(/^ {4}([a-z-]+) {2,}/gm)].map(([, name = '']) => name);
}

/** The config of every suite that runs without a licence and that this CLI has; undefined when it has none. */
export async function suitesConfig(
  coderPath: string,
  template: string,
  upstream: string | undefined,
): Promise<{ readonly config: string; readonly tests: string } | undefined> {
  const there = await suitesOf(coderPath);
  const suites = Object.entries(configOf(template, upstream ?? '')).filter(
    ([name]) => there.includes(name) && (name !== 'bridge' || upstream !== undefined),
  );
  if (suites.length === 0) return undefined;
  const config = `suites:\n${suites.map(([name, flags]) => `  ${name}: ${flags}\n`).join('')}`;
  return { config, tests: suites.map(([name]) => name).join(',') };
}
