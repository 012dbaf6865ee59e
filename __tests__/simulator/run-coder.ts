import { type ChildProcess, spawn } from 'node:child_process';
import type { CoderDeployment } from '../../simulator/coder/server.js';

export interface Ended {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves as soon as stderr contains the text. */
  said: (text: string) => Promise<void>;
}

export interface RunOptions {
  deployment?: CoderDeployment;
  environment?: Record<string, string>;
  cwd?: string;
  /** An open pipe instead of /dev/null. */
  openStdin?: boolean;
}

const LONGEST_RUN_MS = 20_000;

export function startCoder(executable: string, args: string[], options: RunOptions = {}): Running {
  const { deployment, environment = {}, cwd, openStdin = false } = options;
  const child = spawn(executable, args, {
    cwd,
    stdio: [openStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ...(deployment && { CODER_URL: deployment.url, CODER_SESSION_TOKEN: deployment.ownerToken }),
      ...environment,
    },
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve) => {
    const watchdog = setTimeout(() => child.kill('SIGKILL'), LONGEST_RUN_MS);
    child.on('close', (exitCode, signal) => {
      clearTimeout(watchdog);
      resolve({ stdout, stderr, exitCode, signal });
    });
  });
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!stderr.includes(text)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  return { child, ended, said };
}

export function runCoder(executable: string, args: string[], options: RunOptions = {}): Promise<Ended> {
  return startCoder(executable, args, options).ended;
}
