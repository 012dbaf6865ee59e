import type { Phase, Plan, Step } from '../plan/plan-types.js';
import { messageOf } from '../errors.js';
import { startLoad, type ApiLoad } from './api-load.js';
import { runWithApi } from './api-driver.js';
import { runBrowsers } from './browsers.js';
import { runWithCli } from './cli-driver.js';
import { runCliSuite } from './cli-suite.js';
import { createStepsOf, isCreateStep, isDashboardStep, isSuiteStep, stepName } from '../plan/steps.js';
import { watchLive, type PhaseContext } from './live-watch.js';
import { logProgress } from './progress.js';
import type { PlanOutcome, RunContext, StepOutcome } from './run-types.js';
import { runTraffic } from './traffic.js';

/** Carries out a plan, phase after phase. What goes wrong in a step is its outcome; the other steps go on. */
export async function runPlan(plan: Plan, context: RunContext): Promise<PlanOutcome> {
  const startedAt = context.clock.now();
  const steps: StepOutcome[] = [];
  const begun = await beginLoad(plan, context);
  const load = begun !== undefined && 'unusable' in begun ? undefined : begun;
  for (const phase of plan.phases) {
    if (context.signal.aborted) break;
    if (isFirstOfSuites(phase, plan)) await context.beforeSuites();
    load?.phase(phase.name);
    const phaseContext = { ...context, ...(load && { load }) };
    steps.push(...(await context.log.group(phase.title, () => runPhase(phase, phaseContext))));
  }
  const loadOutcome = load === undefined ? begun : await load.finish();
  return {
    plan,
    steps,
    ...(loadOutcome && !('phase' in loadOutcome) && { load: loadOutcome }),
    startedAt,
    endedAt: context.clock.now(),
  };
}

/** Where groups were created before, what their workspaces are like has to be read before others are made. */
const isFirstOfSuites = (phase: Phase, plan: Plan): boolean =>
  createStepsOf(plan).length > 0 && phase === plan.phases.find(({ steps }) => steps.some(isSuiteStep));

/** A load that cannot begin does not keep the other suites from showing what they can. */
async function beginLoad(
  plan: Plan,
  context: RunContext,
): Promise<ApiLoad | { readonly unusable: string } | undefined> {
  try {
    return await startLoad(plan, context);
  } catch (thrown) {
    return { unusable: `dashboard: the API load could not begin: ${messageOf(thrown)}` };
  }
}

async function runPhase(phase: Phase, context: PhaseContext): Promise<StepOutcome[]> {
  const done = new AbortController();
  const signal = AbortSignal.any([context.signal, done.signal]);
  const tools = { api: context.api, clock: context.clock, log: context.log, signal };
  const created = createStepsOf({ phases: [phase] });
  const progress = created.length > 0 ? logProgress(created, tools) : Promise.resolve();
  for (const step of created) {
    context.log.info(
      context.driver === 'cli'
        ? step.command.join(' ')
        : `${step.group}: ${step.count} workspaces through the API, ${step.concurrency} at once`,
    );
  }
  const watching = watchLive(created, { ...context, signal });
  const outcomes = (await Promise.all(phase.steps.map((step) => runStep(step, context)))).map((outcome) =>
    endedInTruth(outcome, context),
  );
  done.abort();
  await Promise.all([progress, watching]);
  for (const outcome of outcomes) context.log.info(describe(outcome));
  return outcomes;
}

/** What ends a step early looks to the step like a cancel. */
function endedInTruth(outcome: StepOutcome, { cancelled }: RunContext): StepOutcome {
  return outcome.endedBy === 'cancel' && !cancelled.aborted ? { ...outcome, endedBy: 'early' } : outcome;
}

async function runStep(step: Step, context: PhaseContext): Promise<StepOutcome> {
  const startedAt = context.clock.now();
  try {
    return await runSuite(step, context);
  } catch (thrown) {
    const endedBy = context.signal.aborted ? 'cancel' : 'itself';
    return {
      step,
      driver: isCreateStep(step) ? context.driver : isDashboardStep(step) ? 'load' : 'cli',
      startedAt,
      endedAt: context.clock.now(),
      endedBy,
      lastWords: [messageOf(thrown)],
    };
  }
}

function runSuite(step: Step, context: PhaseContext): Promise<StepOutcome> {
  if (isSuiteStep(step)) return runCliSuite(step, context);
  switch (step.suite) {
    case 'create-workspaces':
      return context.driver === 'cli' ? runWithCli(step, context) : runWithApi(step, context);
    case 'dashboard':
      if (context.load === undefined) throw new Error('the API load did not begin');
      return context.load.hold(step);
    case 'workspace-traffic':
      return runTraffic(step, context);
    case 'dashboard-browser':
      return runBrowsers(step, context);
  }
}

function describe(outcome: StepOutcome): string {
  const seconds = Math.round((outcome.endedAt.getTime() - outcome.startedAt.getTime()) / 1000);
  const exit =
    outcome.exitCode !== undefined
      ? `, exit code ${outcome.exitCode}`
      : outcome.exitSignal !== undefined
        ? `, ended by ${outcome.exitSignal}`
        : '';
  const reason = {
    itself: '',
    deadline: ', stopped at its deadline',
    early: ', ended early',
    cancel: ', cancelled',
  }[outcome.endedBy];
  const words =
    outcome.resultFile === undefined && outcome.lastWords.length > 0
      ? `: ${outcome.lastWords.slice(-2).join(' ')}`
      : '';
  return `${stepName(outcome.step)}: done after ${seconds} s${exit}${reason}${outcome.resultFile === undefined && outcome.driver !== 'load' ? ', no result file' : ''}${words}`;
}
