import { observeTimings, unreadTimings } from '../coder/build-timings.js';
import { childEnvironment, type CoderCli } from '../coder/cli.js';
import type { DeploymentFacts } from '../coder/facts.js';
import { ApiError } from '../coder/http.js';
import { observeWorkspaces } from '../coder/observe.js';
import type { Scope } from '../coder/scaletest-resources.js';
import { messageOf } from '../errors.js';
import type { EarlyEnd } from '../judge/early-end.js';
import type { ObservedTimings, ObservedWorkspaces } from '../evidence.js';
import { describeSuitePage } from '../measure/suite-page.js';
import { describeBrowserPage } from '../measure/browser-page.js';
import { describeTrafficPage } from '../measure/traffic-page.js';
import { usersOfGate } from '../plan/effects.js';
import type { Plan } from '../plan/plan-types.js';
import type { Readiness } from '../ready/readiness.js';
import { Pace } from '../run/pace.js';
import { runPlan } from '../run/run.js';
import { ServerWatch } from '../run/server-watch.js';
import type { PlanOutcome, RunContext } from '../run/run-types.js';
import type { ServerObservation } from '../server-evidence.js';
import type { Milliseconds } from '../units.js';
import type { World } from '../world.js';
import type { Connection } from './connecting.js';
import { EarlyEnding } from './early-ending.js';
import type { LoadNetwork } from './load-network.js';

/** The runner kills a cancelled step after 7.5 seconds; what is read from the API has to be there before. */
const OBSERVATION_AFTER_CANCEL_MS = 4000;
/** The parts of thousands of builds are read in seconds; of a slow deployment only as many as this allows. */
const TIMINGS_MS = 90_000;
/** Of the four minutes between the load's deadline and the clean-up, what reading them leaves untouched. */
const TIMINGS_AFTER_DEADLINE_MS = 120_000;

/** Only what was made since the run began. */
export type RunScope = Scope & { readonly since: Date };

export interface RunStage {
  readonly outcome: PlanOutcome;
  /** Read before anything is deleted. */
  readonly observation: ObservedWorkspaces | Unobserved;
  readonly timings: ObservedTimings;
  readonly server: ServerObservation;
  readonly endedEarly?: EarlyEnd;
}

export interface Unobserved {
  readonly unusable: string;
  /** The deployment did not answer any more. */
  readonly isAway: boolean;
}

export interface RunRequest {
  readonly plan: Plan;
  readonly readiness: Readiness;
  readonly facts: DeploymentFacts;
  readonly connection: Connection;
  readonly cli?: CoderCli;
  readonly scope: RunScope;
  readonly rawDirectory: string;
  readonly evidenceDirectory: string;
  /** Input `prometheus-url`. */
  readonly metricsPages: readonly string[];
  readonly network: LoadNetwork;
  readonly deadline: Milliseconds;
}

/** Carries out the plan and looks at what it made, also when it was cancelled. */
export async function carryOut(request: RunRequest, world: World): Promise<RunStage> {
  const { connection, scope } = request;
  const { api, token } = connection.identity;
  const observe = async (signal: AbortSignal): Promise<RunStage['observation']> => {
    try {
      const workspaces = await observeWorkspaces(api, scope, signal);
      return { observedAt: world.clock.now().toISOString(), workspaces };
    } catch (thrown) {
      return {
        unusable: `the workspaces could not be read from the API: ${messageOf(thrown)}`,
        isAway: thrown instanceof ApiError && (thrown.mayPass || thrown.kind === 'not-coder'),
      };
    }
  };
  // A cancelled run has seconds: the API is read while the children are being ended.
  const whenCancelled = new Promise<RunStage['observation']>((resolve) => {
    const start = (): void => resolve(observe(AbortSignal.timeout(OBSERVATION_AFTER_CANCEL_MS)));
    if (world.cancelled.aborted) start();
    else world.cancelled.addEventListener('abort', start, { once: true });
  });
  /** A cancel in the middle of it gives way to what is read then, which is bounded. */
  const observeUnlessCancelled = async (): Promise<RunStage['observation']> => {
    const seen = world.cancelled.aborted ? undefined : await observe(world.cancelled);
    return seen === undefined || (world.cancelled.aborted && 'unusable' in seen) ? whenCancelled : seen;
  };
  const userPace = paceOf(request, world);
  const watch = new ServerWatch(
    { http: api.http, token, pages: request.metricsPages, clock: world.clock },
    { evidenceDirectory: request.evidenceDirectory, redactor: world.redactor, signal: world.cancelled },
  );
  await watch.start();
  let beforeSuites: RunStage['observation'] | undefined;
  const observation = (): RunStage['observation'] | Promise<RunStage['observation']> =>
    beforeSuites ?? observeUnlessCancelled();
  const ending = EarlyEnding.of(request.plan, world.clock, world.log);
  const outcome = await runPlan(request.plan, {
    api,
    clock: world.clock,
    log: world.log,
    signal: ending === undefined ? world.cancelled : AbortSignal.any([world.cancelled, ending.signal]),
    cancelled: world.cancelled,
    ...(ending && { watch: ending }),
    driver: request.readiness.driver?.driver ?? 'api',
    ...(request.cli && { cliPath: request.cli.path }),
    childEnvironment: childEnvironment(world.environment, {
      CODER_URL: connection.url,
      CODER_SESSION_TOKEN: token,
      ...request.network.childVariables,
    }),
    network: request.network,
    rawDirectory: request.rawDirectory,
    evidenceDirectory: request.evidenceDirectory,
    redactor: world.redactor,
    deadline: request.deadline,
    templates: templateIds(request.facts),
    describeTrafficPage,
    describeSuitePage,
    suitesWithPage: withMetricsPage(request.cli),
    beforeSuites: async () => {
      beforeSuites = await observeUnlessCancelled();
    },
    describeBrowserPage,
    deploymentUrl: connection.url,
    since: scope.since,
    ownUserId: scope.ownUserId,
    ...placeOf(request.facts),
    ...(userPace && { userPace }),
  });
  const server = await watch.stop();
  const observed = await observation();
  const endedEarly = ending?.result(outcome);
  return {
    outcome,
    observation: observed,
    timings: await timingsOf(observed, request, world),
    server,
    ...(endedEarly && { endedEarly }),
  };
}

/** The suites whose metrics page can be put where the gate reads it. */
function withMetricsPage(cli: CoderCli | undefined): ReadonlySet<string> {
  const flags = [...(cli?.flags ?? [])];
  return new Set(
    flags.filter(([, names]) => names.includes('scaletest-prometheus-address')).map(([suite]) => suite),
  );
}

/** The parts of the builds, as far as the time allows that is left beside the clean-up's. */
async function timingsOf(
  observation: RunStage['observation'],
  { connection, scope, deadline }: RunRequest,
  world: World,
): Promise<ObservedTimings> {
  if ('unusable' in observation) return unreadTimings([], observation.unusable);
  const { workspaces } = observation;
  if (world.cancelled.aborted)
    return unreadTimings(workspaces, 'the job was cancelled, which leaves seconds only');
  const timeLeft = Math.min(TIMINGS_MS, deadline + TIMINGS_AFTER_DEADLINE_MS - world.clock.monotonic());
  if (timeLeft <= 0) return unreadTimings(workspaces, 'only the time for the clean-up was left');
  const signal = AbortSignal.any([world.cancelled, AbortSignal.timeout(Math.ceil(timeLeft))]);
  return observeTimings(connection.identity.api, workspaces, scope, signal);
}

/** All scale-test users are made with one token at one path, so they share one bucket of the rate limiter. */
function paceOf({ facts, plan }: RunRequest, world: World): Pace | undefined {
  if (!facts.rateLimit.known || facts.rateLimit.value.off) return undefined;
  return Pace.under(facts.rateLimit.value.perMinute, usersOfGate(plan.phases), world.clock);
}

/** Where users without a workspace are made, and whose pages they look at: what the plan uses, else the first that there is. */
function placeOf({
  used,
  templates,
  user,
}: DeploymentFacts): Pick<RunContext, 'anyTemplate' | 'organizationId'> {
  const [ofPlan] = [...used.values()].flatMap((fact) => (fact.known ? [fact.value.template] : []));
  const template = ofPlan ?? (templates.known ? templates.value[0] : undefined);
  const organizationId =
    template?.organization_id ?? (user.known ? user.value.organization_ids[0] : undefined);
  return {
    ...(template && { anyTemplate: { id: template.id, versionId: template.active_version_id } }),
    ...(organizationId !== undefined && { organizationId }),
  };
}

function templateIds(facts: DeploymentFacts): ReadonlyMap<string, { id: string; organizationId: string }> {
  return new Map(
    [...facts.used].flatMap(([name, fact]) =>
      fact.known
        ? [
            [
              name,
              { id: fact.value.template.id, organizationId: fact.value.template.organization_id },
            ] as const,
          ]
        : [],
    ),
  );
}
