import type { Effects, Phase } from './plan-types.js';
import { createStepsOf, dashboardStepOf, suiteStepsOf } from './steps.js';

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

/** How many users the gate or the suite create-workspaces makes; the CLI's other suites make theirs themselves. */
export function usersOfGate(phases: readonly Phase[]): number {
  const owners = createStepsOf({ phases }).filter(({ owner }) => owner === 'scaletest-users');
  return total(owners.map(({ count }) => count)) + (dashboardStepOf({ phases })?.usersWithoutWorkspace ?? 0);
}

/** What a run of these phases makes, and whom it disturbs. */
export function effectsOf(phases: readonly Phase[]): Effects {
  const suites = suiteStepsOf({ phases });
  const created = createStepsOf({ phases }).map(({ count }) => count);
  const users = usersOfGate(phases) + total(suites.map((step) => step.users));
  return {
    workspaces: total(created) + total(suites.map(({ workspaces }) => workspaces)),
    users,
    notificationsPerAdmin: 2 * users,
  };
}
