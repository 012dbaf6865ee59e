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
import { connect, disconnect } from './stages/connecting.js';
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
  const upload = owedUpload(world);
  if (debt === undefined && upload === undefined) world.log.info('main left nothing to do');
  await Promise.all([
    debt === undefined ? undefined : cleanUpAfterMain(debt, world),
    upload === undefined ? undefined : uploadEvidence(upload, world),
  ]);
}

async function cleanUpAfterMain(debt: CleanupDebt, world: World): Promise<void> {
  try {
    const sentence = await carryOutDebt(debt, parseInputs(world.environment), world);
    await world.step.writeSummary(sections(['### Clean-up after the scale test', cell(sentence.text)]));
    if (sentence.isClean) {
      world.log.info(sentence.text);
      return;
    }
    fail(sentence.text, world);
  } catch (thrown) {
    fail(messageOf(thrown), world);
  }
}

async function carryOutDebt(
  debt: CleanupDebt,
  inputs: Inputs,
  world: World,
): Promise<{ isClean: boolean; text: string }> {
  const cancelled = wasCancelled(world);
  const time = milliseconds(cancelled ? AFTER_CANCEL_MS : inputs.maxDuration * 1000);
  const deadline = milliseconds(world.clock.monotonic() + time);
  const connection = await connect(inputs, world);
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
  await disconnect(connection, world);
  return { isClean: isClean(result), text: cleanupSentence(result) };
}

function fail(sentence: string, world: World): void {
  world.log.error(`${sentence}. Run the gate with "mode: cleanup" to remove what is left`, {
    title: 'Scale-test clean-up',
  });
  world.step.fail();
}
