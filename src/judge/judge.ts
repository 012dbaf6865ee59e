import type { Metric } from '../measure/metric.js';
import type { Criterion } from '../plan/plan-types.js';
import { judgeCriterion } from './criterion.js';
import { breachBy, earlyEndSentence, isCutOff, type EarlyEnd } from './early-end.js';
import { decide, type CriterionResult, type Verdict } from './verdict.js';

/** What happened beside the numbers. */
export interface Circumstances {
  /** What makes the whole run worthless, whatever the criteria say: a sentence each. */
  readonly problems: readonly string[];
  /** Metrics that show a part of a load only, so that no criterion is judged by them, and why. */
  readonly withheld?: Readonly<Record<string, string>>;
  /** The sentence of a cancelled job. */
  readonly cancelled?: string;
  /** The load was ended by criteria that it could not meet any more. */
  readonly endedEarly?: EarlyEnd;
}

/** From metrics and criteria to the verdict. */
export function judgeRun(
  criteria: readonly Criterion[],
  metrics: readonly Metric[],
  { problems, withheld = {}, cancelled, endedEarly }: Circumstances,
): Verdict {
  // What a cancelled run shows is a part of the load, which no criterion is about.
  if (cancelled !== undefined) return decide([], [], cancelled);
  const byName = new Map(
    metrics.map((metric): [string, Metric] => {
      const reason = withheld[metric.name];
      return [metric.name, reason === undefined ? metric : { name: metric.name, shape: 'missing', reason }];
    }),
  );
  const results = criteria.map((criterion) => judgeCriterion(criterion, byName));
  return endedEarly === undefined
    ? decide(results, problems)
    : decide(
        results.map((result) => afterEarlyEnd(result, endedEarly)),
        [...problems, earlyEndSentence(endedEarly)],
      );
}

/** What ended the load failed; what was cut off by it shows a part of the load, by which nothing is decided. */
function afterEarlyEnd(result: CriterionResult, end: EarlyEnd): CriterionResult {
  const { criterion } = result;
  const breach = breachBy(criterion, end);
  if (breach !== undefined) {
    const { observed, sentence } = breach;
    return { criterion, verdict: 'fail', observed, sentence: `${sentence}; ${earlyEndSentence(end)}` };
  }
  if (!('observed' in result) || !isCutOff(criterion.metric, end)) return result;
  return {
    criterion,
    verdict: 'error',
    sentence: `${result.sentence}; but ${earlyEndSentence(end)}, so this is only a part of it`,
  };
}

export const isAboutCleanup = ({ metric }: Pick<Criterion, 'metric'>): boolean =>
  metric.startsWith('cleanup.');

/** The criteria of a run, without those about a clean-up that did not run before it was judged. */
export function applicableCriteria(
  criteria: readonly Criterion[],
  metrics: readonly Metric[],
): readonly Criterion[] {
  const isCleaned = metrics.some(({ name }) => isAboutCleanup({ metric: name }));
  return criteria.filter((criterion) => isCleaned || !isAboutCleanup(criterion));
}
