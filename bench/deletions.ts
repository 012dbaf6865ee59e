import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { buildCoderExecutable } from '../simulator/coder/cli/build-executable.js';
import type { DeploymentOptions } from '../simulator/coder/options.js';
import { startCoderServer } from '../simulator/coder/server.js';
import { node24Path } from '../simulator/runner/runner.js';
import { startSimulatedWorld } from '../simulator/simulated-world.js';

const WORKSPACES = 1000;
/** One after the other they take so long that a part of them has to do. */
const BY_HAND = 20;
const LOOK_EVERY_MS = 20;

const DEPLOYMENT: Partial<DeploymentOptions> = {
  version: 'v2.36.0',
  disableRateLimits: true,
  provisionerSlots: 30,
  templateOverrides: {
    'pod-swdev': {
      startSeconds: { median: 0.3, sigma: 0.1 },
      deleteSeconds: { median: 2, sigma: 0.1 },
      agentConnectSeconds: { median: 0.1, sigma: 0.1 },
    },
  },
};

const CONFIG = `
create_workspaces:
  count: ${WORKSPACES}
  templates:
    pod_workspaces: { template: pod-swdev, count: ${WORKSPACES}, concurrency: 100, expected_p95: "10m" }
`;

type Coder = Awaited<ReturnType<typeof startCoderServer>>;

const workspacesOf = ({ state }: Coder): readonly { handedOver: boolean }[] =>
  [...state.workspaces.values()].map(({ builds }) => ({
    handedOver: builds.at(-1)?.transition === 'delete',
  }));

/**
 * How long it takes until the deletions of 1,000 workspaces are safe in the server's hands after a cancel: by the action's
 * post, and by the guide's `xargs coder delete`, which waits for each.
 */
export async function benchDeletions(): Promise<readonly string[]> {
  const post = await byPost();
  const each = await byHand();
  const guide = (each * WORKSPACES) / 1000;
  return [
    `Deletions of ${WORKSPACES} simulated workspaces, 30 provisioners, 2 s a deletion, until all are in the server's hands:`,
    `  post after a cancel: ${(post.handedOverAfter / 1000).toFixed(1)} s for ${post.workspaces} workspaces; post ended after ${(post.endedAfter / 1000).toFixed(1)} s, ${post.left} left`,
    `  the guide's "xargs coder delete", measured over ${BY_HAND}: ${(each / 1000).toFixed(2)} s each, so ${guide.toFixed(0)} s for ${WORKSPACES}`,
    `  ratio: ${((guide * 1000) / post.handedOverAfter).toFixed(0)}`,
  ];
}

interface ByPost {
  readonly workspaces: number;
  readonly handedOverAfter: number;
  readonly endedAfter: number;
  readonly left: number;
}

/** The job is cancelled once all workspaces are there; main leaves the clean-up to post. */
async function byPost(): Promise<ByPost> {
  const world = await startSimulatedWorld({ deployment: DEPLOYMENT });
  try {
    const nodePath = node24Path();
    let began = Number.NaN;
    let handedOverAfter = Number.NaN;
    const stop = new AbortController();
    const watch = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const all = workspacesOf(world.coder);
        if (all.every(({ handedOver }) => handedOver)) {
          handedOverAfter = performance.now() - began;
          return;
        }
        await pause(LOOK_EVERY_MS);
      }
    };
    let watching: Promise<void> | undefined;
    const run = await world.run(CONFIG, {
      ...(nodePath !== undefined && { nodePath }),
      signals: [{ signal: 'SIGINT', whenLogMatches: /pod_workspaces: done after/ }],
      onLog: (_line, step) => {
        if (step !== 'post' || watching !== undefined) return;
        began = performance.now();
        watching = watch();
      },
    });
    stop.abort();
    await watching;
    const workspaces = world.coder.state.workspaces.size;
    const left = [...world.coder.state.workspaces.values()].filter(({ deleted }) => !deleted).length;
    const endedAfter = run.post?.durationMs ?? Number.NaN;
    await run.cleanUp();
    return { workspaces, handedOverAfter, endedAfter, left };
  } finally {
    await world.close();
  }
}

/** Milliseconds a workspace. */
async function byHand(): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'deletions-'));
  const coder = await startCoderServer(DEPLOYMENT);
  coder.seedLeftovers(BY_HAND);
  try {
    const executable = await buildCoderExecutable(directory, { version: 'v2.36.0' });
    const environment = { ...process.env, CODER_URL: coder.url, CODER_SESSION_TOKEN: coder.ownerToken };
    const names = [...coder.state.workspaces.values()].map(
      ({ ownerId, name }) => `${coder.state.users.get(ownerId)?.username ?? ''}/${name}`,
    );
    const began = performance.now();
    for (const name of names)
      await promisify(execFile)(executable, ['delete', name, '--yes'], { env: environment });
    return (performance.now() - began) / names.length;
  } finally {
    await coder.close();
    await rm(directory, { recursive: true, force: true });
  }
}
