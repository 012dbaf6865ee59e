import { mkdir, rm } from 'node:fs/promises';
import { ApiError } from '../coder/http.js';
import type { DeploymentFacts } from '../coder/facts.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import type { Lease } from '../coder/held-lease.js';
import { isReady, ok, refused, type Check, type Readiness } from '../ready/readiness.js';
import { milliseconds } from '../units.js';
import type { World } from '../world.js';
import { cleanupSentence, clean, isClean, noteCancel } from './cleaning.js';
import { connect, disconnect, readFacts, type Connection } from './connecting.js';
import { runAndJudge } from './judging-run.js';
import { leaseFor, underLease } from './leasing.js';
import type { PlannedRun } from './planning.js';
import { makeReady, type ReadyStage } from './readying.js';
import { reportNotStarted, reportPlan, reportReadiness, setVerdict } from './reporting.js';
import { oweTidying, settleTidying } from './tidying.js';
import { oweUpload, planUpload, uploadEvidence } from './uploading.js';

/** Modes preflight, run and gate: everything after the plan. */
export async function checkAndRun(planned: PlannedRun, inputs: Inputs, world: World): Promise<void> {
  const { results } = planned;
  const upload = planUpload(inputs, results.path, world);
  oweUpload(upload, world);
  try {
    await mkdir(planned.rawDirectory, { mode: 0o700 });
    oweTidying(planned.rawDirectory, world);
    const connected = await untilCancelled(connectOrRefuse(inputs, world), world);
    if ('checks' in connected) {
      await refuse(connected, planned, world);
    } else {
      await withConnection(connected, planned, inputs, world).finally(() => disconnect(connected, world));
    }
  } finally {
    await rm(planned.rawDirectory, { recursive: true, force: true });
    settleTidying(world);
  }
  // A cancelled main has no time for it: then post uploads.
  if (upload !== undefined && !world.cancelled.aborted) await uploadEvidence(upload, world);
}

/** What comes before the load has nothing to end in order: a cancelled step, which has seconds, does not wait for it. */
function untilCancelled<T>(stage: Promise<T>, world: World): Promise<T> {
  const { cancelled } = world;
  return tellingOfCancel(world, () => {
    return new Promise((resolve, reject) => {
      const onCancel = (): void => {
        reject(new Error(messageOf(cancelled.reason)));
      };
      if (cancelled.aborted) onCancel();
      cancelled.addEventListener('abort', onCancel, { once: true });
      stage.then(resolve, reject).finally(() => cancelled.removeEventListener('abort', onCancel));
    });
  });
}

/** Tells of a cancel at once, since nobody knows how far a cancelled step comes; not of one after the verdict. */
async function tellingOfCancel<T>(world: World, work: () => Promise<T>): Promise<T> {
  const onCancel = (): void => {
    try {
      noteCancel(world);
      setVerdict('cancelled', 'the job was cancelled', world);
    } catch (thrown) {
      // The end of the run is told in any case, as far as it can be.
      world.log.debug(`the cancel could not be noted: ${messageOf(thrown)}`);
    }
  };
  if (world.cancelled.aborted) onCancel();
  world.cancelled.addEventListener('abort', onCancel, { once: true });
  try {
    return await work();
  } finally {
    world.cancelled.removeEventListener('abort', onCancel);
  }
}

async function connectOrRefuse(inputs: Inputs, world: World): Promise<Connection | Readiness> {
  try {
    return await connect(inputs, world);
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    return { schema: 1, checks: [refused('deployment', thrown.message)] };
  }
}

async function withConnection(
  connection: Connection,
  planned: PlannedRun,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const leased = await untilCancelled(leaseFor(inputs, connection, world), world);
  if ('held' in leased) {
    // Whatever else is found now is the other run's.
    const answers = ok('deployment', `Coder ${connection.server.versionText} answers`);
    await refuse({ schema: 1, checks: [answers, leased.held] }, planned, world);
    return;
  }
  const { lease, check, waited } = leased;
  const time = new Date(connection.server.time.getTime() + waited);
  const later = {
    connection: { ...connection, server: { ...connection.server, time } },
    planned: { ...planned, end: milliseconds(planned.end + waited) },
  };
  await underLease(lease, world, () =>
    tellingOfCancel(world, () => checkThenRun({ ...later, lease, check }, inputs, world)),
  );
}

interface Leasing {
  readonly connection: Connection;
  readonly planned: PlannedRun;
  readonly lease?: Lease | undefined;
  readonly check: Check;
}

async function checkThenRun(
  { connection, planned, lease, check }: Leasing,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const { results } = planned;
  let facts = await untilCancelled(readFacts(connection, planned.plan), world);
  world.step.setOutput('coder-version', connection.server.versionText);
  let ready = await untilCancelled(makeReady(planned.plan, facts, inputs, world), world);
  // Without an identity one reason is enough.
  if (facts.user.known) ready = withChecks(ready, [check]);
  await reportPlan(ready.plan, [], results, world);
  await reportReadiness(ready.readiness, results, world);
  if (lease !== undefined && isReady(ready.readiness) && hasLeftovers(facts)) {
    facts = await cleanFirst({ connection, facts, planned: { ...planned, plan: ready.plan }, lease }, world);
    if (!facts.leftovers.known)
      ready = withChecks(ready, [
        refused('leftovers', `the leftovers could not be removed: ${facts.leftovers.reason}`),
      ]);
  }
  if (lease === undefined || !isReady(ready.readiness)) {
    await reportNotStarted(ready.readiness, results, world);
    return;
  }
  world.cancelled.throwIfAborted();
  await runAndJudge({ ...planned, plan: ready.plan }, { connection, facts, ready, lease }, inputs, world);
}

const withChecks = (ready: ReadyStage, checks: readonly Check[]): ReadyStage => ({
  ...ready,
  readiness: { ...ready.readiness, checks: [...ready.readiness.checks, ...checks] },
});

/** Before anything was asked that only a run that may start wants to know. */
async function refuse(readiness: Readiness, { plan, results }: PlannedRun, world: World): Promise<void> {
  await reportPlan(plan, [], results, world);
  await reportReadiness(readiness, results, world);
  await reportNotStarted(readiness, results, world);
}

function hasLeftovers({ leftovers }: DeploymentFacts): boolean {
  return leftovers.known && leftovers.value.workspaces.length + leftovers.value.users.length > 0;
}

interface Cleaning {
  readonly connection: Connection;
  readonly facts: DeploymentFacts;
  readonly planned: PlannedRun;
  readonly lease: Lease;
}

/** `leftovers: clean`: removes what an earlier test left. */
async function cleanFirst(
  { connection, facts, planned, lease }: Cleaning,
  world: World,
): Promise<DeploymentFacts> {
  const ownUserId = facts.user.known ? facts.user.value.id : '';
  const result = await clean(
    {
      connection,
      scope: { ownUserId },
      orphan: planned.orphan,
      queue: 'short',
      deadline: milliseconds(planned.end - planned.plan.time.total * 1000),
      lease,
    },
    world,
  );
  world.log.info(`Leftovers of an earlier test: ${cleanupSentence(result)}`);
  const leftovers = isClean(result)
    ? ({ known: true, value: { workspaces: [], users: [] } } as const)
    : ({ known: false, reason: cleanupSentence(result) } as const);
  return { ...facts, leftovers };
}
