import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { DeploymentOptions, TemplateOptions } from '../../simulator/coder/options.js';
import type { ActionRun, Annotation, RunActionOptions } from '../../simulator/runner/runner.js';
import {
  startSimulatedWorld,
  type SimulatedWorld,
  type WorldOptions,
} from '../../simulator/simulated-world.js';

/** A scenario starts three or four processes of its own; the machine may have two cores and other work. */
const MOST_AT_ONCE = 3;
export const LONGEST_SCENARIO_MS = 120_000;

/** A folder with another build of the action than the committed one: the one that is broken on purpose. */
const ACTION_UNDER_TEST = process.env['ACTION_UNDER_TEST'];

/** Builds in tenths of a second, so that a whole run takes seconds. */
export const QUICK: Partial<TemplateOptions> = {
  startSeconds: { median: 0.3, sigma: 0.1 },
  dryRunSeconds: { median: 0.05, sigma: 0.1 },
  deleteSeconds: { median: 0.1, sigma: 0.1 },
  agentConnectSeconds: { median: 0.1, sigma: 0.1 },
};
export const spread = (median: number): { median: number; sigma: number } => ({ median, sigma: 0 });

export function quickDeployment(changes: Partial<DeploymentOptions> = {}): Partial<DeploymentOptions> {
  const { templateOverrides = {}, cli = {}, ...others } = changes;
  const names = ['pod-swdev', 'ec2-datasci', 'tpl-fail', 'tpl-noagent'];
  return {
    disableRateLimits: true,
    provisionerSlots: 12,
    ...others,
    templateOverrides: Object.fromEntries(
      names.map((name) => [name, { ...QUICK, ...templateOverrides[name] }]),
    ),
    cli: { pollScale: 0.2, ...cli },
  };
}

let running = 0;
const waiting: (() => void)[] = [];

async function takePlace(): Promise<void> {
  if (running < MOST_AT_ONCE) {
    running += 1;
    return;
  }
  await new Promise<void>((resolve) => waiting.push(resolve));
}

function leavePlace(): void {
  const next = waiting.shift();
  if (next === undefined) running -= 1;
  else next();
}

export interface E2eWorld extends SimulatedWorld {
  /** As `run`, with the profile that needs few workspaces unless the inputs say otherwise. */
  gate(config: string | undefined, options?: Partial<RunActionOptions>): Promise<ActionRun>;
}

/** A world of one's own for one scenario; nothing of it is left afterwards. */
export async function inWorld(
  deployment: Partial<DeploymentOptions>,
  scenario: (world: E2eWorld) => Promise<void>,
  others: Omit<WorldOptions, 'deployment'> = {},
): Promise<void> {
  await takePlace();
  const runs: ActionRun[] = [];
  try {
    const world = await startSimulatedWorld({ ...others, deployment: quickDeployment(deployment) });
    const run: SimulatedWorld['run'] = async (config, options) => {
      const finished = await world.run(config, {
        ...(ACTION_UNDER_TEST !== undefined && { actionDirectory: ACTION_UNDER_TEST }),
        ...options,
      });
      runs.push(finished);
      return finished;
    };
    try {
      await scenario({
        ...world,
        run,
        gate: (config, options = {}) =>
          run(config, { ...options, inputs: { profile: 'smoke', ...options.inputs } }),
      });
      expect(world.coder.state.internalErrors).toEqual([]);
    } finally {
      await world.close();
    }
  } finally {
    await Promise.all(runs.map((run) => run.cleanUp()));
    leavePlace();
  }
}

export interface ConfigOptions {
  pods?: number;
  ec2?: number;
  /** Lines under `create_workspaces`, without their indentation. */
  suite?: readonly string[];
  podGroup?: readonly string[];
  ec2Group?: readonly string[];
  podTemplate?: string;
  podLimit?: string;
  /** Lines at the top level. */
  more?: readonly string[];
}

const indented = (spaces: number, lines: readonly string[]): string[] =>
  lines.map((line) => ' '.repeat(spaces) + line);

/** The guide's section `create_workspaces` with a few workspaces. A group of none is left out. */
export function configFile(options: ConfigOptions = {}): string {
  const { pods = 2, ec2 = 1, suite = [], podGroup = [], ec2Group = [], more = [] } = options;
  const group = (name: string, template: string, count: number, limit: string, lines: readonly string[]) =>
    count === 0
      ? []
      : [
          `    ${name}:`,
          ...indented(6, [
            `template: ${template}`,
            `count: ${count}`,
            `concurrency: ${count}`,
            `expected_p95: ${limit}`,
            ...lines,
          ]),
        ];
  return [
    'create_workspaces:',
    `  count: ${pods + ec2}`,
    ...indented(2, suite),
    '  templates:',
    ...group('pod_workspaces', options.podTemplate ?? 'pod-swdev', pods, options.podLimit ?? '60s', podGroup),
    ...group('ec2_workspaces', 'ec2-datasci', ec2, '90s', ec2Group),
    ...more,
    '',
  ].join('\n');
}

/** The parts of a run that most scenarios look at. */
export const verdictOf = (run: ActionRun): string | undefined => run.outputs['verdict'];
/** Numbers and their units are kept on one line by spaces that do not break. */
const plainSpaces = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');
export const reasonOf = (run: ActionRun): string => plainSpaces(run.outputs['reason'] ?? '');
export const summaryOf = (run: ActionRun): string => plainSpaces(run.main.summary);
export const annotationsOf = (run: ActionRun, type: Annotation['type']): Annotation[] =>
  [...run.main.annotations, ...(run.post?.annotations ?? [])].filter((one) => one.type === type);
export const errorTexts = (run: ActionRun): string =>
  plainSpaces(
    annotationsOf(run, 'error')
      .map(({ title = '', message }) => `${title}: ${message}`)
      .join('\n'),
  );
export const failedCriteria = (run: ActionRun): string[] =>
  JSON.parse(run.outputs['failed-criteria'] ?? '[]') as string[];
export const logOf = (run: ActionRun): string => [...run.main.log, ...(run.post?.log ?? [])].join('\n');

/** Everything about a run at once, so that a failing assertion shows why. */
export function outcomeOf(run: ActionRun): {
  exitCode: number | null;
  post: number | null | undefined;
  verdict: string | undefined;
  orphans: unknown[];
} {
  return {
    exitCode: run.main.exitCode,
    post: run.post?.exitCode,
    verdict: verdictOf(run),
    orphans: run.orphans,
  };
}

export function expectOutcome(
  run: ActionRun,
  verdict: string,
  exitCode: 0 | 1,
  postExitCode: 0 | 1 = 0,
): void {
  expect(outcomeOf(run), `${reasonOf(run)}\n${logOf(run)}`).toEqual({
    exitCode,
    post: postExitCode,
    verdict,
    orphans: [],
  });
  expect(run.main.unclosedGroups).toBe(0);
}

/** Nothing of a scale test is on the deployment any more. */
export function expectNothingLeft(world: SimulatedWorld): void {
  expect(remaining(world)).toEqual({ workspaces: [], users: [] });
}

export function remaining({ coder }: SimulatedWorld): { workspaces: string[]; users: string[] } {
  return {
    workspaces: coder.state.liveWorkspaces().map(({ name }) => name),
    users: coder.state
      .liveUsers()
      .map(({ username }) => username)
      .filter((name) => name.startsWith('scaletest-')),
  };
}

/** No run was started: no user, no workspace, not even for a moment. */
export function expectNothingCreated({ coder }: SimulatedWorld): void {
  expect(coder.state.workspaces.size).toBe(0);
  expect(coder.state.users.size).toBe(2);
}

/** A refusal before the load: one sentence in all places, exit code 1, and nothing done. */
export function expectRefusal(
  run: ActionRun,
  world: SimulatedWorld,
  ...sentences: (string | RegExp)[]
): void {
  expectOutcome(run, 'error', 1);
  for (const sentence of sentences) {
    expect(reasonOf(run)).toMatch(sentence);
    expect(errorTexts(run)).toMatch(sentence);
  }
  expect(run.main.summary).toMatch(/^### The scale test (is not configured right|was not started)/);
  expectNothingCreated(world);
}

export const resultsOf = (run: ActionRun): string => {
  const directory = run.outputs['results-dir'];
  if (directory === undefined) throw new Error(`no results directory:\n${logOf(run)}`);
  return directory;
};

/** Files below a folder by their paths, sorted. */
export function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(directory, name)).isFile())
    .sort();
}

export const readResult = (run: ActionRun, name: string): string =>
  readFileSync(path.join(resultsOf(run), name), 'utf8');
export const readJson = (run: ActionRun, name: string): unknown => JSON.parse(readResult(run, name));

/** A module for NODE_OPTIONS that makes the tool cache's retries short. */
export const FAST_RETRIES = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    'globalThis.TEST_DOWNLOAD_TOOL_RETRY_MIN_SECONDS=0;globalThis.TEST_DOWNLOAD_TOOL_RETRY_MAX_SECONDS=0',
  )}`,
};
