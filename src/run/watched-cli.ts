import { stat, writeFile } from 'node:fs/promises';
import { evidenceName, type CliStep } from '../plan/steps.js';
import { redact } from '../redact.js';
import { runWithCli } from './cli-driver.js';
import { PageReader } from './metrics-page.js';
import type { RunContext, StepOutcome } from './run-types.js';

/** What the CLI says when its load is over and its result file written. */
const LOAD_IS_OVER = /^Waiting \S+ for prometheus metrics to be scraped/;
const LONGEST_PAUSE_MS = 30_000;

/** Where a suite shows its own metrics, and what such a page tells; undefined for any other page. */
export interface WatchedPage {
  readonly port: number;
  readonly describe: (text: string) => string | undefined;
}

/** Runs a suite with Coder's CLI, and keeps its own metrics page, which is gone when it ends. */
export async function runWatched(
  step: CliStep,
  { port, describe }: WatchedPage,
  context: RunContext,
): Promise<StepOutcome> {
  const file = `${evidenceName(step)}.metrics.txt`;
  const reader = new PageReader({
    port,
    describe,
    onPage: progressLog(step.suite, context),
    clock: context.clock,
    isOver: () =>
      stat(step.resultFile).then(
        () => true,
        () => false,
      ),
  });
  const reading = reader.run();
  try {
    const outcome = await runWithCli(step, context, (stream, line) => {
      if (stream === 'stderr' && LOAD_IS_OVER.test(line)) reader.readFinal();
    });
    const page = await reader.stop();
    if ('problem' in page)
      return {
        ...outcome,
        metricsPage: {
          unusable: `the metrics page at 127.0.0.1:${port} is missing: ${page.problem}`,
        },
      };
    await writeFile(`${context.evidenceDirectory}/${file}`, redact(page.text, context.secrets));
    return { ...outcome, metricsPage: { file: `evidence/${file}`, isFinal: page.isFinal } };
  } finally {
    await reader.stop();
    await reading;
  }
}

/** Lines get rarer: a suite of two hours does not need thousands. */
function progressLog(suite: string, { clock, log }: RunContext): (description: string) => void {
  const began = clock.monotonic();
  let next = 0;
  return (description) => {
    const elapsed = clock.monotonic() - began;
    if (elapsed < next) return;
    log.info(`${Math.round(elapsed / 1000)} s  ${suite}: ${description}`);
    next = elapsed + Math.min(LONGEST_PAUSE_MS, elapsed / 2);
  };
}
