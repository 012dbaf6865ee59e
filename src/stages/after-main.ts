import type { Lease } from '../coder/held-lease.js';
import { ApiError } from '../coder/http.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { cell, sections } from '../report/markdown.js';
import { timeLimit } from '../time-limit.js';
import { milliseconds, type Milliseconds } from '../units.js';
import type { World } from '../world.js';
import { clean, cleanupSentence, isClean, wasCancelled, type CleanupDebt } from './cleaning.js';
import { readInputs } from './configuring.js';
import { connect, disconnect, endOwedSession, type Connection } from './connecting.js';
import { regainLease, releaseOwedLease } from './leasing.js';
import { removeTemplates, resume, type RestoringDebt } from './restoring.js';

/** A cancelled job gives all its post steps five minutes together. */
const AFTER_CANCEL_MS = 3.5 * 60_000;
/** Beyond that, to look what is left and to say so. */
const LAST_LOOK_MS = 30_000;
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
 * What post does for a main that could not, all of it under the lease: what a suite has paused goes on first, since it
 * concerns everybody; then the clean-up. Fails the step of post when anything is left.
 */
export async function restoreAfterMain(debts: Debts, world: World): Promise<void> {
  try {
    const inputs = await readInputs(world);
    const time = wasCancelled(world) ? AFTER_CANCEL_MS : inputs.maxDuration * 1000;
    const deadline = milliseconds(world.clock.monotonic() + time);
    await within(
      time + LAST_LOOK_MS,
      (limited) => onceItAnswers(() => restore(debts, deadline, inputs, limited), limited),
      world,
    );
  } catch (thrown) {
    fail(messageOf(thrown), world);
  }
}

/** Calls that hang must not take longer than the runner gives post: one that is killed cannot say what it left. */
async function within(time: number, work: (limited: World) => Promise<void>, world: World): Promise<void> {
  const timeout = timeLimit(milliseconds(time));
  const over = new Promise<never>((_, reject) => {
    timeout.addEventListener('abort', () => {
      reject(
        new Error(`the deployment did not answer in time: after ${time / 1000} s the clean-up is not done`),
      );
    });
  });
  await Promise.race([work({ ...world, cancelled: AbortSignal.any([world.cancelled, timeout]) }), over]);
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

/** A page may stand there for a moment; who is refused by what is in front of Coder stays refused. */
const mayPass = ({ mayPass: isBusy, kind, status = 0 }: ApiError): boolean =>
  isBusy || (kind === 'not-coder' && status < 400);

async function restore(
  { cleanup, restoring, sessionId }: Debts,
  deadline: Milliseconds,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const connection = await connect(inputs, world);
  try {
    if (sessionId !== undefined) await endOwedSession(sessionId, connection, world);
    // Before the lease: what throws after it was released would be tried again without it.
    const { id: ownUserId } = await connection.identity.api.me(world.cancelled);
    const regained = await regainLease(connection, inputs, world);
    if ('refused' in regained) {
      // What is there since main began may be the other run's by now.
      await report({ isClean: false, text: `nothing was removed, because ${regained.refused}` }, [], world);
      return;
    }
    const { lease } = regained;
    await undo({ cleanup, restoring, deadline }, { connection, lease, ownUserId }, world).finally(() =>
      lease.release(),
    );
  } finally {
    await disconnect(connection, world);
  }
}

interface Undoing {
  readonly connection: Connection;
  readonly lease: Lease;
  readonly ownUserId: string;
}

async function undo(
  { cleanup, restoring, deadline }: Pick<Debts, 'cleanup' | 'restoring'> & { deadline: Milliseconds },
  { connection, lease, ownUserId }: Undoing,
  world: World,
): Promise<void> {
  const paused = restoring && (await resume(restoring, connection, world));
  const cleaned =
    cleanup &&
    (await clean(
      {
        connection,
        scope: { since: new Date(cleanup.since), ownUserId },
        orphan: cleanup.orphan,
        queue: wasCancelled(world) ? 'hand-over' : 'short',
        deadline,
        lease,
      },
      world,
    ));
  const templates = restoring && (await removeTemplates(restoring, connection, world));
  await report(
    cleaned && { isClean: isClean(cleaned), text: cleanupSentence(cleaned) },
    [paused, templates].filter((problem) => problem !== undefined),
    world,
  );
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
