import { messageOf } from '../errors.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { milliseconds } from '../units.js';
import type { ApiLoad } from './api-load.js';
import type { BuildsSeen, RunContext } from './run-types.js';

/** A look takes three small counts a group, so that all of them are one a second, however many groups there are. */
const LOOK_EVERY_OF_A_GROUP_MS = 3000;

export type PhaseContext = RunContext & { readonly load?: ApiLoad };

/** Shows a phase's builds and the calls so far to who may end the load, until the signal ends it. */
export async function watchLive(
  steps: readonly CreateWorkspacesStep[],
  context: PhaseContext,
): Promise<void> {
  const { watch, clock, log, signal, load } = context;
  if (watch === undefined) return;
  const isOver = (): boolean => signal.aborted;
  const pause = milliseconds(LOOK_EVERY_OF_A_GROUP_MS * Math.max(1, steps.length));
  while (!isOver()) {
    try {
      await clock.sleep(pause, signal);
      const builds = await Promise.all(steps.map((step) => seenOf(step, context)));
      if (!isOver()) watch.look(builds, load?.seen());
    } catch (thrown) {
      // Once the phase is over, this is only the end of the pause. What cannot be seen is no reason to end.
      log.debug(`how far the load is could not be read: ${messageOf(thrown)}`);
    }
  }
}

async function seenOf(step: CreateWorkspacesStep, { api, clock, signal }: RunContext): Promise<BuildsSeen> {
  const count = (status: string): Promise<number> =>
    api.countWorkspaces(`name:"scaletest-" template:"${step.template}"${status}`, signal);
  const askedAt = clock.monotonic();
  const [asked, built, failed] = await Promise.all([
    count(''),
    count(' status:running'),
    count(' status:failed'),
  ]);
  return { step, asked, built, failed, askedAt, answeredAt: clock.monotonic() };
}
