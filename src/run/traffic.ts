import { stat, writeFile } from 'node:fs/promises';
import type { WorkspaceTrafficStep } from '../plan/plan-types.js';
import { evidenceName } from '../plan/steps.js';
import { atMetricsPort } from '../plan/workspace-traffic.js';
import { redact } from '../redact.js';
import { runWithCli } from './cli-driver.js';
import { freePort, PageReader } from './metrics-page.js';
import type { RunContext, StepOutcome } from './run-types.js';

/** What the CLI says when its load is over and its result file written. */
const LOAD_IS_OVER = /^Waiting \S+ for prometheus metrics to be scraped/;

const LONGEST_PAUSE_MS = 30_000;

/** Runs workspace-traffic with Coder's CLI, and keeps its own metrics page, which is gone when it ends. */
export async function runTraffic(step: WorkspaceTrafficStep, context: RunContext): Promise<StepOutcome> {
  const placed = atMetricsPort(step, await freePort());
  const file = `${evidenceName(step)}.metrics.txt`;
  context.log.info(placed.command.join(' '));
  const reader = new PageReader({
    port: placed.metricsPort,
    describe: context.describeTrafficPage,
    onPage: progressLog(context),
    clock: context.clock,
    isOver: () =>
      stat(step.resultFile).then(
        () => true,
        () => false,
      ),
  });
  const reading = reader.run();
  try {
    const outcome = await runWithCli(placed, context, (stream, line) => {
      if (stream === 'stderr' && LOAD_IS_OVER.test(line)) reader.readFinal();
    });
    const page = await reader.stop();
    if ('problem' in page)
      return {
        ...outcome,
        metricsPage: {
          unusable: `the metrics page at 127.0.0.1:${placed.metricsPort} is missing: ${page.problem}`,
        },
      };
    await writeFile(`${context.evidenceDirectory}/${file}`, redact(page.text, context.secrets));
    return { ...outcome, metricsPage: { file: `evidence/${file}`, isFinal: page.isFinal } };
  } finally {
    await reader.stop();
    await reading;
  }
}

/** Lines get rarer: traffic of two hours does not need thousands. */
function progressLog({ clock, log }: RunContext): (description: string) => void {
  const began = clock.monotonic();
  let next = 0;
  return (description) => {
    const elapsed = clock.monotonic() - began;
    if (elapsed < next) return;
    log.info(`${Math.round(elapsed / 1000)} s  workspace-traffic: ${description}`);
    next = elapsed + Math.min(LONGEST_PAUSE_MS, elapsed / 2);
  };
}
