import type { Criterion } from '../plan/plan-types.js';

/** A number that was compared, with the uncertainty that was considered. */
export type Observed =
  | {
      readonly kind: 'quantile';
      readonly value: number;
      readonly n: number;
      readonly rank: number;
      /** One-sided 95 % bounds; together the two-sided 90 % interval. */
      readonly lower?: number;
      readonly upper?: number;
    }
  | {
      readonly kind: 'ratio';
      readonly value: number;
      readonly good: number;
      readonly n: number;
      readonly lower: number;
      readonly upper: number;
    }
  | { readonly kind: 'number'; readonly value: number; readonly n?: number }
  | {
      /** A value of which only its bucket is known: above `above` and at most `upTo`, which is absent above the last bound. */
      readonly kind: 'bucket';
      readonly above: number;
      readonly upTo?: number;
      readonly n: number;
    };

export type CriterionVerdict =
  | {
      readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'warn';
      readonly observed: Observed;
      readonly sentence: string;
    }
  | { readonly verdict: 'error'; readonly sentence: string }
  | { readonly verdict: 'disabled'; readonly sentence: string }
  /** Nothing on this deployment shows what it asks for, and it is judged only where something does. */
  | { readonly verdict: 'skipped'; readonly sentence: string };

export type CriterionResult = CriterionVerdict & { readonly criterion: Criterion };

export type GateVerdict = 'pass' | 'fail' | 'inconclusive' | 'error' | 'cancelled';

export interface Verdict {
  readonly schema: 1;
  readonly verdict: GateVerdict;
  /** One sentence. */
  readonly reason: string;
  readonly results: readonly CriterionResult[];
  readonly failedCriteria: readonly string[];
  readonly inconclusiveCriteria: readonly string[];
}

/** The verdict of all criteria. A cancelled job is `cancelled`; else any fail, any error, any inconclusive, else pass. */
export function decide(
  results: readonly CriterionResult[],
  problems: readonly string[],
  cancelled?: string,
): Verdict {
  const deciding = results.filter(({ criterion }) => !criterion.informational);
  const of = (...verdicts: CriterionResult['verdict'][]): CriterionResult[] =>
    deciding.filter(({ verdict }) => verdicts.includes(verdict));
  const failed = of('fail');
  const errors = of('error');
  const inconclusive = of('inconclusive');
  const judged = of('pass', 'warn');
  const base = {
    schema: 1,
    results,
    failedCriteria: failed.map(({ criterion }) => criterion.id),
    inconclusiveCriteria: inconclusive.map(({ criterion }) => criterion.id),
  } as const;
  if (cancelled !== undefined) return { ...base, verdict: 'cancelled', reason: cancelled };
  if (failed.length > 0) return { ...base, verdict: 'fail', reason: reasonOf(failed, 'failed') };
  if (problems[0] !== undefined) return { ...base, verdict: 'error', reason: problems[0] };
  if (errors[0] !== undefined)
    return {
      ...base,
      verdict: 'error',
      reason: `${name(errors[0])} could not be judged: ${errors[0].sentence}`,
    };
  if (inconclusive.length > 0)
    return { ...base, verdict: 'inconclusive', reason: reasonOf(inconclusive, 'could not be decided') };
  // Nothing that was judged is nothing that was shown.
  if (judged.length === 0) return { ...base, verdict: 'error', reason: 'no criterion was judged' };
  return { ...base, verdict: 'pass', reason: `all ${judged.length} criteria passed` };
}

function reasonOf(results: readonly CriterionResult[], what: string): string {
  const [first] = results;
  if (first === undefined) return what;
  const others = results.length > 1 ? `, and ${results.length - 1} more ${what}` : '';
  return `${name(first)} ${what}: ${first.sentence}${others}`;
}

const name = ({ criterion }: CriterionResult): string =>
  criterion.requirement === undefined || criterion.id.includes(criterion.requirement)
    ? criterion.id
    : `${criterion.requirement} (${criterion.id})`;
