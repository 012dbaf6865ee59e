import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { stepCeiling } from '../plan/time.js';
import { evidenceName, type CliStep } from '../plan/steps.js';
import { milliseconds, toMilliseconds } from '../units.js';
import { superviseProcess, type ProcessRequest } from './process.js';
import type { RunContext, StepOutcome } from './run-types.js';

const LAST_WORDS = 20;
const LONGEST_LINE = 4000;

interface CliTreatment {
  readonly onLine?: ProcessRequest['onLine'];
  /** Lines of stderr that are only counted: neither evidence nor last words. */
  readonly isNoise?: (line: string) => boolean;
  /** Gets only the processor time that nothing else on the runner wants. */
  readonly givesWay?: boolean;
}

/** The lowest priority that there is, on Linux and macOS. */
const GIVING_WAY = ['-n', '19'];

/** Runs a step with Coder's CLI. A CLI that fails is an outcome, not an error. */
export async function runWithCli(
  step: CliStep,
  context: RunContext,
  { onLine, isNoise, givesWay = false }: CliTreatment = {},
): Promise<StepOutcome> {
  if (context.cliPath === undefined) throw new Error('the CLI is needed, but none was installed');
  const startedAt = context.clock.now();
  const evidence = `${context.evidenceDirectory}/${evidenceName(step)}`;
  const files = {
    stdout: openEvidence(`${evidence}.stdout.txt`),
    stderr: openEvidence(`${evidence}.stderr.txt`),
  };
  const redacted = { stdout: context.redactor.lines(), stderr: context.redactor.lines() };
  const lastWords: string[] = [];
  let leftOut = 0;
  const timeLeft = Math.max(1000, context.deadline - context.clock.monotonic());
  try {
    const outcome = await superviseProcess({
      executable: givesWay ? 'nice' : context.cliPath,
      args: [...(givesWay ? [...GIVING_WAY, context.cliPath] : []), ...step.command.slice(1)],
      environment: context.childEnvironment,
      workingDirectory: context.rawDirectory,
      longest: milliseconds(Math.min(toMilliseconds(stepCeiling(step)), timeLeft)),
      signal: context.signal,
      onLine: (stream, line) => {
        onLine?.(stream, line);
        if (stream === 'stderr' && isNoise?.(line) === true) {
          leftOut += 1;
          return;
        }
        // Before the cut: half a secret has no shape to be known by.
        const clean = redacted[stream].next(line).slice(0, LONGEST_LINE);
        files[stream].write(`${clean}\n`);
        if (stream === 'stderr' && clean.trim() !== '') lastWords.push(clean);
        if (lastWords.length > LAST_WORDS) lastWords.shift();
      },
    });
    if (leftOut > 0) files.stderr.write(`(${leftOut} lines without meaning were left out here)\n`);
    return {
      step,
      driver: 'cli',
      startedAt,
      endedAt: context.clock.now(),
      ...((await exists(step.resultFile)) && { resultFile: step.resultFile }),
      ...(outcome.exitCode !== null && { exitCode: outcome.exitCode }),
      ...(outcome.exitSignal !== null && { exitSignal: outcome.exitSignal }),
      endedBy: outcome.endedBy,
      lastWords,
    };
  } finally {
    await Promise.all(Object.values(files).map((file) => file.close()));
  }
}

/** A file that takes lines. One that cannot be written loses its lines, and never ends the run. */
function openEvidence(path: string): { write(text: string): void; close(): Promise<void> } {
  const file = createWriteStream(path);
  const closed = finished(file).catch(() => undefined);
  return {
    write: (text) => void file.write(text),
    close: async () => {
      file.end();
      await closed;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
