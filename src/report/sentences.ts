import { formatQuantity } from '../judge/format.js';
import { createStepsOf, dashboardStepOf, stepName } from '../plan/steps.js';
import { seconds } from '../units.js';
import { metricNamed, type RunReport } from './run-report.js';

const MOST_CAUSES = 3;

/** How much of the time the phases shared; undefined where none did. */
export function timeShared({
  steps,
  plan,
  load,
}: Pick<RunReport, 'steps' | 'plan' | 'load'>): string | undefined {
  const dashboard = dashboardStepOf(plan);
  if (dashboard === undefined || load === undefined || plan.phases.length < 2) return undefined;
  const took = (name: string): number => steps.find(({ group }) => group === name)?.seconds ?? 0;
  const apart = plan.phases.reduce((sum, phase) => {
    const own = phase.steps.map((step) => (step === dashboard ? dashboard.duration : took(stepName(step))));
    return sum + Math.max(0, ...own);
  }, 0);
  return `The phases took ${formatQuantity(load.lasted, 'seconds')}, since the virtual users were there from the first to the last; one suite after the other would have taken ${formatQuantity(seconds(apart), 'seconds')}.`;
}

/** Builds that had to be tried again, which the success rate hides; undefined when there were none. */
export function retriesNeeded({
  metrics,
  retries,
}: Pick<RunReport, 'metrics' | 'retries'>): string | undefined {
  if (retries === undefined) return undefined;
  const { workspaces, succeeded, causes } = retries;
  const first = metricNamed(metrics, 'create_workspaces.all.first_attempt_success_rate');
  const rate =
    first?.shape === 'ratio' && first.total > 0
      ? ` At the first attempt ${formatQuantity(first.good, 'count')} of ${formatQuantity(first.total, 'count')} succeeded (${formatQuantity(first.good / first.total, 'ratio')}).`
      : '';
  const why = causes.map(({ summary, count }) => `${summary} (${count})`).slice(0, MOST_CAUSES);
  const reasons = why.length === 0 ? '' : ` The builds before failed with: ${why.join('; ')}.`;
  return `The build of ${formatQuantity(workspaces, 'count')} ${workspaces === 1 ? 'workspace' : 'workspaces'} had to be tried again, and ${formatQuantity(succeeded, 'count')} of them succeeded then; the success rate does not show that.${rate}${reasons}`;
}

/** What was really shown of "so many at once". */
export function concurrencyShown({ metrics, plan }: Pick<RunReport, 'metrics' | 'plan'>): string | undefined {
  const peak = metricNamed(metrics, 'create_workspaces.all.peak_in_flight');
  if (peak?.shape !== 'count') return undefined;
  const planned = createStepsOf(plan).reduce((sum, { count }) => sum + count, 0);
  const shown = `At most ${formatQuantity(peak.value, 'count')} operations were in flight at once`;
  return peak.value >= planned
    ? `${shown}.`
    : `${shown}; ${formatQuantity(planned, 'count')} at once was not exercised.`;
}
