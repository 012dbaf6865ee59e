import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Owner } from './owner.js';

const LOOK_EVERY_MS = 50;
const LONGEST_DELETION_MS = 120_000;

const workspaceList = z.object({
  workspaces: z.array(
    z.object({
      name: z.string(),
      owner_name: z.string(),
      latest_build: z.object({ transition: z.string() }),
    }),
  ),
});

const scaletestWorkspaces = async (owner: Owner) =>
  workspaceList.parse(await owner.call('GET', '/api/v2/workspaces?q=name:scaletest-&limit=100')).workspaces;

/** Watches, from a moment on, how long it takes until the server has been told to delete every scale-test workspace. */
export async function untilAllHandedOver(owner: Owner): Promise<number> {
  const began = performance.now();
  for (;;) {
    const workspaces = await scaletestWorkspaces(owner);
    if (workspaces.every(({ latest_build }) => latest_build.transition === 'delete'))
      return performance.now() - began;
    await pause(LOOK_EVERY_MS);
  }
}

/** The guide's clean-up: `coder delete` for one workspace after the other. */
export async function deleteOneByOne(
  owner: Owner,
  coderPath: string,
  home: string,
): Promise<{ readonly milliseconds: number; readonly workspaces: number }> {
  const workspaces = await scaletestWorkspaces(owner);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CODER_URL: owner.url,
    CODER_SESSION_TOKEN: owner.token,
  };
  const began = performance.now();
  for (const { owner_name, name } of workspaces) {
    const child = promisify(execFile)(coderPath, ['delete', `${owner_name}/${name}`, '--yes'], {
      env,
      timeout: LONGEST_DELETION_MS,
    });
    child.child.stdin?.end();
    await child;
  }
  return { milliseconds: performance.now() - began, workspaces: workspaces.length };
}
