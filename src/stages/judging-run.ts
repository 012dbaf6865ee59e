import type { DeploymentFacts } from '../coder/facts.js';
import type { Lease } from '../coder/held-lease.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { applicableCriteria, judgeRun } from '../judge/judge.js';
import type { Verdict } from '../judge/verdict.js';
import { cleanupMetrics, CLEANUP_FILE } from '../measure/cleanup-metrics.js';
import { evidenceReport, judgedReport, type RunOnRecord } from '../record/judged-report.js';
import { RUN_FILE, type RunAccount } from '../record/run-account.js';
import type { CleanupReport } from '../report/run-report.js';
import { milliseconds, seconds } from '../units.js';
import type { World } from '../world.js';
import {
  clean,
  cleanupSentence,
  isClean,
  observationOf,
  oweCleanup,
  reportOf,
  settleCleanup,
} from './cleaning.js';
import type { Connection } from './connecting.js';
import { loadNetwork } from './load-network.js';
import { measure, writeMetrics, type MeasureStage } from './measuring.js';
import type { PlannedRun } from './planning.js';
import type { ReadyStage } from './readying.js';
import { reportRun } from './reporting.js';
import {
  oweRestoring,
  removeTemplates,
  restoringDebt,
  resume,
  settleRestoring,
  type RestoringDebt,
} from './restoring.js';
import { carryOut, type RunScope, type RunStage } from './running.js';

/** Time that is kept for reading the builds and reporting. */
const REPORTING_MS = 4 * 60_000;

/**
 * READY saw that nothing of a scale test was there, so all that is there later is this run's. The moment from which on
 * is only a second fence, and a proxy's clock may be ahead of the server's.
 */
const CLOCK_MARGIN_MS = 5 * 60_000;

interface Prepared {
  readonly connection: Connection;
  readonly facts: DeploymentFacts;
  readonly ready: ReadyStage;
  readonly lease: Lease;
}

/** Run, measure, clean up, judge, report. */
export async function runAndJudge(
  planned: PlannedRun,
  prepared: Prepared,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const { plan, results } = planned;
  const { connection, facts, ready, lease } = prepared;
  // The lock is a thing of the deployment too, so its age is by the clock that everything else's is by.
  const startedAt = Math.min(facts.server.time.getTime(), lease.since?.getTime() ?? Infinity);
  const since = new Date(startedAt - CLOCK_MARGIN_MS);
  const scope: RunScope = { since, ownUserId: facts.user.known ? facts.user.value.id : '' };
  if (inputs.cleanup === 'always') oweCleanup({ since: since.toISOString(), orphan: planned.orphan }, world);

  const { templates } = facts;
  const debt = restoringDebt(plan, templates.known ? templates.value : [], inputs.cleanup === 'always');
  if (debt !== undefined) oweRestoring(debt, world);

  const run = await carryOut(
    {
      plan,
      readiness: ready.readiness,
      facts,
      connection,
      ...(ready.cli && { cli: ready.cli }),
      scope,
      rawDirectory: planned.rawDirectory,
      evidenceDirectory: results.evidence,
      metricsPages: inputs.metricsPages,
      network: await loadNetwork(inputs, planned, world),
      deadline: milliseconds(planned.end - plan.time.cleanup * 1000 - REPORTING_MS),
    },
    world,
  );
  await lease.check(world.cancelled);
  // A cancelled run has seconds; then post restores.
  const mayUndo = (): boolean => !world.cancelled.aborted && !lease.lost.aborted;
  const stillPaused = debt !== undefined && mayUndo() ? await resume(debt, connection, world) : undefined;
  const measured = await measure(run, results, world);
  // Asked again after the clean-up: until then the job may be cancelled, or the lease lost.
  const account = (): RunAccount => ({
    ...accountOf(planned, connection, inputs, measured),
    problems: [
      ...measured.problems,
      ...(stillPaused === undefined ? [] : [stillPaused]),
      ...lostLease(lease),
    ],
    ...(world.cancelled.aborted && { cancelled: cancelSentence(planned, run, world) }),
    ...(run.endedEarly && { endedEarly: run.endedEarly }),
  });
  // Whether "on-success" cleans depends on all criteria, in mode run too.
  const first = judgeRun(applicableCriteria(plan.criteria, measured.metrics), measured.metrics, account());
  const cleaning = await cleanWhenDue(first, { planned, connection, scope, lease }, inputs, world);
  if (debt !== undefined && mayUndo()) await restoreRest(debt, stillPaused, connection, world);
  const record: RunOnRecord = {
    plan,
    readiness: ready.readiness,
    metrics: [...measured.metrics, ...(cleaning.metrics ?? [])],
    account: { ...account(), cleanup: cleaning.report },
  };
  await writeMetrics(record.metrics, results);
  await results.writeJson(RUN_FILE, record.account);
  const report = inputs.mode === 'run' ? evidenceReport(record) : judgedReport(record);
  await reportRun(report, inputs, results, world);
}

/** What is not undone here stays for post to try again. */
async function restoreRest(
  debt: RestoringDebt,
  stillPaused: string | undefined,
  connection: Connection,
  world: World,
): Promise<void> {
  const left = await removeTemplates(debt, connection, world);
  if (left !== undefined) world.log.warning(left, { title: 'Scale-test clean-up' });
  if (left === undefined && stillPaused === undefined) settleRestoring(world);
}

interface Cleaned {
  /** Undefined when clean-up did not run in main: then it is not judged. */
  readonly metrics?: MeasureStage['metrics'];
  readonly report: CleanupReport;
}

interface CleaningContext {
  readonly planned: PlannedRun;
  readonly connection: Connection;
  readonly scope: RunScope;
  readonly lease: Lease;
}

async function cleanWhenDue(
  verdict: Verdict,
  { planned, connection, scope, lease }: CleaningContext,
  inputs: Inputs,
  world: World,
): Promise<Cleaned> {
  const skipped = whyNotCleaned(verdict, lease, inputs, world);
  if (skipped !== undefined) return { report: notCleaned(skipped) };
  // What is begun here is finished by post, also with "on-success".
  oweCleanup({ since: scope.since.toISOString(), orphan: planned.orphan }, world);
  try {
    const result = await clean(
      {
        connection,
        scope,
        orphan: planned.orphan,
        queue: 'short',
        deadline: planned.end,
        lease,
      },
      world,
    );
    await planned.results.writeJson(CLEANUP_FILE, { schema: 1, ...result });
    world.log.info(`Clean-up: ${cleanupSentence(result)}`);
    if (isClean(result)) settleCleanup(world);
    return { metrics: cleanupMetrics(observationOf(result)), report: reportOf(result) };
  } catch (thrown) {
    if (lease.lost.aborted) return { report: notCleaned(nothingRemoved(lease)) };
    if (!world.cancelled.aborted) throw thrown;
    return { report: notCleaned('The job was cancelled during the clean-up; post goes on with it.') };
  }
}

/** Another test may have run at the same time, so the numbers are nobody's. */
const lostLease = ({ lost }: Lease): readonly string[] =>
  lost.aborted ? [`${messageOf(lost.reason)}, so what was measured may be another test's`] : [];

/** What is there since the start may be the other run's. */
const nothingRemoved = ({ lost }: Lease): string =>
  `Nothing more is removed, because ${messageOf(lost.reason)}. Use mode "cleanup" when no test is running.`;

function whyNotCleaned(verdict: Verdict, lease: Lease, inputs: Inputs, world: World): string | undefined {
  if (world.cancelled.aborted)
    return inputs.cleanup === 'always'
      ? 'The job was cancelled; post cleans up.'
      : `Nothing was removed (cleanup: ${inputs.cleanup}).`;
  if (lease.lost.aborted) return nothingRemoved(lease);
  if (inputs.cleanup === 'never')
    return 'Nothing was removed (cleanup: never). Use mode "cleanup" when you are done.';
  if (inputs.cleanup === 'on-success' && verdict.verdict !== 'pass') {
    return 'Nothing was removed, because not everything passed (cleanup: on-success). Use mode "cleanup" when you are done.';
  }
  return undefined;
}

const notCleaned = (skipped: string): CleanupReport => ({
  workspaces: 0,
  users: 0,
  seconds: seconds(0),
  leftovers: [],
  skipped,
});

function cancelSentence(planned: PlannedRun, run: RunStage, world: World): string {
  const minutes = (value: number): string => String(Math.max(1, Math.round(value)));
  const after = minutes((world.clock.monotonic() - planned.began) / 60_000);
  const of = minutes(planned.plan.time.total / 60);
  const exist =
    'unusable' in run.observation ? '' : `, ${run.observation.workspaces.length} workspaces exist`;
  return `the job was cancelled after ${after} of at most ${of} minutes${exist}`;
}

function accountOf(
  planned: PlannedRun,
  connection: Connection,
  inputs: Inputs,
  { withheld, time, steps, load, server }: MeasureStage,
): Omit<RunAccount, 'problems'> {
  return {
    schema: 1,
    mode: inputs.mode === 'run' ? 'run' : 'gate',
    environment: connection.url,
    startedAt: planned.startedAt.toISOString(),
    resultsDirectory: planned.results.shown,
    withheld,
    steps,
    ...time,
    ...(load && { load }),
    server,
  };
}
