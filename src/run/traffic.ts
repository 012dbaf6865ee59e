import type { WorkspaceTrafficStep } from '../plan/plan-types.js';
import { atMetricsPort } from '../plan/workspace-traffic.js';
import { freePort } from './metrics-page.js';
import type { RunContext, StepOutcome } from './run-types.js';
import { runWatched } from './watched-cli.js';

/** Runs workspace-traffic with Coder's CLI. */
export async function runTraffic(step: WorkspaceTrafficStep, context: RunContext): Promise<StepOutcome> {
  const placed = atMetricsPort(step, await freePort());
  context.log.info(placed.command.join(' '));
  return runWatched(placed, { port: placed.metricsPort, describe: context.describeTrafficPage }, context);
}
