import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  configFile,
  expectNothingLeft,
  inWorld,
  LONGEST_SCENARIO_MS,
  remaining,
  spread,
  type E2eWorld,
} from '../e2e/support.js';

const START = path.resolve(import.meta.dirname, '../../simulator/start.ts');
const BUILDING = /pod_workspaces: 0 of 2 built/;
const CLEANING = /^\[post\] clean-up: /;

interface Press {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';
  readonly when: RegExp;
}

/** `npm start -- --coder-url …`, whose process group gets signals as from a terminal. */
async function start(
  world: E2eWorld,
  presses: readonly Press[],
): Promise<{ exitCode: number | null; lines: string[] }> {
  const workspace = mkdtempSync(path.join(tmpdir(), 'started-'));
  try {
    writeFileSync(path.join(workspace, 'c.yaml'), configFile({ pods: 2, ec2: 0 }));
    const inputs = [
      `coder-download-url=${world.releases.url}`,
      'tests=create-workspaces',
      'profile=smoke',
    ].flatMap((input) => ['--input', input]);
    const args = ['--import', import.meta.resolve('tsx'), START, '--coder-url', world.coder.url];
    const child = spawn(process.execPath, [...args, '--config', 'c.yaml', ...inputs], {
      cwd: workspace,
      env: { ...process.env, CODER_SESSION_TOKEN: world.coder.ownerToken },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) throw new Error('it did not start');
    const waiting = [...presses];
    const lines: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n'));
      const [press] = waiting;
      if (press === undefined || !text.split('\n').some((line) => press.when.test(line))) return;
      waiting.shift();
      process.kill(-pid, press.signal);
    });
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(waiting, lines.join('\n')).toEqual([]);
    return { exitCode, lines };
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

describe.concurrent('npm start', { timeout: LONGEST_SCENARIO_MS }, () => {
  const slow = { 'pod-swdev': { startSeconds: spread(60), deleteSeconds: spread(3) } };

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s to its group cancels main, and post cleans up', (signal, code) =>
    inWorld({ templateOverrides: slow }, async (world) => {
      const { exitCode, lines } = await start(world, [{ signal, when: BUILDING }]);
      const output = lines.join('\n');
      expect(exitCode, output).toBe(code);
      expect(world.coder.state.workspaces.size, output).toBe(2);
      expectNothingLeft(world);
      expect(output).toContain(`[start] ${signal}: main is cancelled now; wait for post, which cleans up`);
      expect(output).toMatch(/^verdict +cancelled$/m);
      expect(output).toMatch(/main exit code 1 .*; post exit code 0 /);
    }),
  );

  it('a second SIGINT does not end the clean-up, and says how to', () =>
    inWorld({ templateOverrides: slow }, async (world) => {
      const { exitCode, lines } = await start(world, [
        { signal: 'SIGINT', when: BUILDING },
        { signal: 'SIGINT', when: CLEANING },
      ]);
      const output = lines.join('\n');
      expect(exitCode, output).toBe(130);
      expectNothingLeft(world);
      expect(output).toMatch(/\[start\] SIGINT: the clean-up goes on, .* kill process \d+, /);
      expect(output).toMatch(/post exit code 0 /);
    }));

  it('without a signal ends with the exit code of main', () =>
    inWorld({}, async (world) => {
      const { exitCode, lines } = await start(world, []);
      expect(exitCode, lines.join('\n')).toBe(0);
      expect(remaining(world)).toEqual({ workspaces: [], users: [] });
    }));
});
