import { withMetricsPage } from '../plan/cli-suite-plan.js';
import type { CliSuiteStep } from '../plan/plan-types.js';
import { milliseconds } from '../units.js';
import { runWithCli } from './cli-driver.js';
import { freePort } from './metrics-page.js';
import { runPagedSuite } from './paged-suite.js';
import type { RunContext, StepOutcome } from './run-types.js';

const BETWEEN_READS = milliseconds(3000);

/** Runs any other suite of the CLI, with its metrics page where this CLI has one for it. */
export async function runCliSuite(step: CliSuiteStep, context: RunContext): Promise<StepOutcome> {
  if (!context.suitesWithPage.has(step.suite)) {
    context.log.info(step.command.join(' '));
    return runWithCli(step, context);
  }
  return runPagedSuite(
    {
      step: withMetricsPage(step, await freePort()),
      describe: context.describeSuitePage,
      interval: BETWEEN_READS,
    },
    context,
  );
}
