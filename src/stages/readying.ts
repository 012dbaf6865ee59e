import { findChromium } from '../coder/chromium.js';
import { childEnvironment, type CoderCli } from '../coder/cli.js';
import { workingDaemons, type DeploymentFacts } from '../coder/facts.js';
import { InstallError } from '../coder/release.js';
import { isAtLeast, type CoderVersion } from '../coder/version.js';
import type { Inputs } from '../inputs.js';
import { ROUTES_SINCE } from '../load/route-history.js';
import { withoutBrowsers } from '../plan/dashboard-browser.js';
import { ceilings, completePlan } from '../plan/plan.js';
import type { Plan } from '../plan/plan-types.js';
import { browserStepOf } from '../plan/steps.js';
import { chooseBrowser } from '../ready/browser.js';
import { refused, type Check, type Readiness } from '../ready/readiness.js';
import { checkReadiness } from '../ready/ready.js';
import { freeBytes } from '../system.js';
import { seconds } from '../units.js';
import type { World } from '../world.js';
import { cliSteps, installCli, wantedVersion } from './installing.js';

/** A plan that was completed by the deployment, and whether it may start. */
export interface ReadyStage {
  readonly plan: Plan;
  readonly readiness: Readiness;
  readonly cli?: CoderCli;
}

/** Fills in what the deployment knows. */
export function completeByFacts(plan: Plan, facts: DeploymentFacts) {
  const parameters = new Map(
    [...facts.used].flatMap(([name, fact]) => (fact.known ? [[name, fact.value.parameters] as const] : [])),
  );
  const slots = facts.daemons.known ? workingDaemons(facts.daemons.value).length : undefined;
  const deletion = new Map(
    [...facts.used].flatMap(([name, fact]) => {
      const median = fact.known ? fact.value.template.build_time_stats.delete?.P50 : undefined;
      return typeof median === 'number' && median > 0 ? [[name, seconds(median / 1000)] as const] : [];
    }),
  );
  return completePlan(plan, {
    parameters,
    deletion,
    unknownRoutes: routesUnknownTo(facts),
    ...(slots !== undefined && slots > 0 && { slots }),
  });
}

/** Those that it said it does not know, and those that its version does not have. */
function routesUnknownTo({ unknownRoutes, server: { version } }: DeploymentFacts): readonly string[] {
  const asked = unknownRoutes.known ? unknownRoutes.value : [];
  const later = Object.entries(ROUTES_SINCE).filter(
    ([, since]) => version !== undefined && !isAtLeast(version, ...since),
  );
  return [...asked, ...later.map(([id]) => id)];
}

/** All checks, and the CLI where a step needs it; every obstacle at once. */
export async function makeReady(
  plan: Plan,
  facts: DeploymentFacts,
  inputs: Inputs,
  world: World,
): Promise<ReadyStage> {
  const wanted = await attemptCheck('CLI version', () => wantedVersion(inputs, facts, world));
  const version = 'value' in wanted ? wanted.value : undefined;
  const browser = await withChosenBrowser(plan, facts, version, world);
  const { plan: completed, problems } = completeByFacts(browser.plan, facts);
  const checked = checkReadiness(
    {
      facts,
      plan: completed,
      leftovers: inputs.leftovers,
      credential: inputs.credential?.kind ?? 'token',
      event: world.job.event,
      hasSubject: inputs.subject !== undefined,
      freeBytes: await freeBytes(world.job.temp),
    },
    problems,
    version,
  );
  // Once the provisioners are known, the clean-up may take longer than the plan had assumed.
  const above = ceilings(completed.effects.workspaces, completed.time.total, inputs).map(({ message }) =>
    refused('ceilings', message),
  );
  const readiness = { ...checked, checks: [...checked.checks, ...browser.checks, ...above] };
  const steps = cliSteps(completed, readiness.driver?.driver);
  if (steps.length === 0 || readiness.driver === undefined) return { plan: completed, readiness };
  const installed =
    'value' in wanted
      ? await attemptCheck('CLI', () => installCli(wanted.value, steps, inputs, world))
      : wanted;
  if (!('value' in installed))
    return { plan: completed, readiness: { ...readiness, checks: [...readiness.checks, installed] } };
  const found: Check = {
    name: 'CLI',
    status: 'ok',
    message: `Coder CLI ${installed.value.versionText} has every suite and flag that is needed`,
  };
  return {
    plan: completed,
    readiness: {
      ...readiness,
      checks: [...readiness.checks, found],
      cliVersion: installed.value.versionText,
    },
    cli: installed.value,
  };
}

/** The plan with its browsers only where they are run, and the check that says why. */
async function withChosenBrowser(
  plan: Plan,
  facts: DeploymentFacts,
  cli: CoderVersion | undefined,
  world: World,
): Promise<{ readonly plan: Plan; readonly checks: readonly Check[] }> {
  const step = browserStepOf(plan);
  // Without an identity nothing is run, and one reason is enough.
  if (step === undefined || !facts.user.known) return { plan, checks: [] };
  const { runs, check } = await chooseBrowser(step, {
    server: facts.server,
    cli,
    criteria: plan.criteria,
    findChromium: () =>
      findChromium({
        environment: childEnvironment(world.environment),
        os: world.platform.os,
        run: world.runShortCommand,
      }),
  });
  return { plan: runs ? plan : withoutBrowsers(plan), checks: [check] };
}

async function attemptCheck<T>(
  name: string,
  action: () => Promise<T>,
): Promise<{ readonly value: T } | Check> {
  try {
    return { value: await action() };
  } catch (thrown) {
    if (!(thrown instanceof InstallError)) throw thrown;
    return refused(name, thrown.message);
  }
}
