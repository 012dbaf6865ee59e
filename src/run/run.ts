import type { Phase, Plan, Step } from '../plan/plan-types.js';
import { messageOf } from '../errors.js';
import { runWithApi } from './api-driver.js';
import { runBrowsers } from './browsers.js';
import { runWithCli } from './cli-driver.js';
import { createStepsOf, isCreateStep, stepName } from '../plan/steps.js';
import { logProgress } from './progress.js';
import type { PlanOutcome, RunContext, StepOutcome } from './run-types.js';
import { runTraffic } from './traffic.js';

/** Carries out a plan, phase after phase. What goes wrong in a step is its outcome; the other steps go on. */
export async function runPlan(plan: Plan, context: RunContext): Promise<PlanOutcome> {
  const startedAt = context.clock.now();
  const steps: StepOutcome[] = [];
  for (const phase of plan.phases) {
    if (context.signal.aborted) break;
    steps.push(...(await context.log.group(phase.title, () => runPhase(phase, context))));
  }
  return { plan, steps, startedAt, endedAt: context.clock.now() };
}

async function runPhase(phase: Phase, context: RunContext): Promise<StepOutcome[]> {
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
  const outcomes = await Promise.all(phase.steps.map((step) => runStep(step, context)));
  done.abort();
  await progress;
  for (const outcome of outcomes) context.log.info(describe(outcome));
  return outcomes;
}

async function runStep(step: Step, context: RunContext): Promise<StepOutcome> {
  const startedAt = context.clock.now();
  try {
    return await runSuite(step, context);
  } catch (thrown) {
    const endedBy = context.signal.aborted ? 'cancel' : 'itself';
    return {
      step,
      driver: isCreateStep(step) ? context.driver : 'cli',
      startedAt,
      endedAt: context.clock.now(),
      endedBy,
      lastWords: [messageOf(thrown)],
    };
  }
}

function runSuite(step: Step, context: RunContext): Promise<StepOutcome> {
  switch (step.suite) {
    case 'create-workspaces':
      return context.driver === 'cli' ? runWithCli(step, context) : runWithApi(step, context);
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
  const reason = { itself: '', deadline: ', stopped at its deadline', cancel: ', cancelled' }[
    outcome.endedBy
  ];
  const words =
    outcome.resultFile === undefined && outcome.lastWords.length > 0
      ? `: ${outcome.lastWords.slice(-2).join(' ')}`
      : '';
  return `${stepName(outcome.step)}: done after ${seconds} s${exit}${reason}${outcome.resultFile === undefined ? ', no result file' : ''}${words}`;
}
