import { stat } from 'node:fs/promises';
import { evidenceName, stepName, type CliStep } from '../plan/steps.js';
import type { Milliseconds } from '../units.js';
import { writeWholeText } from '../whole-file.js';
import { runWithCli } from './cli-driver.js';
import { PageReader } from './metrics-page.js';
import type { RunContext, StepOutcome } from './run-types.js';

/** What the CLI says when its load is over and its result file written. */
const LOAD_IS_OVER = /^Waiting \S+ for prometheus metrics to be scraped/;

const LONGEST_PAUSE_MS = 30_000;

/** A suite of the CLI that has a metrics page of its own. */
interface PagedSuite {
  readonly step: CliStep & { readonly metricsPort: number };
  /** What a page of the suite tells; undefined for any other. */
  readonly describe: (text: string) => string | undefined;
  /** How often the page is read. */
  readonly interval: Milliseconds;
  /** Lines of the suite's stderr that tell nothing, of which it writes very many. */
  readonly isNoise?: (line: string) => boolean;
  readonly givesWay?: boolean;
}

/** Runs a suite with Coder's CLI, and keeps its metrics page, which is gone when it ends. */
export async function runPagedSuite(suite: PagedSuite, context: RunContext): Promise<StepOutcome> {
  const { step } = suite;
  const file = `${evidenceName(step)}.metrics.txt`;
  context.log.info(step.command.join(' '));
  const reader = new PageReader({
    port: step.metricsPort,
    interval: suite.interval,
    describe: suite.describe,
    onPage: progressLog(stepName(step), context),
    clock: context.clock,
    isOver: () =>
      stat(step.resultFile).then(
        () => true,
        () => false,
      ),
  });
  const reading = reader.run();
  try {
    const outcome = await runWithCli(step, context, {
      onLine: (stream, line) => {
        if (stream === 'stderr' && LOAD_IS_OVER.test(line)) reader.readFinal();
      },
      ...(suite.isNoise && { isNoise: suite.isNoise }),
      givesWay: suite.givesWay === true,
    });
    const page = await reader.stop();
    if ('problem' in page)
      return {
        ...outcome,
        metricsPage: {
          unusable: `the metrics page at 127.0.0.1:${step.metricsPort} is missing: ${page.problem}`,
        },
      };
    await writeWholeText(`${context.evidenceDirectory}/${file}`, context.redactor.clean(page.text));
    return {
      ...outcome,
      metricsPage: { file: `evidence/${file}`, isFinal: page.isFinal, readAt: page.readAt },
    };
  } finally {
    await reader.stop();
    await reading;
  }
}

/** Lines get rarer: a load of two hours does not need thousands. */
function progressLog(name: string, { clock, log }: RunContext): (description: string) => void {
  const began = clock.monotonic();
  let next = 0;
  return (description) => {
    const elapsed = clock.monotonic() - began;
    if (elapsed < next) return;
    log.info(`${Math.round(elapsed / 1000)} s  ${name}: ${description}`);
    next = elapsed + Math.min(LONGEST_PAUSE_MS, elapsed / 2);
  };
}
