import { breachBy } from '../judge/early-end.js';
import { applicableCriteria, isAboutCleanup, judgeRun } from '../judge/judge.js';
import type { Criterion } from '../plan/plan-types.js';
import type { RunReport } from '../report/run-report.js';
import type { RecordedRun } from './recorded-run.js';

/** What a run left on record, as it was read or is about to be written. */
export type RunOnRecord = Omit<RecordedRun, 'files'>;

/** The verdict and everything that is reported of a run, by its criteria. */
export function judgedReport(record: RunOnRecord): RunReport {
  return reportBy(applicableCriteria(record.plan.criteria, record.metrics), record);
}

/** The report of mode run, which judges nothing but its own clean-up, and what ended it early. */
export function evidenceReport(record: RunOnRecord): RunReport {
  const { endedEarly } = record.account;
  const criteria = applicableCriteria(record.plan.criteria, record.metrics).filter(
    // What ended the load shows the most that there is to see.
    (criterion) => isAboutCleanup(criterion) || (endedEarly && breachBy(criterion, endedEarly)) !== undefined,
  );
  const report = reportBy(criteria, record);
  const { verdict } = report;
  // A clean-up that left something, or evidence that is worth nothing, is no evidence alone: it makes mode run red.
  const nothingWrong =
    verdict.verdict === 'pass' || (verdict.results.length === 0 && record.account.problems.length === 0);
  return { ...report, evidenceOnly: verdict.verdict !== 'cancelled' && nothingWrong };
}

function reportBy(
  criteria: readonly Criterion[],
  { plan, readiness, metrics, account }: RunOnRecord,
): RunReport {
  const { environment, resultsDirectory, startedAt, timeShares, timingsUnread, retries } = account;
  const { steps, load, server, cleanup, endedEarly } = account;
  return {
    environment,
    startedAt: new Date(startedAt),
    plan,
    readiness,
    metrics,
    timeShares,
    ...(timingsUnread && { timingsUnread }),
    ...(retries && { retries }),
    steps,
    ...(load && { load }),
    ...(server && { server }),
    ...(cleanup && { cleanup }),
    ...(endedEarly && { endedEarly }),
    verdict: judgeRun(criteria, metrics, account),
    resultsDirectory,
    evidenceOnly: false,
  };
}
