import {
  createEnvironmentFiles,
  environmentFileVariables,
  readKeyValueFile,
  readPathFile,
  readSummaryFile,
  type EnvironmentFiles,
} from './environment-files.js';
import { type SecretMasker } from './secret-masker.js';
import { type Annotation, StepLog } from './step-log.js';
import { runStepProcess, type StepProcessEnd, type StepProcessOptions } from './step-process.js';

export type StepOutcome = 'success' | 'failure' | 'cancelled';

export interface StepRun extends StepProcessEnd {
  /** What GitHub would call it: cancelled when a signal was sent before its own end, without a timeout. */
  outcome: StepOutcome;
  /** The lines as GitHub shows them: masked, commands replaced, debug lines only with ACTIONS_STEP_DEBUG. */
  log: string[];
  /** Everything that the step printed, as it printed it. */
  rawOutput: string;
  /** The first ten of each type, as GitHub keeps them; the rest is only counted. */
  annotations: Annotation[];
  droppedAnnotations: number;
  groups: string[];
  unclosedGroups: number;
  /** The job summary, masked line by line. */
  summary: string;
  summaryBytes: number;
  outputs: Record<string, string>;
  state: Record<string, string>;
  env: Record<string, string>;
  path: string[];
}

export interface StepOptions extends Omit<StepProcessOptions, 'onLine'> {
  temp: string;
  masker: SecretMasker;
  /** The runner's own warnings before the step starts. */
  warnings: string[];
  onLog(line: string): void;
}

export async function runStep(options: StepOptions): Promise<StepRun> {
  const files = createEnvironmentFiles(options.temp);
  const environment = { ...options.environment, ...environmentFileVariables(files) };
  const log = new StepLog(options.masker, environment.ACTIONS_STEP_DEBUG === 'true', (line) => {
    options.onLog(line);
  });
  for (const message of options.warnings) log.annotate({ type: 'warning', message });
  const raw: string[] = [];
  const end = await runStepProcess({
    ...options,
    environment,
    onLine: (line) => {
      raw.push(`${line}\n`);
      log.add(line);
    },
  });
  // Read after every kind of end: what was written before a cancel still counts.
  const written = readFiles(files, log);
  const summary = readSummaryFile(files.summary);
  return {
    ...end,
    outcome: outcomeOf(end, written.complete),
    log: log.lines,
    rawOutput: raw.join(''),
    annotations: log.annotations,
    droppedAnnotations: log.droppedAnnotations,
    groups: log.groups,
    unclosedGroups: log.unclosedGroups,
    summary: summary.text
      .split('\n')
      .map((line) => options.masker.mask(line))
      .join('\n'),
    summaryBytes: summary.bytes,
    outputs: { ...log.outputs, ...written.outputs },
    state: { ...log.state, ...written.state },
    env: written.env,
    path: written.path,
  };
}

interface WrittenValues {
  outputs: Record<string, string>;
  state: Record<string, string>;
  env: Record<string, string>;
  path: string[];
  complete: boolean;
}

/** A file that cannot be read fails the step, with the runner's words. */
function readFiles(files: EnvironmentFiles, log: StepLog): WrittenValues {
  let complete = true;
  const read = (name: 'output' | 'state' | 'env'): Record<string, string> => {
    try {
      return readKeyValueFile(files[name]);
    } catch (error) {
      complete = false;
      log.annotate({ type: 'error', message: `Unable to process file command '${name}' successfully.` });
      log.annotate({ type: 'error', message: error instanceof Error ? error.message : String(error) });
      return {};
    }
  };
  const env = read('env');
  if ('NODE_OPTIONS' in env) {
    complete = false;
    log.annotate({
      type: 'error',
      message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.",
    });
    delete env.NODE_OPTIONS;
  }
  const outputs = read('output');
  const state = read('state');
  return { outputs, state, env, path: readPathFile(files.path), complete };
}

function outcomeOf(end: StepProcessEnd, filesComplete: boolean): StepOutcome {
  if (end.signalsSent.length > 0) return end.timedOut ? 'failure' : 'cancelled';
  return end.exitCode === 0 && filesComplete ? 'success' : 'failure';
}
