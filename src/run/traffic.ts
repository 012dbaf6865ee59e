import type { WorkspaceTrafficStep } from '../plan/plan-types.js';
import { atMetricsPort } from '../plan/workspace-traffic.js';
import { milliseconds } from '../units.js';
import { freePort } from './metrics-page.js';
import { runPagedSuite } from './paged-suite.js';
import type { RunContext, StepOutcome } from './run-types.js';

const BETWEEN_READS = milliseconds(3000);

/** Runs workspace-traffic with Coder's CLI. */
export async function runTraffic(step: WorkspaceTrafficStep, context: RunContext): Promise<StepOutcome> {
  return runPagedSuite(
    {
      step: atMetricsPort(step, await freePort()),
      describe: context.describeTrafficPage,
      interval: BETWEEN_READS,
    },
    context,
  );
}
