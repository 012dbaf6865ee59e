import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildCoderExecutable } from './coder/cli/build-executable.js';
import type { DeploymentOptions } from './coder/options.js';
import { startReleaseServer, type ReleaseServer, type ReleaseServerOptions } from './coder/release-server.js';
import { startCoderServer } from './coder/server.js';
import { startResultsService, type ResultsService } from './runner/results-service.js';
import { runAction, type ActionRun, type RunActionOptions } from './runner/runner.js';

const REPOSITORY = path.resolve(import.meta.dirname, '..');

export interface WorldOptions {
  readonly deployment?: Partial<DeploymentOptions>;
  readonly releases?: Partial<ReleaseServerOptions>;
}

/** A deployment, its releases and an artifact service, on 127.0.0.1. */
export interface SimulatedWorld {
  readonly coder: Awaited<ReturnType<typeof startCoderServer>>;
  readonly releases: ReleaseServer;
  readonly artifacts: ResultsService;
  /** Runs the committed action as a runner does, with the owner's token unless the inputs say otherwise. */
  run(config: string | undefined, options?: Partial<RunActionOptions>): Promise<ActionRun>;
  close(): Promise<void>;
}

export async function startSimulatedWorld(options: WorldOptions = {}): Promise<SimulatedWorld> {
  const version = options.deployment?.version ?? 'v2.36.0';
  const directory = await mkdtemp(path.join(tmpdir(), 'simulated-world-'));
  const slim = options.deployment?.cli?.slim === true;
  const coderExecutable = await buildCoderExecutable(directory, { version, slim });
  const coder = await startCoderServer(options.deployment ?? {});
  const releases = await startReleaseServer({ version, coderExecutable, ...options.releases });
  const artifacts = await startResultsService();

  return {
    coder,
    releases,
    artifacts,
    run: async (config, runOptions = {}) => {
      const workspace = runOptions.workspace ?? (await mkdtemp(path.join(directory, 'workspace-')));

      if (config !== undefined) await writeFile(path.join(workspace, 'scaletest-config.yaml'), config);
      return runAction({
        actionDirectory: REPOSITORY,
        workspace,
        artifactService: artifacts,
        ...runOptions,
        inputs: {
          'coder-url': coder.url,
          'coder-session-token': coder.ownerToken,
          // Beside a CLI that is there it would be a mistake.
          ...(runOptions.inputs?.['coder-path'] === undefined && { 'coder-download-url': releases.url }),
          tests: 'create-workspaces',
          ...runOptions.inputs,
        },
      });
    },
    close: async () => {
      await Promise.all([coder.close(), releases.close(), artifacts.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
