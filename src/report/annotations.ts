import type { Verdict } from '../judge/verdict.js';

/** GitHub keeps ten annotations of a kind a step: one for the verdict, nine for details. */
const MOST_DETAILS = 9;

export interface ReportAnnotation {
  readonly level: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
}

/** One error for the verdict, then at most nine details. */
export function annotationsOf(
  verdict: Verdict,
  onInconclusive: 'fail' | 'warn',
): readonly ReportAnnotation[] {
  if (verdict.verdict === 'pass') return warnings(verdict);
  const level = verdict.verdict === 'inconclusive' && onInconclusive === 'warn' ? 'warning' : 'error';
  const details = verdict.results
    .filter(
      ({ verdict: one, criterion }) =>
        !criterion.informational && (one === 'fail' || one === 'error' || one === 'inconclusive'),
    )
    .slice(0, MOST_DETAILS)
    .map((result): ReportAnnotation => ({
      level,
      title: `${result.criterion.id}: ${result.verdict}`,
      message: `${result.criterion.title}: ${result.sentence}`,
    }));
  return [{ level, title: `Scale test: ${verdict.verdict}`, message: verdict.reason }, ...details];
}

function warnings(verdict: Verdict): readonly ReportAnnotation[] {
  return verdict.results
    .filter((result) => result.verdict === 'warn')
    .slice(0, MOST_DETAILS)
    .map((result) => ({
      level: 'warning',
      title: `${result.criterion.id}: warn`,
      message: `${result.criterion.title}: ${result.sentence}`,
    }));
}
