import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { SimulatedWorld } from '../simulated-world.js';
import type { ActionRun } from '../runner/runner.js';
import type { ChaosCase } from './cases.js';
import { latestBuild } from '../coder/state.js';
import type { Foreign } from './foreign.js';
import { ShownSecrets } from './shown-secrets.js';

/** The runner kills a cancelled step 10 s after it asked it to end. */
const CANCEL_PATH_MS = 10_000;
const PASSWORD_FIELD = /password\\*"\s*:\s*\\*"(?!\*\*\*)[^"\\]/i;

export interface Finished {
  /** What was left when a post ended that said that nothing is. */
  readonly leftByPost: readonly string[];
  readonly world: SimulatedWorld;
  readonly main: ActionRun;
  readonly janitor: ActionRun | undefined;
  readonly foreign: Foreign;
}

/** Everything that does not hold after a case; empty: it survived. */
export function brokenInvariants(chaos: ChaosCase, finished: Finished): readonly string[] {
  return [
    ...finished.leftByPost.map((left) => `${left} by post`),
    ...leftovers(finished.world),
    ...keysLeft(chaos, finished),
    ...foreignChanges(finished),
    ...verdictProblems(chaos, finished),
    ...stepProblems(chaos, finished),
    ...fileProblems(finished),
    ...secretsShown(finished),
    ...finished.world.coder.state.internalErrors.map(
      (error) => `the simulator itself failed: ${String(error)}`,
    ),
  ];
}

export function leftovers({ coder: { state } }: SimulatedWorld): readonly string[] {
  return [
    ...state
      .liveWorkspaces()
      .filter(({ name }) => name.startsWith('scaletest-'))
      .map(({ name }) => `workspace ${name} is left`),
    ...state
      .liveUsers()
      .filter(({ username }) => username.startsWith('scaletest-'))
      .map(({ username }) => `user ${username} is left`),
  ];
}

/** The lease's marks, sessions, and tokens of virtual users. */
function keysLeft(
  { fault, setting }: ChaosCase,
  { world, main, janitor, foreign }: Finished,
): readonly string[] {
  const { state } = world.coder;
  const now = Date.now();
  const live = [...state.tokens.values()].filter(
    ({ userId, expiresAt }) => expiresAt > now && state.users.get(userId)?.deleted === false,
  );
  // Where post could not, only the janitor comes, and knows nothing of a session; it ends by itself.
  const sessionMayStay = janitor !== undefined || (fault.kind === 'deployment' && main.post?.exitCode !== 0);
  return live
    .filter(
      ({ name, loginType }) =>
        !['ci', foreign.token].includes(name) && !(loginType === 'password' && sessionMayStay),
    )
    .map(
      ({ name, loginType }) =>
        `${loginType === 'password' ? 'a session' : `the token ${name}`} is left (${setting.name})`,
    );
}

function foreignChanges({ world, foreign }: Finished): readonly string[] {
  const { state } = world.coder;
  const deleted = foreign.users.filter((id) => state.users.get(id)?.deleted !== false);
  const touched = foreign.workspaces.filter(({ id, buildId }) => {
    const workspace = state.workspaces.get(id);
    return workspace === undefined || workspace.deleted || latestBuild(workspace).id !== buildId;
  });
  const hasToken = [...state.tokens.values()].some(({ name }) => name === foreign.token);
  return [
    ...deleted.map((id) => `the real user ${state.users.get(id)?.username ?? id} was deleted`),
    ...touched.map(({ name }) => `the workspace ${name} of a real user was touched`),
    ...(hasToken ? [] : ["another token of the gate's user was deleted"]),
  ];
}

/** A pass needs everything that was planned, and a red step goes with everything else. */
function verdictProblems({ fault, setting }: ChaosCase, { world, main }: Finished): readonly string[] {
  const { verdict } = main.outputs;
  const problems: string[] = [];
  const isGreen = main.main.exitCode === 0;
  // Killed after its verdict it is red for whoever waits for it.
  const wasKilled = main.main.signal !== null;
  if (isGreen !== (verdict === 'pass') && !wasKilled)
    problems.push(
      `the verdict is ${verdict ?? 'missing'}, the exit code ${main.main.exitCode ?? main.main.signal ?? ''}`,
    );
  if (verdict !== 'pass') return problems;
  const built = [...world.coder.state.workspaces.values()].filter(
    ({ name, builds }) =>
      name.startsWith('scaletest-') &&
      builds.some(
        ({ transition, job }) => transition === 'start' && job.completedAt !== null && job.error === '',
      ),
  ).length;
  if (built < setting.workspaces) problems.push(`green with ${built} of ${setting.workspaces} workspaces`);
  if (fault.kind === 'cli') problems.push('green although the CLI left no usable result');
  if (fault.kind === 'disk full') problems.push('green although the results could not be written');
  return problems;
}

function stepProblems({ fault }: ChaosCase, { main }: Finished): readonly string[] {
  const problems: string[] = [];
  const [asked] = main.main.signalsSent;
  const takes = main.main.durationMs - (asked?.atMs ?? 0);
  if (
    asked !== undefined &&
    asked.signal !== 'SIGKILL' &&
    (takes > CANCEL_PATH_MS || main.main.signal === 'SIGKILL')
  )
    problems.push(`main took ${Math.round(takes)} ms after ${asked.signal}`);
  const mayHang = fault.kind === 'deployment' && fault.lasts === 'beyond post';
  if (!mayHang && main.main.timedOut) problems.push('main hung');
  if (!mayHang && main.post?.timedOut === true) problems.push('post hung');
  const postWasKilled = (main.post?.signalsSent.length ?? 0) > 0;
  if (main.post === undefined) problems.push('post did not run');
  const deploymentWasAway = fault.kind === 'deployment';
  if (main.post?.exitCode !== 0 && !postWasKilled && !deploymentWasAway)
    problems.push(`post failed: ${main.post?.log.at(-1) ?? ''}`);
  if (main.orphans.length > 0 && !postWasKilled)
    problems.push(`processes are left: ${main.orphans.map(({ command }) => command).join(', ')}`);
  return problems;
}

interface TextFile {
  readonly file: string;
  readonly text: string;
}

function resultFiles({ main }: Finished): readonly TextFile[] {
  const directory = path.join(main.workspace, 'scaletest-results');
  const entries = readEntries(directory);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .map((file) => ({ file: path.relative(directory, file), text: readFileSync(file, 'utf8') }));
}

function readEntries(directory: string) {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true });
  } catch {
    // Main did not come so far.
    return [];
  }
}

function fileProblems(finished: Finished): readonly string[] {
  return resultFiles(finished)
    .filter(({ file }) => file.endsWith('.json'))
    .flatMap(({ file, text }) => {
      try {
        JSON.parse(text);
        return [];
      } catch {
        return [`${file} is no JSON (${text.length} characters)`];
      }
    });
}

function secretsShown(finished: Finished): readonly string[] {
  const { world, main, janitor } = finished;
  const steps = [main.main, main.post, janitor?.main, janitor?.post].filter((step) => step !== undefined);
  const printed = steps.map(({ rawOutput, summary }) => ({
    file: 'the log or summary',
    text: [...rawOutput.split('\n').filter((line) => !line.startsWith('::add-mask::')), summary].join('\n'),
  }));
  const artifacts = world.artifacts.artifacts.flatMap((artifact) =>
    [...artifact.entries()].map(([file, content]) => ({ file: `artifact: ${file}`, text: String(content) })),
  );
  const places: readonly TextFile[] = [
    ...resultFiles(finished),
    ...artifacts,
    ...printed,
    {
      file: 'outputs and state',
      text: JSON.stringify([main.outputs, main.state, janitor?.outputs, janitor?.state]),
    },
  ];
  const shown = new ShownSecrets(world.coder.state);
  return places.flatMap(({ file, text }) => [
    ...shown.in(text).map((secret) => `${secret} stands in ${file}`),
    ...(PASSWORD_FIELD.test(text) ? [`a password of a request stands in ${file}`] : []),
  ]);
}
