import { setTimeout as wait } from 'node:timers/promises';
import { isAtLeast } from '../../versions.js';
import { CliFailure, commandFailure } from '../exit.js';
import { GoError } from '../go-errors.js';
import { goDuration } from '../go-format.js';
import { runHarness } from '../harness.js';
import type { Invocation } from '../invocation.js';
import { parseOutputs } from '../outputs.js';
import { failures, type Results } from '../results.js';
import { servePage } from '../traffic-page.js';
import { writeResults } from '../write-results.js';
import { suiteHistogram } from './suite-page.js';
import type { PreparedSuite, SimulatedSuite } from './suite.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const sayError = (line: string): void => void process.stderr.write(`${line}\n`);

/** `coder exp scaletest <suite>`, for every suite that has no file of its own. */
export async function runSuite(suite: SimulatedSuite, invocation: Invocation): Promise<void> {
  const { values, behaviour, path } = invocation;
  const outputs = parseOutputs(values.list('output'));
  await invocation.requireOwner();
  const hasPage = values.text('scaletest-prometheus-address') !== '';
  let done = 0;
  const server = hasPage
    ? await servePage(values.text('scaletest-prometheus-address'), () =>
        suite.histogram === null ? '' : suiteHistogram(suite.histogram, done),
      )
    : null;
  const interrupted = new AbortController();
  if (suite.handlesSignals && !behaviour.hangOnSignals)
    for (const signal of SIGNALS) process.on(signal, () => interrupted.abort());
  let problem: GoError | null = null;
  const goOn = (): void => {
    if (interrupted.signal.aborted) throw new GoError('context canceled');
  };
  try {
    const prepared = await suite.prepare(invocation);
    await prepared.before?.();
    if (suite.running !== '') sayError(suite.running);
    const limits = {
      concurrency: 0,
      timeout: values.duration('timeout'),
      jobTimeout: values.duration('job-timeout'),
    };
    const runs = (behaviour.zeroRuns ? [] : prepared.runs).map((run, index) => ({
      ...run,
      execute: async (signal: AbortSignal): Promise<void> => {
        await run.execute(signal);
        await pause(behaviour.suiteSeconds * 1000, signal);
        if (failsByOrder(index, behaviour.failingShare)) throw new GoError('the run failed by order');
        done += 1;
      },
    }));
    const results = await runHarness('', runs, limits, interrupted.signal);
    goOn();
    await finish(suite, invocation, prepared, results, outputs);
  } catch (error) {
    // Before the load begins, nothing has to be ended.
    if (error instanceof CliFailure) throw error;
    problem = error instanceof GoError ? error : new GoError(String(error));
  }
  if (suite.saysTraces) sayError('\nUploading traces...');
  if (hasPage) {
    const milliseconds = values.duration('scaletest-prometheus-wait');
    sayError(
      `Waiting ${goDuration(BigInt(Math.round(milliseconds * 1e6)))} for prometheus metrics to be scraped`,
    );
    await wait(milliseconds);
  }
  server?.closeAllConnections();
  server?.close();
  if (problem !== null) throw commandFailure(path, problem.short());
}

/** Results, clean-up, verdict: in this order, but for autostart, which forgets them when a run failed. */
async function finish(
  suite: SimulatedSuite,
  invocation: Invocation,
  prepared: PreparedSuite,
  results: Results,
  outputs: ReturnType<typeof parseOutputs>,
): Promise<void> {
  const failed = failures(results);
  const message = suite.failed?.(failed, results.runs.length);
  const isTimeless = suite.timeless === true && isAtLeast(invocation.version, 'v2.32.0');
  if (isTimeless && failed > 0) throw new GoError(message ?? '');
  await prepared.after?.();
  writeResults(invocation, outputs, isTimeless ? { ...results, timeless: true } : results);
  if (suite.passed !== undefined)
    sayError(suite.passed(results.runs.length, goDuration(results.nanoseconds)));
  if (suite.saysCleanup) sayError('\nCleaning up...');
  if (!invocation.values.flag('no-cleanup')) await prepared.cleanUp?.();
  if (suite.passed !== undefined) sayError('Cleanup complete');
  if (failed > 0 && message !== undefined) throw new GoError(message);
}

const failsByOrder = (index: number, share: number): boolean =>
  Math.floor((index + 1) * share) > Math.floor(index * share);

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return wait(milliseconds, undefined, { signal }).catch(() => {
    throw new GoError('context canceled');
  });
}
