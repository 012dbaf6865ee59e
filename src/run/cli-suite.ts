import { withMetricsPage } from '../plan/cli-suite-plan.js';
import type { CliSuiteStep } from '../plan/plan-types.js';
import { runWithCli } from './cli-driver.js';
import { freePort } from './metrics-page.js';
import type { RunContext, StepOutcome } from './run-types.js';
import { runWatched } from './watched-cli.js';

/** Runs any other suite of the CLI, with its metrics page where this CLI has one for it. */
export async function runCliSuite(step: CliSuiteStep, context: RunContext): Promise<StepOutcome> {
  const port = context.suitesWithPage.has(step.suite) ? await freePort() : undefined;
  const placed = port === undefined ? step : withMetricsPage(step, port);
  context.log.info(placed.command.join(' '));
  if (port === undefined) return runWithCli(placed, context);
  return runWatched(placed, { port, describe: context.describeSuitePage }, context);
}
