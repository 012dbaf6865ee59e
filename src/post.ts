import { cleanUpAfterMain, releaseAfterMain } from './stages/after-main.js';
import { owedCleanup } from './stages/cleaning.js';
import { owedLease } from './stages/leasing.js';
import { tidyAfterMain } from './stages/tidying.js';
import { owedUpload, uploadEvidence } from './stages/uploading.js';
import type { World } from './world.js';

/** Leaves nothing behind, whatever happened to main, and uploads what main could not. Never changes a verdict. */
export async function post(world: World): Promise<void> {
  await tidyAfterMain(world);
  const debt = owedCleanup(world);
  const upload = owedUpload(world);
  const lockId = owedLease(world);
  if (debt === undefined && upload === undefined && lockId === undefined)
    world.log.info('main left nothing to do');
  await Promise.all([
    debt === undefined ? releaseAfterMain(lockId, world) : cleanUpAfterMain(debt, world),
    upload === undefined ? undefined : uploadEvidence(upload, world),
  ]);
}
