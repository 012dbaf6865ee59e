import type { CoderApi } from '../coder/api.js';
import { messageOf } from '../errors.js';
import type { Clock, Log } from '../ports.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { milliseconds, type Milliseconds } from '../units.js';

const INTERVAL = milliseconds(5000);
/** Lines get rarer: a run of an hour does not need seven hundred. */
const LONGEST_INTERVAL = milliseconds(30_000);

interface Counts {
  readonly step: CreateWorkspacesStep;
  readonly built: number;
  readonly building: number;
  readonly waiting: number;
  readonly failed: number;
}

/** Logs how far the creation of workspaces is, from the API, until the signal ends it. A flaky API never ends the run. */
export async function logProgress(
  steps: readonly CreateWorkspacesStep[],
  tools: { api: CoderApi; clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  const began = tools.clock.monotonic();
  let interval = INTERVAL;
  let lastLine = '';
  while (!tools.signal.aborted) {
    try {
      await tools.clock.sleep(interval, tools.signal);
      const counts = await Promise.all(steps.map((step) => count(step, tools.api, tools.signal)));
      const elapsed = milliseconds(tools.clock.monotonic() - began);
      const line = counts.map((one) => describe(one, elapsed)).join('; ');
      if (line !== lastLine) tools.log.info(`${Math.round(elapsed / 1000)} s  ${line}`);
      lastLine = line;
      interval = milliseconds(Math.min(LONGEST_INTERVAL, interval * 1.1));
    } catch (thrown) {
      // Once the phase is over, this is only the end of the pause.
      tools.log.debug(`progress could not be read: ${messageOf(thrown)}`);
    }
  }
}

async function count(step: CreateWorkspacesStep, api: CoderApi, signal: AbortSignal): Promise<Counts> {
  const search = (status: string): Promise<number> =>
    api.countWorkspaces(`name:"scaletest-" template:"${step.template}" status:${status}`, signal);
  const [built, building, waiting, failed] = await Promise.all([
    search('running'),
    search('starting'),
    search('pending'),
    search('failed'),
  ]);
  return { step, built, building, waiting, failed };
}

function describe({ step, built, building, waiting, failed }: Counts, elapsed: Milliseconds): string {
  const done = built + failed;
  const left =
    done > 0 && done < step.count
      ? `, about ${Math.round(((elapsed / done) * (step.count - done)) / 1000)} s to go`
      : '';
  const trouble = failed > 0 ? `, ${failed} failed` : '';
  return `${step.group}: ${built} of ${step.count} built, ${building} building, ${waiting} waiting${trouble}${left}`;
}
