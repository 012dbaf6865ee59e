import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { node24Path, runAction, type ActionRun, type RunActionOptions } from '../simulator/runner/runner.js';
import { expectationOfBrowsers } from './browsers.js';
import { compareWithServer } from './comparison.js';
import { deleteOneByOne, untilAllHandedOver } from './deletions.js';
import type { Owner } from './owner.js';
import { configOf, STALL_MS, TEMPLATE, type Scenario } from './scenarios.js';
import { latenciesBesideServer } from './server-latency.js';
import type { RealServer, ServerSettings } from './server.js';
import { startModelMock, suitesConfig } from './suites.js';
import { runTwoGates } from './two-gates.js';

/** So far into a phase that calls are under way. */
const INTO_THE_PHASE_MS = 3000;
/** The lease of a dead run counts for five minutes. */
const JANITOR_WAIT = '8m';

export interface Outcome {
  readonly isAsExpected: boolean;
  readonly line: string;
}

interface Surroundings {
  readonly server: RealServer;
  readonly owner: Owner;
  readonly settings: ServerSettings;
}

/** Runs the action in a scenario, and looks from outside whether it ended as it has to. */
export async function runScenario(scenario: Scenario, surroundings: Surroundings): Promise<Outcome> {
  console.log(`\n${'='.repeat(10)} ${scenario.title} ${'='.repeat(10)}\n`);
  if (scenario.otherSuites) return runOtherSuites(scenario, surroundings);
  if (scenario.twoGatesWait !== undefined)
    return runGatesTogether(scenario, scenario.twoGatesWait, surroundings);
  const run = await runOnce(scenario, configOf(scenario), surroundings);
  const results = run.outputs['results-dir'];
  // A run that was refused has none.
  if (results !== undefined && existsSync(path.join(results, 'evidence', 'workspaces.json')))
    for (const line of [
      ...(await compareWithServer(results, surroundings.owner)),
      ...(await latenciesBesideServer(results)),
    ])
      console.log(line);
  return judge(scenario, run, surroundings);
}

async function runOtherSuites(scenario: Scenario, surroundings: Surroundings): Promise<Outcome> {
  const { coderPath } = surroundings.settings;
  const mock = await startModelMock(coderPath);
  try {
    const suites = await suitesConfig(coderPath, TEMPLATE, mock?.url);
    if (suites === undefined) return { isAsExpected: true, line: `${scenario.title}: this CLI has none` };
    const named = { ...scenario, tests: suites.tests };
    return await judge(named, await runOnce(named, suites.config, surroundings), surroundings);
  } finally {
    mock?.stop();
  }
}

async function runGatesTogether(
  { title, tests, ...scenario }: Scenario,
  leaseWait: string,
  { server, owner, settings }: Surroundings,
): Promise<Outcome> {
  const { directory, coderPath } = settings;
  const config = await writeConfig(directory, configOf({ title, tests, ...scenario }));
  const gates = { url: server.url, coderPath, config, tests, directory, leaseWait };
  const { problem, verdicts } = await runTwoGates(owner, gates);
  if (problem !== undefined) console.log(`Not as expected: ${problem}`);
  const left = await owner.leftovers();
  return {
    isAsExpected: problem === undefined && left.workspaces + left.users === 0,
    line: `${title}: ${verdicts}, ${left.workspaces} workspaces and ${left.users} users left`,
  };
}

async function writeConfig(directory: string, text: string): Promise<string> {
  const file = path.join(directory, 'scaletest-config.yaml');
  await writeFile(file, text);
  return file;
}

async function runOnce(
  scenario: Scenario,
  text: string,
  { server, owner, settings }: Surroundings,
): Promise<ActionRun> {
  const config = await writeConfig(settings.directory, text);
  await mkdir('scaletest-results', { recursive: true });
  let disturbed: Promise<void> | undefined;
  let handedOver: Promise<number> | undefined;
  const run = await runAction({
    ...actionOptions(),
    ...(scenario.signals && { signals: scenario.signals }),
    ...(scenario.janitor && { runPost: false }),
    inputs: { ...connectionInputs(server, owner, settings), config, tests: scenario.tests },
    onLog: (line, step) => {
      console.log(step === 'post' ? `[post] ${line}` : line);
      if (scenario.disturbance?.at.test(line) === true)
        disturbed ??= disturb(scenario.disturbance.kind, server);
      if (scenario.deletions && step === 'post') handedOver ??= untilAllHandedOver(owner);
    },
  });
  await disturbed;
  console.log(`\n${run.main.summary.trim()}\n`);
  if (handedOver !== undefined) await compareDeletions(await handedOver, { server, owner, settings }, config);
  if (scenario.janitor) await runJanitor({ server, owner, settings });
  return run;
}

/** As many workspaces again, which nobody removes but the guide's command. */
async function compareDeletions(
  handedOver: number,
  { server, owner, settings }: Surroundings,
  config: string,
): Promise<void> {
  const run = await runAction({
    ...actionOptions(),
    inputs: {
      ...connectionInputs(server, owner, settings),
      config,
      tests: 'create-workspaces',
      cleanup: 'never',
    },
  });
  await run.cleanUp();
  const guide = await deleteOneByOne(owner, settings.coderPath, settings.directory);
  await runJanitor({ server, owner, settings });
  console.log(
    `Until all deletions were in the server's hands: post ${(handedOver / 1000).toFixed(1)} s; "coder delete" for each of ${guide.workspaces} workspaces ${(guide.milliseconds / 1000).toFixed(1)} s`,
  );
}

async function runJanitor({ server, owner, settings }: Surroundings): Promise<void> {
  const run = await runAction({
    ...actionOptions(),
    inputs: {
      ...connectionInputs(server, owner, settings),
      mode: 'cleanup',
      'lease-wait': JANITOR_WAIT,
    },
    onLog: (line) => console.log(`[janitor] ${line}`),
  });
  await run.cleanUp();
}

function actionOptions(): Pick<RunActionOptions, 'actionDirectory' | 'nodePath' | 'workspace'> {
  const nodePath = node24Path();
  return {
    actionDirectory: path.resolve(import.meta.dirname, '..'),
    ...(nodePath !== undefined && { nodePath }),
    workspace: process.cwd(),
  };
}

const connectionInputs = (
  { url }: RealServer,
  { token }: Owner,
  { coderPath }: ServerSettings,
): Record<string, string> => ({
  'coder-url': url,
  'coder-session-token': token,
  'coder-path': coderPath,
  'upload-artifact': 'false',
});

async function disturb(kind: 'stall' | 'restart', server: RealServer): Promise<void> {
  await pause(INTO_THE_PHASE_MS);
  switch (kind) {
    case 'stall':
      console.log(`The server is stopped for ${STALL_MS / 1000} s.`);
      await server.stall(STALL_MS);
      return;
    case 'restart':
      console.log('The server is ended and started again.');
      await server.restart();
      console.log('The server is there again.');
  }
}

async function judge(scenario: Scenario, run: ActionRun, { owner }: Surroundings): Promise<Outcome> {
  const verdict = run.outputs['verdict'] ?? '(none)';
  const left = await owner.leftovers();
  const [token] = await owner.leaseTokens();
  const browsers = scenario.withBrowsers && (await expectationOfBrowsers(owner));
  const expected = browsers?.verdicts ?? scenario.expected;
  const problems = [
    browsers?.problem(run),
    token === undefined ? undefined : `the token ${token} is left`,
    scenario.summary?.test(run.main.summary) === false
      ? `the summary says nothing like ${scenario.summary.source}`
      : undefined,
    expected?.includes(verdict) === false ? `the verdict is ${verdict}` : undefined,
    left.workspaces + left.users > 0 ? 'something is left' : undefined,
    ...(await secretsLeft(run, [owner.token, owner.password])),
  ].filter((problem) => problem !== undefined);
  await run.cleanUp();
  for (const problem of problems) console.log(`Not as expected: ${problem}`);
  return {
    isAsExpected: problems.length === 0,
    line: `${scenario.title}: ${verdict}, ${seconds(run)}, ${left.workspaces} workspaces and ${left.users} users left`,
  };
}

/** Where the owner's credentials stand: in a file of the results, or in an output. */
async function secretsLeft(run: ActionRun, secrets: readonly string[]): Promise<readonly string[]> {
  const holds = (text: string): boolean => secrets.some((secret) => text.includes(secret));
  const directory = run.outputs['results-dir'];
  const entries =
    directory === undefined ? [] : await readdir(directory, { recursive: true, withFileTypes: true });
  const problems: string[] = holds(JSON.stringify([run.outputs, run.state, run.main.summary]))
    ? ['a secret stands in an output, the state or the summary']
    : [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    if (holds(await readFile(file, 'utf8'))) problems.push(`a secret stands in ${file}`);
  }
  return problems;
}

const seconds = ({ main, post }: ActionRun): string =>
  `main ${(main.durationMs / 1000).toFixed(1)} s, post ${((post?.durationMs ?? 0) / 1000).toFixed(1)} s`;
