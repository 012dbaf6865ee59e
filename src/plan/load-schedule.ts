import { placeholdersOf, withoutRoutes, withoutWorkspaces, type Mix, type Route } from '../load/mix.js';
import { dashboardMix } from '../load/mix-data.js';
import {
  routesOfProbe,
  routesOfVisits,
  scheduleProbe,
  scheduleVisits,
  type Schedule,
} from '../load/schedule.js';
import { seconds, toMilliseconds, type Seconds } from '../units.js';
import type { DashboardStep, Plan } from './plan-types.js';
import { stepCeiling } from './time.js';

/** What the virtual users of a step do at which times. `longest`: as far as they may be needed. */
export function scheduleOf(step: DashboardStep, longest: Seconds = step.duration): Schedule {
  const { users, seed, work } = step;
  const times = { users, seed, duration: toMilliseconds(step.duration), longest: toMilliseconds(longest) };
  if (work.kind === 'probe') return scheduleProbe({ ...times, routes: work.routes, rate: work.rate });
  const mix = mixKnownTo(work.unknownRoutes);
  // Pages of a workspace are visited only by those who have one.
  const others = { users: step.usersWithoutWorkspace, mix: withoutWorkspaces(mix) };
  return others.users === users
    ? scheduleVisits({ ...times, mix: others.mix })
    : scheduleVisits({ ...times, mix, others });
}

/** The routes of a step, without drawing its calls: of hours these are very many. */
export const routesOf = ({ work }: DashboardStep): readonly Route[] =>
  work.kind === 'probe' ? routesOfProbe(work.routes) : routesOfVisits(mixKnownTo(work.unknownRoutes));

const mixKnownTo = (unknownRoutes: readonly string[]): Mix =>
  withoutRoutes(dashboardMix, new Set(unknownRoutes));

/** As long as the phases may take in all: the load goes on until the last one has ended. */
export function longestLoad({ phases }: Pick<Plan, 'phases'>): Seconds {
  return seconds(phases.reduce((sum, { steps }) => sum + Math.max(0, ...steps.map(stepCeiling)), 0));
}

/** Before the load there is a template to ask for, but no workspace, build or agent. */
const KNOWN_BEFORE: readonly string[] = ['template', 'templateVersion'];

/** Routes of the mix which a server can be asked for before the load, to see whether it knows them. */
export function routesToAsk({ work }: DashboardStep): readonly Route[] {
  if (work.kind === 'probe') return [];
  return dashboardMix.routes.filter(
    ({ pattern }) =>
      pattern.startsWith('/api/') && placeholdersOf(pattern).every((name) => KNOWN_BEFORE.includes(name)),
  );
}
