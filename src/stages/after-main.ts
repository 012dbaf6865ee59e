import { ApiError } from '../coder/http.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { heldSentence } from '../ready/lease-check.js';
import { cell, sections } from '../report/markdown.js';
import { milliseconds, type Milliseconds } from '../units.js';
import type { World } from '../world.js';
import { clean, cleanupSentence, isClean, wasCancelled, type CleanupDebt } from './cleaning.js';
import { readInputs } from './configuring.js';
import { connect, disconnect, endOwedSession, type Connection } from './connecting.js';
import { regainLease, releaseOwedLease } from './leasing.js';
import { removeTemplates, resume, type RestoringDebt } from './restoring.js';

/** A cancelled job gives all its post steps five minutes together. */
const AFTER_CANCEL_MS = 4 * 60_000;
/** How long post waits for a deployment that does not answer. */
const PATIENCE_MS = 3 * 60_000;
const ASK_AGAIN_AFTER = milliseconds(3000);

/** What main left in the user's own keys. */
export interface Marks {
  /** Of the lease that main has not released. */
  readonly lockId: string | undefined;
  /** Of the session that main has not ended. */
  readonly sessionId: string | undefined;
}

export const hasMarks = ({ lockId, sessionId }: Marks): boolean =>
  lockId !== undefined || sessionId !== undefined;

/** What main could not do any more. */
export interface Debts extends Marks {
  readonly cleanup: CleanupDebt | undefined;
  readonly restoring: RestoringDebt | undefined;
}

/**
 * What post does for a main that could not: what a suite has paused goes on first, since it concerns everybody; then the
 * clean-up, under the lease. Fails the step of post when anything is left.
 */
export async function restoreAfterMain(debts: Debts, world: World): Promise<void> {
  try {
    const inputs = await readInputs(world);
    const time = wasCancelled(world) ? AFTER_CANCEL_MS : inputs.maxDuration * 1000;
    const deadline = milliseconds(world.clock.monotonic() + time);
    await onceItAnswers(() => restore(debts, deadline, inputs, world), world);
  } catch (thrown) {
    fail(messageOf(thrown), world);
  }
}

/**
 * A deployment that is away for a moment, say because it is restarted or shows a page of its load balancer, is no reason
 * to leave everything there: main has found Coder at this address.
 */
async function onceItAnswers(work: () => Promise<void>, { clock, log, cancelled }: World): Promise<void> {
  const patience = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (thrown) {
      const isOver = cancelled.aborted || clock.monotonic() + ASK_AGAIN_AFTER >= patience;
      if (isOver || !(thrown instanceof ApiError) || !mayPass(thrown)) throw thrown;
      log.info(`The deployment is asked again, because ${thrown.message}`);
      await clock.sleep(ASK_AGAIN_AFTER, cancelled);
    }
  }
}

const mayPass = (error: ApiError): boolean => error.mayPass || error.kind === 'not-coder';

async function restore(
  { cleanup, restoring, ...marks }: Debts,
  deadline: Milliseconds,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const connection = await connect(inputs, world);
  try {
    const paused = restoring && (await resume(restoring, connection, world));
    const cleaned = cleanup && (await carryOutDebt(cleanup, deadline, connection, inputs, world));
    const templates = restoring && (await removeTemplates(restoring, connection, world));
    // The clean-up goes on with the lease, and releases it.
    await clearMarks(cleanup === undefined ? marks : { ...marks, lockId: undefined }, connection, world);
    await report(
      cleaned,
      [paused, templates].filter((problem) => problem !== undefined),
      world,
    );
  } finally {
    await disconnect(connection, world);
  }
}

interface Outcome {
  readonly isClean: boolean;
  readonly text: string;
}

async function report(
  cleaned: Outcome | undefined,
  problems: readonly string[],
  world: World,
): Promise<void> {
  const text = [...(cleaned ? [cleaned.text] : []), ...problems].join('. ');
  if (text !== '') await summarize(text, world);
  if (problems.length > 0 || cleaned?.isClean === false) fail(text, world);
  else if (text !== '') world.log.info(text);
}

/** What was removed is removed, whether or not it can be told there. */
async function summarize(text: string, { step, log }: World): Promise<void> {
  try {
    await step.writeSummary(sections(['### Clean-up after the scale test', cell(text)]));
  } catch (thrown) {
    log.warning(`the summary could not be written: ${messageOf(thrown)}`);
  }
}

async function carryOutDebt(
  debt: CleanupDebt,
  deadline: Milliseconds,
  connection: Connection,
  inputs: Inputs,
  world: World,
): Promise<Outcome> {
  const me = await connection.identity.api.me();
  const taken = await regainLease(connection, inputs, world);
  if ('heldBy' in taken) {
    // What is there since main began may be the other run's by now.
    const held = heldSentence(taken.heldBy, world.job.runUrl);
    return { isClean: false, text: `nothing was removed, because ${held}` };
  }
  const { lease } = taken;
  const request = {
    connection,
    scope: { since: new Date(debt.since), ownUserId: me.id },
    orphan: debt.orphan,
    queue: wasCancelled(world) ? 'hand-over' : 'short',
    deadline,
    signal: AbortSignal.any([world.cancelled, lease.lost]),
  } as const;
  const result = await clean(request, world).finally(() => lease.release());
  return { isClean: isClean(result), text: cleanupSentence(result) };
}

/** When nothing else is owed. What cannot be taken back ends by itself, so this fails nothing. */
export async function releaseAfterMain(marks: Marks, world: World): Promise<void> {
  if (!hasMarks(marks)) return;
  try {
    const inputs = await readInputs(world);
    await onceItAnswers(async () => {
      const connection = await connect(inputs, world);
      await clearMarks(marks, connection, world).finally(() => disconnect(connection, world));
    }, world);
  } catch (thrown) {
    world.log.warning(
      `what main left among its user's keys could not be taken back: ${messageOf(thrown)}. The lease ends by itself in five minutes, a session in a day`,
    );
  }
}

async function clearMarks({ lockId, sessionId }: Marks, connection: Connection, world: World): Promise<void> {
  if (sessionId !== undefined) await endOwedSession(sessionId, connection, world);
  if (lockId === undefined) return;
  await releaseOwedLease(lockId, connection, world);
  world.log.info('the lease of this run was released');
}

function fail(sentence: string, world: World): void {
  world.log.error(`${sentence}. Run the gate with "mode: cleanup" to remove what is left`, {
    title: 'Scale-test clean-up',
  });
  world.step.fail();
}
