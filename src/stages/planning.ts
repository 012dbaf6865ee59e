import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { DeploymentFacts } from '../coder/facts.js';
import type { Inputs } from '../inputs.js';
import { makePlan } from '../plan/plan.js';
import type { Plan } from '../plan/plan-types.js';
import { templatesOf } from '../plan/steps.js';
import { ResultsDirectory } from '../results-directory.js';
import { milliseconds, type Milliseconds } from '../units.js';
import type { World } from '../world.js';
import { readConfig } from './configuring.js';
import { connect, deploymentOf, disconnect, readFacts } from './connecting.js';
import { completeByFacts } from './readying.js';
import { reportPlan, setVerdict } from './reporting.js';

const PLAN_TITLE = 'Scale test plan';

export interface PlannedRun {
  readonly plan: Plan;
  readonly orphan: boolean;
  readonly loadThroughProxy: boolean;
  readonly results: ResultsDirectory;
  /** For the CLI's raw results, which hold secrets; outside the workspace. Made before the load, removed after it. */
  readonly rawDirectory: string;
  /** On the monotonic clock: when everything has to be over, clean-up included. */
  readonly end: Milliseconds;
  /** On the monotonic clock: when the run began. */
  readonly began: Milliseconds;
  readonly startedAt: Date;
}

/** Reads the config, plans, and shows the plan. Touches nothing on the deployment. */
export async function planRun(inputs: Inputs, world: World): Promise<PlannedRun> {
  const startedAt = world.clock.now();
  const began = world.clock.monotonic();
  const end = milliseconds(began + inputs.maxDuration * 1000);
  const loaded = await readConfig(inputs, world.job.workspace);
  const rawDirectory = path.join(world.job.temp, `scaletest-${randomUUID()}`);
  const plan = makePlan(loaded, {
    tests: inputs.tests,
    maxDuration: inputs.maxDuration,
    cleanupInMain: inputs.cleanup !== 'never',
    rawDirectory,
    ...(inputs.profile !== undefined && { profile: inputs.profile }),
    ...(inputs.subject !== undefined && { subject: inputs.subject }),
    ...(inputs.maxWorkspaces !== undefined && { maxWorkspaces: inputs.maxWorkspaces }),
  });
  const place = { workspace: world.job.workspace, parent: inputs.resultsDirectory };
  const results = await ResultsDirectory.create(place, startedAt, world.redactor);
  world.step.setOutput('results-dir', results.path);
  const { cleanup, load } = loaded.config;
  const planned = {
    plan,
    orphan: cleanup.orphan,
    loadThroughProxy: load?.proxy === true,
    results,
    rawDirectory,
    began,
    end,
    startedAt,
  };
  if (inputs.mode === 'plan') await showPlan(plan, inputs, results, world);
  return planned;
}

/** Mode plan: with a deployment, also its parameters and provisioners. */
async function showPlan(plan: Plan, inputs: Inputs, results: ResultsDirectory, world: World): Promise<void> {
  if (deploymentOf(inputs) === undefined) {
    const notAsked = whyNotAsked(inputs, world);
    await reportPlan(plan, notAsked === undefined ? [] : [notAsked], results, world);
    if (notAsked !== undefined) world.log.warning(notAsked, { title: PLAN_TITLE });
    return;
  }
  const connection = await connect(inputs, world);
  const facts = await readFacts(connection, plan).finally(() => disconnect(connection, world));
  const { plan: completed, problems } = completeByFacts(plan, facts);
  const all = [...problems, ...templateProblems(templatesOf(plan), facts, connection.url)];
  await reportPlan(completed, all, results, world);
  if (all.length === 0) return;
  for (const problem of all) world.log.error(problem, { title: PLAN_TITLE });
  setVerdict('error', all.join(' · '), world);
  world.step.fail();
}

function templateProblems(
  wanted: readonly string[],
  { templates, used }: DeploymentFacts,
  url: string,
): readonly string[] {
  if (!templates.known) return [`the templates of ${url} could not be read: ${templates.reason}`];
  return wanted.flatMap((template) => {
    const found = used.get(template);
    if (found === undefined) return [`the template "${template}" does not exist on ${url}`];
    return found.known ? [] : [`the template "${template}" could not be read: ${found.reason}`];
  });
}

/** A plan without a deployment is a good one; half of what it takes to ask one is a slip. */
function whyNotAsked({ coderUrl, credential }: Inputs, { job }: World): string | undefined {
  if (coderUrl === undefined && credential === undefined) return undefined;
  const what = 'the deployment was not asked for its templates and their parameters';
  if (coderUrl === undefined)
    return `${what}, because no address was given: set input "coder-url" (or the variable CODER_URL)`;
  return job.noSecrets === undefined
    ? `${what}, because no credentials were given: set input "coder-session-token" (or the variable CODER_SESSION_TOKEN), or "coder-email" and "coder-password"`
    : `${what}, because there are no credentials: ${job.noSecrets}`;
}
