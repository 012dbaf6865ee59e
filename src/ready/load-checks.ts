import type { DeploymentFacts } from '../coder/facts.js';
import { isAtLeast } from '../coder/version.js';
import { planRates } from '../load/rate-plan.js';
import { longestLoad, scheduleOf } from '../plan/load-schedule.js';
import type { Plan } from '../plan/plan-types.js';
import { createStepsOf, dashboardStepOf } from '../plan/steps.js';
import type { CheckContext } from './checks.js';
import { ok, refused, warned, type Check } from './readiness.js';

/** The gate's own calls to the list of workspaces, a minute: progress and the search for new owners. */
const PROGRESS_CALLS_PER_GROUP = 48;
const SEARCH_CALLS = 30;

/** Whether the deployment can take the load of virtual users; nothing where none are planned. */
export function loadChecks({ facts, plan }: CheckContext): readonly Check[] {
  const step = dashboardStepOf(plan);
  if (step === undefined) return [];
  return [rateCheck(facts, plan), ...routeCheck(facts, plan)];
}

function rateCheck(facts: DeploymentFacts, plan: Plan): Check {
  const name = 'API load and rate limits';
  const step = dashboardStepOf(plan);
  const { rateLimit, server } = facts;
  if (!rateLimit.known || step === undefined)
    return warned(
      name,
      `whether the API load stays below the rate limit could not be checked: ${rateLimit.known ? 'there is none' : rateLimit.reason}`,
    );
  if (rateLimit.value.off) return ok(name, 'rate limits are off');
  const perUser = server.version === undefined || isAtLeast(server.version, 2, 32);
  const { perMinute } = rateLimit.value;
  const own = createStepsOf(plan).length * PROGRESS_CALLS_PER_GROUP + SEARCH_CALLS;
  const { paths, refusal } = planRates(scheduleOf(step, longestLoad(plan)), {
    perMinute,
    perUser,
    // Since v2.32 the owner's calls have a bucket of their own.
    ...(!perUser && { others: { '/api/v2/workspaces': own } }),
  });
  if (refusal !== undefined) return refused(name, refusal);
  const [busiest] = paths;
  return ok(
    name,
    busiest === undefined
      ? 'nothing is limited'
      : `at most ${busiest.peakPerMinute} of ${perMinute} calls a minute to ${busiest.path}, counted per ${perUser ? 'user' : 'address'}`,
  );
}

function routeCheck({ unknownRoutes, server }: DeploymentFacts, plan: Plan): readonly Check[] {
  const name = 'API load';
  const step = dashboardStepOf(plan);
  if (step?.work.kind !== 'visits') return [];
  const { work } = step;
  if (!unknownRoutes.known)
    return [warned(name, `which routes the server knows could not be asked: ${unknownRoutes.reason}`)];
  const wanted = scheduleOf({ ...step, work: { ...work, unknownRoutes: [] } }).arrivals;
  const used = new Set(wanted.flatMap(({ batch }) => batch.calls.map(({ route }) => route)));
  const missing = work.unknownRoutes.filter((id) => used.has(id));
  if (missing.length === 0) return [ok(name, 'the server knows every route of the mix')];
  return [
    warned(
      name,
      `Coder ${server.versionText} does not have ${missing.join(', ')}; the virtual users leave these calls out`,
    ),
  ];
}
