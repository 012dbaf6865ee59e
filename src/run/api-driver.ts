import { forEachConcurrently } from '../concurrency.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { milliseconds, seconds, toMilliseconds } from '../units.js';
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
  await forEachConcurrently(Array.from({ length: step.count }), step.concurrency, async (_, index) => {
    if (context.signal.aborted) return;
    const signal = AbortSignal.any([
      context.signal,
      stepTimeout,
      AbortSignal.timeout(Math.ceil(toMilliseconds(step.jobTimeout))),
    ]);
    const run = stepTimeout.aborted
      ? { index, startedAt: context.clock.now(), duration: milliseconds(0), logs: '', error: DEADLINE_TEXT }
      : await runWorkspace(index, {
          owner: context.api,
          ownUserId: context.ownUserId,
          clock: context.clock,
          step,
          template,
          tokenLifetime: seconds(step.timeout + TOKEN_RESERVE),
          signal,
        });
    runs.push(
      signal.aborted && run.error !== undefined
        ? { ...run, error: `${run.error.split('\n')[0] ?? ''}\n  - ${DEADLINE_TEXT}` }
        : run,
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
