import { formatQuantity } from '../judge/format.js';
import type { StageName, TimeShare } from '../measure/stages.js';
import { createStepsOf, dashboardStepOf, stepName } from '../plan/steps.js';
import { seconds } from '../units.js';
import { metricNamed, type RunReport } from './run-report.js';

const STAGE_TEXT: Readonly<Record<StageName, string>> = {
  queue: 'waiting for a provisioner',
  build: 'the build itself',
  agent: 'waiting for the agent to connect',
};

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Where the time of the slowest workspaces went, in one sentence; undefined when nothing was built. */
export function whereTheTimeWent({ timeShares }: Pick<RunReport, 'timeShares'>): string | undefined {
  if (timeShares.length === 0) return undefined;
  return `${timeShares.map(describe).join('; ')} (by the server's clock, in the slowest 5 %).`;
}

function describe({ group, shares }: TimeShare): string {
  const ranked = (['queue', 'build', 'agent'] as const)
    .map((stage) => ({ stage, share: shares[stage] }))
    .sort((a, b) => b.share - a.share);
  const [largest, ...others] = ranked;
  if (largest === undefined) return group;
  const rest = others
    .filter(({ share }) => share >= 0.005)
    .map(({ stage, share }) => `${percent(share)} ${STAGE_TEXT[stage]}`);
  return `${group}: ${percent(largest.share)} of the time was ${STAGE_TEXT[largest.stage]}${rest.length > 0 ? `, ${rest.join(', ')}` : ''}`;
}

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
export function retriesNeeded({ metrics }: Pick<RunReport, 'metrics'>): string | undefined {
  const first = metricNamed(metrics, 'create_workspaces.all.first_attempt_success_rate');
  const final = metricNamed(metrics, 'create_workspaces.all.success_rate');
  if (first?.shape !== 'ratio' || final?.shape !== 'ratio' || first.good >= final.good) return undefined;
  return `${final.good - first.good} of ${final.good} workspaces succeeded only after their build was tried again.`;
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
