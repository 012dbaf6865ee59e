import { mkdir, rm } from 'node:fs/promises';
import { ApiError } from '../coder/http.js';
import type { DeploymentFacts } from '../coder/facts.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { isReady, refused, type Readiness } from '../ready/readiness.js';
import { milliseconds } from '../units.js';
import type { World } from '../world.js';
import { cleanupSentence, clean, isClean, noteCancel } from './cleaning.js';
import { connect, disconnect, readFacts, type Connection } from './connecting.js';
import { runAndJudge } from './judging-run.js';
import type { PlannedRun } from './planning.js';
import { makeReady, type ReadyStage } from './readying.js';
import { reportNotStarted, reportPlan, reportReadiness, setVerdict } from './reporting.js';
import { oweTidying, settleTidying } from './tidying.js';
import { oweUpload, planUpload, uploadEvidence } from './uploading.js';

/** Modes preflight, run and gate: everything after the plan. */
export async function checkAndRun(planned: PlannedRun, inputs: Inputs, world: World): Promise<void> {
  const { results } = planned;
  const upload = planUpload(inputs, results.path, world);
  // At once, since nobody knows how far a cancelled step comes.
  const onCancel = (): void => {
    noteCancel(world);
    setVerdict('cancelled', 'the job was cancelled', world);
  };
  world.cancelled.addEventListener('abort', onCancel, { once: true });
  oweUpload(upload, world);
  try {
    await mkdir(planned.rawDirectory, { mode: 0o700 });
    oweTidying(planned.rawDirectory, world);
    const connected = await untilCancelled(connectOrRefuse(inputs, world), world.cancelled);
    if ('checks' in connected) {
      await reportPlan(planned.plan, [], results, world);
      await reportReadiness(connected, results, world);
      await reportNotStarted(connected, results, world);
    } else {
      await withConnection(connected, planned, inputs, world).finally(() => disconnect(connected, world));
    }
  } finally {
    world.cancelled.removeEventListener('abort', onCancel);
    await rm(planned.rawDirectory, { recursive: true, force: true });
    settleTidying(world);
  }
  // A cancelled main has no time for it: then post uploads.
  if (upload !== undefined && !world.cancelled.aborted) await uploadEvidence(upload, world);
}

/** What comes before the load has nothing to end in order: a cancelled step, which has seconds, does not wait for it. */
function untilCancelled<T>(stage: Promise<T>, cancelled: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onCancel = (): void => {
      reject(new Error(messageOf(cancelled.reason)));
    };
    if (cancelled.aborted) onCancel();
    cancelled.addEventListener('abort', onCancel, { once: true });
    stage.then(resolve, reject).finally(() => cancelled.removeEventListener('abort', onCancel));
  });
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
  const { results } = planned;
  let facts = await untilCancelled(readFacts(connection, planned.plan), world.cancelled);
  world.step.setOutput('coder-version', connection.server.versionText);
  let ready = await untilCancelled(makeReady(planned.plan, facts, inputs, world), world.cancelled);
  await reportPlan(ready.plan, [], results, world);
  await reportReadiness(ready.readiness, results, world);
  if (inputs.mode !== 'preflight' && isReady(ready.readiness) && hasLeftovers(facts)) {
    facts = await cleanFirst(connection, facts, { ...planned, plan: ready.plan }, world);
    ready = { ...ready, readiness: withoutLeftovers(ready, facts) };
  }
  if (inputs.mode === 'preflight' || !isReady(ready.readiness)) {
    await reportNotStarted(ready.readiness, results, world);
    return;
  }
  world.cancelled.throwIfAborted();
  await runAndJudge({ ...planned, plan: ready.plan }, { connection, facts, ready }, inputs, world);
}

function hasLeftovers({ leftovers }: DeploymentFacts): boolean {
  return leftovers.known && leftovers.value.workspaces.length + leftovers.value.users.length > 0;
}

/** `leftovers: clean`: removes what an earlier test left. */
async function cleanFirst(
  connection: Connection,
  facts: DeploymentFacts,
  planned: PlannedRun,
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
      signal: world.cancelled,
    },
    world,
  );
  world.log.info(`Leftovers of an earlier test: ${cleanupSentence(result)}`);
  const leftovers = isClean(result)
    ? ({ known: true, value: { workspaces: [], users: [] } } as const)
    : ({ known: false, reason: cleanupSentence(result) } as const);
  return { ...facts, leftovers };
}

function withoutLeftovers(ready: ReadyStage, facts: DeploymentFacts): Readiness {
  if (facts.leftovers.known) return ready.readiness;
  return {
    ...ready.readiness,
    checks: [
      ...ready.readiness.checks,
      refused('leftovers', `the leftovers could not be removed: ${facts.leftovers.reason}`),
    ],
  };
}
