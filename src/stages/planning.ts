import { randomUUID } from 'node:crypto';
import path from 'node:path';
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
import { reportPlan } from './reporting.js';

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
    await reportPlan(plan, [], results, world);
    return;
  }
  const connection = await connect(inputs, world);
  const templates = templatesOf(plan);
  const facts = await readFacts(connection, plan).finally(() => disconnect(connection, world));
  const missing = facts.templates.known ? templates.filter((template) => !facts.used.has(template)) : [];
  const { plan: completed, problems } = completeByFacts(plan, facts);
  const all = [
    ...problems,
    ...missing.map((template) => `the template "${template}" does not exist on ${connection.url}`),
  ];
  await reportPlan(completed, all, results, world);
  for (const problem of all) world.log.error(problem, { title: 'Scale test plan' });
  if (all.length > 0) world.step.fail();
}
