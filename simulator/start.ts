import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf, surviving, type Interruptible } from './interruption.js';
import { node24Path, runAction, type ActionRun, type StepRun } from './runner/runner.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { startSimulatedWorld, type SimulatedWorld } from './simulated-world.js';

const USAGE = `Runs the committed action as a runner does, and shows its log and verdict.

  npm start                                    against a simulated deployment
  npm start -- --scenario NAME                 in another health:
${SCENARIOS.map(({ name, shows }) => `      ${name.padEnd(18)}${shows}`).join('\n')}
  npm start -- --coder-url URL --config FILE   against a real deployment, with CODER_SESSION_TOKEN
      (and --input name=value for any other input of the action)

Ctrl-C cancels the run as a runner does: main ends, and post cleans up.
`;

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'healthy' },
    'coder-url': { type: 'string' },
    config: { type: 'string' },
    input: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

const onLog = (line: string, step: 'main' | 'post'): void => {
  console.log(step === 'post' ? `[post] ${line}` : line);
};

async function main(): Promise<number> {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const inputs = Object.fromEntries(values.input.map(splitInput));
  const url = values['coder-url'];
  // A terminal that was closed is no reason to leave anything on the deployment.
  process.stdout.on('error', () => undefined);
  const { result: run, interruption } = await (url === undefined
    ? runSimulated(inputs)
    : runReal(url, inputs));
  show(run);
  return interruption === undefined ? (run.main.exitCode ?? 1) : exitCodeOf(interruption);
}

/** The action's run, with the signal by which somebody ended it. */
type EndedRun = Awaited<ReturnType<typeof surviving<ActionRun>>>;

const survivingSignals = (run: (interruptible: Interruptible) => Promise<ActionRun>): Promise<EndedRun> =>
  surviving(run, (sentence) => {
    console.log(`[start] ${sentence}`);
  });

function splitInput(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`--input ${text}: write it as name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

async function runSimulated(inputs: Record<string, string>): Promise<EndedRun> {
  const scenario = SCENARIOS.find(({ name }) => name === values.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario "${values.scenario}"\n\n${USAGE}`);
  const config = await readFile(
    values.config ?? path.join(import.meta.dirname, 'scaled-down-config.yaml'),
    'utf8',
  );
  const world = await startSimulatedWorld(scenario.world);
  try {
    prepare(scenario, world);
    const options = {
      ...nodeOfActions(),
      workspace: await newWorkspace(),
      inputs: {
        tests: 'all',
        subject: `simulated deployment, scenario ${scenario.name}`,
        ...tokenOf(scenario, world),
        ...inputs,
      },
      onLog,
    };
    return await survivingSignals((interruptible) => world.run(config, { ...options, ...interruptible }));
  } finally {
    await world.close();
  }
}

function prepare({ name }: Scenario, world: SimulatedWorld): void {
  if (name === 'leftovers') world.coder.seedLeftovers(3);
}

function tokenOf({ name }: Scenario, world: SimulatedWorld): Record<string, string> {
  return name === 'not-an-owner' ? { 'coder-session-token': world.coder.memberToken } : {};
}

/** Users get Node 24; the package that brings it is optional. */
function nodeOfActions(): { nodePath?: string } {
  const nodePath = node24Path();
  return nodePath === undefined ? {} : { nodePath };
}

const newWorkspace = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'scaletest-start-'));

async function runReal(url: string, inputs: Record<string, string>): Promise<EndedRun> {
  if (values.config === undefined) throw new Error('--coder-url needs --config FILE as well');
  const token = process.env['CODER_SESSION_TOKEN'];
  const workspace = process.cwd();
  const options = {
    actionDirectory: path.resolve(import.meta.dirname, '..'),
    ...nodeOfActions(),
    workspace,
    inputs: {
      'coder-url': url,
      config: path.relative(workspace, path.resolve(values.config)),
      'upload-artifact': 'false',
      ...(token !== undefined && { 'coder-session-token': token }),
      ...inputs,
    },
    onLog,
  };
  return survivingSignals((interruptible) => runAction({ ...options, ...interruptible }));
}

function show(run: ActionRun): void {
  const heading = (title: string): void => console.log(`\n${'='.repeat(20)} ${title} ${'='.repeat(20)}\n`);
  heading('job summary');
  console.log(run.main.summary.trim());
  heading('annotations');
  const annotations = [...run.main.annotations, ...(run.post?.annotations ?? [])];
  console.log(
    annotations.map(({ type, title, message }) => `${type}: ${title ?? ''}: ${message}`).join('\n') || 'none',
  );
  heading('result');
  console.log(`verdict            ${run.outputs['verdict'] ?? '(none)'}`);
  console.log(`reason             ${run.outputs['reason'] ?? ''}`);
  console.log(`failed-criteria    ${run.outputs['failed-criteria'] ?? '[]'}`);
  console.log(`results directory  ${run.outputs['results-dir'] ?? '(none)'}`);
  console.log(`report             ${run.outputs['report-path'] ?? '(none)'}`);
  console.log(
    `steps              ${describe('main', run.main)}; ${run.post ? describe('post', run.post) : 'no post'}`,
  );
}

const describe = (name: string, step: StepRun): string =>
  `${name} exit code ${step.exitCode ?? `signal ${step.signal ?? 'unknown'}`} after ${(step.durationMs / 1000).toFixed(1)} s`;

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}
