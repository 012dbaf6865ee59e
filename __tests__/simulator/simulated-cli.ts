import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import type { CliBehaviour, CoderDeployment } from '../../simulator/coder/server.js';
import { startQuickServer } from './api-scenario.js';
import { Executables } from './executables.js';

const LONGEST_MS = 30_000;

/** The simulated CLI of some versions beside a deployment that each test starts for itself. */
export class SimulatedCli {
  readonly executables = new Executables();
  deployment: CoderDeployment | null = null;

  constructor(private readonly fileName: string) {}

  /** Where a suite is told to write its result. */
  get file(): string {
    return path.join(this.executables.directory, this.fileName);
  }

  async serve(version: string, withLimits: boolean, cli: Partial<CliBehaviour>): Promise<CoderDeployment> {
    this.deployment = await startQuickServer(version, withLimits);
    this.deployment.options.cli = cli;
    return this.deployment;
  }

  /** The deployment must not have broken, and nothing of a test stays for the next. */
  async clear(): Promise<void> {
    expect(this.deployment?.state.internalErrors ?? []).toEqual([]);
    await this.deployment?.close();
    this.deployment = null;
    if (this.executables.directory !== '') rmSync(this.file, { force: true });
  }
}

/** Builds the CLI before the tests of a file, and clears up after each of them and after all. */
export function useSimulatedCli(versions: readonly string[], fileName = 'result.json'): SimulatedCli {
  // Many processes are started; a busy machine takes its time.
  vi.setConfig({ testTimeout: LONGEST_MS, hookTimeout: LONGEST_MS });
  const cli = new SimulatedCli(fileName);
  beforeAll(() => cli.executables.build([...versions]), LONGEST_MS);
  afterAll(() => cli.executables.remove());
  afterEach(() => cli.clear());
  return cli;
}
