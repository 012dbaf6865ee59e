import { hasMarks, releaseAfterMain, restoreAfterMain } from './stages/after-main.js';
import { owedCleanup } from './stages/cleaning.js';
import { owedSession } from './stages/connecting.js';
import { owedLease } from './stages/leasing.js';
import { owedRestoring } from './stages/restoring.js';
import { tidyAfterMain } from './stages/tidying.js';
import { owedUpload, uploadEvidence } from './stages/uploading.js';
import type { World } from './world.js';

/** Leaves nothing behind, whatever happened to main, and uploads what main could not. Never changes a verdict. */
export async function post(runner: World): Promise<void> {
  const world = withoutState(runner);
  await tidyAfterMain(world);
  const cleanup = owedCleanup(world);
  const restoring = owedRestoring(world);
  const upload = owedUpload(world);
  const marks = { lockId: owedLease(world), sessionId: owedSession(world) };
  const isSomethingLeft = cleanup !== undefined || restoring !== undefined;
  if (!isSomethingLeft && upload === undefined && !hasMarks(marks)) world.log.info('main left nothing to do');
  await Promise.all([
    isSomethingLeft
      ? restoreAfterMain({ cleanup, restoring, ...marks }, world)
      : releaseAfterMain(marks, world),
    upload === undefined ? undefined : uploadEvidence(upload, world),
  ]);
}

/** Nobody comes after post, so it leaves no word: on a full disk, that would keep it from its work. */
const withoutState = (world: World): World => ({
  ...world,
  state: { ...world.state, save: () => undefined, clear: () => undefined },
});
