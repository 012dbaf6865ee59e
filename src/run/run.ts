import type { Phase, Plan, Step } from '../plan/plan-types.js';
import { messageOf } from '../errors.js';
import { runWithApi } from './api-driver.js';
import { runWithCli } from './cli-driver.js';
import { logProgress } from './progress.js';
import type { PlanOutcome, RunContext, StepOutcome } from './run-types.js';

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
  const progress = logProgress(phase, { api: context.api, clock: context.clock, log: context.log, signal });
  for (const step of phase.steps) {
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
    return await (context.driver === 'cli' ? runWithCli(step, context) : runWithApi(step, context));
  } catch (thrown) {
    const endedBy = context.signal.aborted ? 'cancel' : 'itself';
    return {
      step,
      driver: context.driver,
      startedAt,
      endedAt: context.clock.now(),
      endedBy,
      lastWords: [messageOf(thrown)],
    };
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
  return `${outcome.step.group}: done after ${seconds} s${exit}${reason}${outcome.resultFile === undefined ? ', no result file' : ''}${words}`;
}
