import { LoadGenerator } from '../load/generator.js';
import type { LoadResult } from '../load/load-types.js';
import { longestLoad, scheduleOf } from '../plan/load-schedule.js';
import type { DashboardStep, Plan } from '../plan/plan-types.js';
import { dashboardStepOf } from '../plan/steps.js';
import { milliseconds, seconds, toMilliseconds, type Milliseconds } from '../units.js';
import { LoadUsers } from './load-users.js';
import type { RunContext, StepOutcome } from './run-types.js';

/** Tokens outlive the load by so much, for calls that are late. */
const TOKEN_RESERVE = seconds(600);
const PROGRESS_EVERY = milliseconds(30_000);

/** What the load found, and what was wrong with its users. */
export interface LoadOutcome {
  readonly result: LoadResult;
  readonly problems: readonly string[];
}

/** The load of virtual users, which goes on through all phases of a plan. */
export interface ApiLoad {
  /** Calls from now on are of this phase. */
  phase(name: string): void;
  /** Waits until the load has lasted as long as its step asks for, and long enough alone. */
  hold(step: DashboardStep): Promise<StepOutcome>;
  /** Ends it: what is under way is waited for, unless the run was cancelled. */
  finish(): Promise<LoadOutcome>;
}

/** Begins the load of a plan; undefined where none is planned. */
export async function startLoad(plan: Plan, context: RunContext): Promise<ApiLoad | undefined> {
  const step = dashboardStepOf(plan);
  const [first] = plan.phases;
  if (step === undefined || first === undefined) return undefined;
  const longest = longestLoad(plan);
  const users = new LoadUsers(step, seconds(longest + TOKEN_RESERVE), context);
  if (step.usersWithoutWorkspace > 0) {
    context.log.info(`API load: making ${step.usersWithoutWorkspace} users without a workspace`);
    await users.make();
  }
  const generator = new LoadGenerator({
    baseUrl: context.deploymentUrl,
    ...context.network,
    schedule: scheduleOf(step, longest),
    users: users.users,
    phase: first.name,
  });
  const began = context.clock.monotonic();
  const running = generator.run(context.signal);
  const following = users.follow();
  return {
    phase: (name) => {
      if (name !== first.name) generator.phase(name);
    },
    hold: (held) => hold(held, began, generator, context),
    finish: async () => {
      generator.finish();
      users.stop();
      const result = await running;
      await following;
      if (!context.signal.aborted) await users.revoke();
      return { result, problems: users.problems };
    },
  };
}

async function hold(
  step: DashboardStep,
  began: Milliseconds,
  generator: LoadGenerator,
  context: RunContext,
): Promise<StepOutcome> {
  const { clock, log, signal } = context;
  const startedAt = clock.now();
  const now = clock.monotonic();
  const wanted = Math.max(began + toMilliseconds(step.duration), now + toMilliseconds(step.alone));
  const until = Math.min(wanted, context.deadline);
  log.info(`API load: ${step.users} virtual users for ${Math.ceil((until - now) / 1000)} s more`);
  for (let left = until - now; left > 0 && !signal.aborted; left = until - clock.monotonic()) {
    await clock.sleep(milliseconds(Math.min(left, PROGRESS_EVERY)), signal).catch(() => undefined);
    log.info(progressOf(generator.progress(), milliseconds(clock.monotonic() - began)));
  }
  const endedBy = signal.aborted ? 'cancel' : until < wanted ? 'deadline' : 'itself';
  return { step, driver: 'load', startedAt, endedAt: clock.now(), endedBy, lastWords: [] };
}

function progressOf(
  { usersSeen, calls }: ReturnType<LoadGenerator['progress']>,
  elapsed: Milliseconds,
): string {
  const trouble = [
    calls.failed > 0 ? `, ${calls.failed} failed` : '',
    calls.throttled > 0 ? `, ${calls.throttled} throttled` : '',
  ].join('');
  return `${Math.round(elapsed / 1000)} s  API load: ${usersSeen} users, ${calls.ok} calls answered${trouble}`;
}
