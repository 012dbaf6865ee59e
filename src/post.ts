import { messageOf } from './errors.js';
import { parseInputs, type Inputs } from './inputs.js';
import { cell, sections } from './report/markdown.js';
import {
  clean,
  cleanupSentence,
  isClean,
  owedCleanup,
  wasCancelled,
  type CleanupDebt,
} from './stages/cleaning.js';
import { connect, disconnect, type Connection } from './stages/connecting.js';
import { owedRestoring, removeTemplates, resume, type RestoringDebt } from './stages/restoring.js';
import { tidyAfterMain } from './stages/tidying.js';
import { owedUpload, uploadEvidence } from './stages/uploading.js';
import { milliseconds } from './units.js';
import type { World } from './world.js';

/** A cancelled job gives all its post steps five minutes together. */
const AFTER_CANCEL_MS = 4 * 60_000;

/** Leaves nothing behind, whatever happened to main, and uploads what main could not. Never changes a verdict. */
export async function post(world: World): Promise<void> {
  await tidyAfterMain(world);
  const debt = owedCleanup(world);
  const restoring = owedRestoring(world);
  const upload = owedUpload(world);
  if (debt === undefined && restoring === undefined && upload === undefined)
    world.log.info('main left nothing to do');
  await Promise.all([
    debt === undefined && restoring === undefined ? undefined : restoreAfterMain(debt, restoring, world),
    upload === undefined ? undefined : uploadEvidence(upload, world),
  ]);
}

/** Both need a connection; what a suite has paused goes on first, since it concerns everybody. */
async function restoreAfterMain(
  debt: CleanupDebt | undefined,
  restoring: RestoringDebt | undefined,
  world: World,
): Promise<void> {
  try {
    const inputs = parseInputs(world.environment);
    const connection = await connect(inputs, world);
    const paused = restoring && (await resume(restoring, connection, world));
    const cleaned = debt && (await carryOutDebt(debt, connection, inputs, world));
    const templates = restoring && (await removeTemplates(restoring, connection, world));
    await disconnect(connection, world);
    const problems = [paused, templates].filter((problem) => problem !== undefined);
    const text = [...(cleaned ? [cleaned.text] : []), ...problems].join('. ');
    if (text !== '')
      await world.step.writeSummary(sections(['### Clean-up after the scale test', cell(text)]));
    if (problems.length > 0 || cleaned?.isClean === false) fail(text, world);
    else if (text !== '') world.log.info(text);
  } catch (thrown) {
    fail(messageOf(thrown), world);
  }
}

async function carryOutDebt(
  debt: CleanupDebt,
  connection: Connection,
  inputs: Inputs,
  world: World,
): Promise<{ isClean: boolean; text: string }> {
  const cancelled = wasCancelled(world);
  const time = milliseconds(cancelled ? AFTER_CANCEL_MS : inputs.maxDuration * 1000);
  const deadline = milliseconds(world.clock.monotonic() + time);
  const me = await connection.identity.api.me();
  const result = await clean(
    {
      connection,
      scope: { since: new Date(debt.since), ownUserId: me.id },
      orphan: debt.orphan,
      queue: cancelled ? 'hand-over' : 'short',
      deadline,
      signal: world.cancelled,
    },
    world,
  );
  return { isClean: isClean(result), text: cleanupSentence(result) };
}

function fail(sentence: string, world: World): void {
  world.log.error(`${sentence}. Run the gate with "mode: cleanup" to remove what is left`, {
    title: 'Scale-test clean-up',
  });
  world.step.fail();
}
