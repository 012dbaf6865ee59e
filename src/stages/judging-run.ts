import type { DeploymentFacts } from '../coder/facts.js';
import type { Lease } from '../coder/lease.js';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { judgeRun } from '../judge/judge.js';
import type { Verdict } from '../judge/verdict.js';
import { cleanupMetrics, CLEANUP_FILE } from '../measure/cleanup-metrics.js';
import type { Criterion } from '../plan/plan-types.js';
import type { CleanupReport, RunReport } from '../report/run-report.js';
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
  const since = new Date(facts.server.time.getTime() - CLOCK_MARGIN_MS);
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
  const stillPaused =
    debt === undefined || world.cancelled.aborted ? undefined : await resume(debt, connection, world);
  const measured = await measure(run, results, world);
  const judge = (criteria: readonly Criterion[], cleanup: MeasureStage['metrics']): Verdict =>
    judgeRun(criteria, [...measured.judgeable, ...cleanup], {
      problems: [
        ...measured.problems,
        ...(stillPaused === undefined ? [] : [stillPaused]),
        ...lostLease(lease),
      ],
      ...(world.cancelled.aborted && { cancelled: cancelSentence(planned, run, world) }),
    });
  // Mode run judges nothing but its own clean-up.
  const criteria = plan.criteria.filter(({ metric }) => inputs.mode !== 'run' || isAboutCleanup(metric));
  const withoutCleanup = criteria.filter(({ metric }) => !isAboutCleanup(metric));

  // Whether "on-success" cleans depends on all criteria, in mode run too.
  const first = judge(
    plan.criteria.filter(({ metric }) => !isAboutCleanup(metric)),
    [],
  );
  const cleaning = await cleanWhenDue(first, { planned, connection, scope, lease }, inputs, world);
  if (debt !== undefined && !world.cancelled.aborted) await restoreRest(debt, stillPaused, connection, world);
  const verdict =
    cleaning.metrics === undefined ? judge(withoutCleanup, []) : judge(criteria, cleaning.metrics);
  const metrics = [...measured.metrics, ...(cleaning.metrics ?? [])];
  await writeMetrics(metrics, results);
  await reportRun(
    runReport(planned, prepared, { ...measured, metrics }, verdict, cleaning.report, inputs),
    inputs,
    results,
    world,
  );
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

const isAboutCleanup = (metric: string): boolean => metric.startsWith('cleanup.');

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
        signal: AbortSignal.any([world.cancelled, lease.lost]),
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
  const after = minutes((world.clock.now().getTime() - planned.startedAt.getTime()) / 60_000);
  const of = minutes(planned.plan.time.total / 60);
  const exist =
    'unusable' in run.observation ? '' : `, ${run.observation.workspaces.length} workspaces exist`;
  return `the job was cancelled after ${after} of at most ${of} minutes${exist}`;
}

function runReport(
  planned: PlannedRun,
  { connection, ready }: Prepared,
  measured: MeasureStage,
  verdict: Verdict,
  cleanup: CleanupReport,
  inputs: Inputs,
): RunReport {
  // A clean-up that left something, or evidence that is worth nothing, is no evidence alone: it makes mode run red.
  const nothingWrong =
    verdict.verdict === 'pass' || (verdict.results.length === 0 && measured.problems.length === 0);
  const evidenceOnly = inputs.mode === 'run' && verdict.verdict !== 'cancelled' && nothingWrong;
  return {
    environment: connection.url,
    startedAt: planned.startedAt,
    plan: planned.plan,
    readiness: ready.readiness,
    metrics: measured.metrics,
    ...measured.time,
    steps: measured.steps,
    ...(measured.load && { load: measured.load }),
    server: measured.server,
    cleanup,
    verdict,
    resultsDirectory: planned.results.shown,
    evidenceOnly,
  };
}
