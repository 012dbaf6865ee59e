import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NodeWithFileLimit } from '../../simulator/chaos/file-limit.js';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { RunActionOptions } from '../../simulator/runner/runner.js';
import { leaseTokens } from '../support/leases.js';
import {
  configFile,
  expectNothingLeft,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  remaining,
  spread,
  verdictOf,
  type E2eWorld,
} from './support.js';

const small = configFile({ pods: 2, ec2: 0 });
const unbuilt: Partial<DeploymentOptions> = {
  disableRateLimits: false,
  templateOverrides: { 'pod-swdev': { startSeconds: spread(300) } },
};
const LOADING = /pod_workspaces: 0 of 2 built, 2 building/;
const withPassword = ({ coder }: E2eWorld): Record<string, string> => ({
  'coder-session-token': '',
  'coder-email': coder.ownerEmail,
  'coder-password': coder.ownerPassword,
});
const sessions = ({ coder }: E2eWorld): unknown[] =>
  [...coder.state.tokens.values()].filter(({ loginType }) => loginType === 'password');

/** What a run needs whose post step finds no room for a single byte. */
async function withFullDiskInPost(
  scenario: (options: Partial<RunActionOptions>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'full-disk-'));
  try {
    const node = new NodeWithFileLimit(folder, 0);
    await scenario({
      nodePath: node.path,
      onStep: (step) => {
        if (step === 'post') node.switchOn();
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.concurrent('a disk that is full when post begins', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(['SIGINT', 'SIGKILL'] as const)('keeps it from nothing on the deployment, after %s', (signal) =>
    inWorld(unbuilt, (world) =>
      withFullDiskInPost(async (options) => {
        const run = await world.gate(small, {
          ...options,
          inputs: { ...withPassword(world), 'upload-artifact': 'false' },
          signals: [{ signal, whenLogMatches: LOADING }],
        });
        expect(run.main.exitCode, logOf(run)).not.toBe(0);
        expect(run.post?.exitCode, logOf(run)).toBe(0);
        expect(run.post?.log.join('\n')).toContain('2 workspaces and 2 users were removed; nothing is left');
        expectNothingLeft(world);
        expect(leaseTokens(world.coder), logOf(run)).toEqual([]);
        expect(sessions(world)).toEqual([]);
      }),
    ),
  );
});

describe.concurrent(
  'a deployment that stops answering when the job is cancelled',
  { timeout: LONGEST_SCENARIO_MS },
  () => {
    it('does not hold main while it reads what was built, before the next suite', () =>
      inWorld({ disableRateLimits: false }, async (world) => {
        const { options } = world.coder;
        const built = /^pod_workspaces: done after/;
        const run = await world.run(
          configFile({ pods: 2, ec2: 0, more: ['suites:', '  notifications: { user-count: 2 }'] }),
          {
            inputs: { tests: 'all', profile: 'smoke' },
            signals: [{ signal: 'SIGINT', whenLogMatches: built, afterMs: 1500 }],
            onLog: (line) => {
              if (built.test(line)) options.latencySeconds = 60;
            },
            onStep: () => (options.latencySeconds = 0),
          },
        );
        expect(run.main.signal, logOf(run)).toBeNull();
        expect(verdictOf(run)).toBe('cancelled');
        expect(run.post?.exitCode, logOf(run)).toBe(0);
        expect(remaining(world)).toEqual({ workspaces: [], users: [] });
      }));

    it('does not hold main until the runner kills it; post ends the session', () =>
      inWorld(unbuilt, async (world) => {
        const { options } = world.coder;
        const run = await world.gate(small, {
          inputs: withPassword(world),
          signals: [{ signal: 'SIGINT', whenLogMatches: LOADING, afterMs: 300 }],
          onLog: (line) => {
            if (LOADING.test(line)) options.latencySeconds = 60;
          },
          onStep: () => (options.latencySeconds = 0),
        });
        expect(run.main.signal, logOf(run)).toBeNull();
        expect(verdictOf(run)).toBe('cancelled');
        expect(run.post?.exitCode, logOf(run)).toBe(0);
        expect(remaining(world)).toEqual({ workspaces: [], users: [] });
        expect(sessions(world)).toEqual([]);
        expect(leaseTokens(world.coder)).toEqual([]);
      }));
  },
);
