import { forEachConcurrently } from '../concurrency.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { milliseconds, seconds, toMilliseconds } from '../units.js';
import type { Pace } from './pace.js';
import { writeResultFile, type FinishedRun } from './result-file.js';
import type { RunContext, StepOutcome } from './run-types.js';
import { runWorkspace } from './workspace-run.js';

/** Members' tokens outlive the load by so much, for polls that are late. */
const TOKEN_RESERVE = seconds(600);
const DEADLINE_TEXT = 'context deadline exceeded';

/** Creates the workspaces of a step through the API and writes the CLI's result file. */
export async function runWithApi(step: CreateWorkspacesStep, context: RunContext): Promise<StepOutcome> {
  const template = context.templates.get(step.template);
  if (template === undefined) throw new Error(`the template "${step.template}" was not read`);
  const startedAt = context.clock.now();
  const began = context.clock.monotonic();
  const timeLeft = Math.max(1000, context.deadline - began);
  // AbortSignal takes whole milliseconds only.
  const stepTimeout = AbortSignal.timeout(Math.ceil(Math.min(toMilliseconds(step.timeout), timeLeft)));
  const runs: FinishedRun[] = [];
  const ended = AbortSignal.any([context.signal, stepTimeout]);
  await forEachConcurrently(Array.from({ length: step.count }), step.concurrency, async (_, index) => {
    if (step.owner === 'scaletest-users') await waitForTurn(context.userPace, ended);
    if (context.signal.aborted) return;
    runs.push(
      stepTimeout.aborted ? notBegun(index, context) : await runOne(index, step, template, context, ended),
    );
  });
  const elapsed = milliseconds(context.clock.monotonic() - began);
  const endedBy = context.signal.aborted ? 'cancel' : stepTimeout.aborted ? 'deadline' : 'itself';
  // Like the CLI: a cancelled run has no result; what there was is read from the API.
  if (endedBy !== 'cancel') await writeResultFile(step.resultFile, runs, elapsed);
  return {
    step,
    driver: 'api',
    startedAt,
    endedAt: context.clock.now(),
    ...(endedBy !== 'cancel' && { resultFile: step.resultFile }),
    endedBy,
    lastWords: [],
  };
}

/** The wait for the rate limiter is the gate's own, so it is over before a run's clock starts. */
async function waitForTurn(pace: Pace | undefined, ended: AbortSignal): Promise<void> {
  await pace?.turn(ended).catch(() => undefined);
}

const notBegun = (index: number, { clock }: RunContext): FinishedRun => ({
  index,
  startedAt: clock.now(),
  duration: milliseconds(0),
  logs: '',
  error: DEADLINE_TEXT,
});

async function runOne(
  index: number,
  step: CreateWorkspacesStep,
  template: { readonly id: string; readonly organizationId: string },
  context: RunContext,
  ended: AbortSignal,
): Promise<FinishedRun> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(Math.ceil(toMilliseconds(step.jobTimeout)))]);
  const run = await runWorkspace(index, {
    owner: context.api,
    ownUserId: context.ownUserId,
    clock: context.clock,
    step,
    template,
    tokenLifetime: seconds(step.timeout + TOKEN_RESERVE),
    signal,
  });
  if (!signal.aborted || run.error === undefined) return run;
  return { ...run, error: `${run.error.split('\n')[0] ?? ''}\n  - ${DEADLINE_TEXT}` };
}
