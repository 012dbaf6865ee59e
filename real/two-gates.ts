import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { node24Path, runAction, type ActionRun } from '../simulator/runner/runner.js';
import { leaveDeadLock, raceForLease } from './lease-race.js';
import type { Owner } from './owner.js';

const runUrl = (run: number): string =>
  `https://github.com/octo-org/infrastructure/actions/runs/${run}/attempts/1`;

interface TwoGates {
  readonly url: string;
  readonly coderPath: string;
  readonly config: string;
  readonly tests: string;
  readonly directory: string;
  readonly leaseWait: string;
}

/**
 * Starts two gates together on a server where a dead run has left its lock, so that both find it dead and take it over
 * at once. Without a wait one runs and the other names it; with one they run one after the other.
 */
export async function runTwoGates(
  owner: Owner,
  gates: TwoGates,
): Promise<{ problem?: string; verdicts: string }> {
  const raceProblems = await raceForLease(owner);
  await leaveDeadLock(owner);
  const runs = await Promise.all([1, 2].map((run) => runGate(run, owner, gates)));
  const tokens = await owner.leaseTokens();
  const verdicts = runs.map(({ outputs }) => outputs['verdict'] ?? '(none)');
  await Promise.all(runs.map((run) => run.cleanUp()));
  const problems = [
    ...raceProblems,
    ...problemsOf(runs, gates.leaseWait),
    ...tokens.map((name) => `the token ${name} is left`),
  ];
  return {
    verdicts: verdicts.join(' and '),
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  };
}

async function runGate(run: number, owner: Owner, gates: TwoGates): Promise<ActionRun> {
  const workspace = path.join(gates.directory, `gate-${gates.leaseWait}-${run}`);
  await mkdir(workspace, { recursive: true });
  const nodePath = node24Path();
  return runAction({
    actionDirectory: path.resolve(import.meta.dirname, '..'),
    ...(nodePath !== undefined && { nodePath }),
    workspace,
    env: { GITHUB_RUN_ID: String(run) },
    inputs: {
      'coder-url': gates.url,
      'coder-session-token': owner.token,
      'coder-path': gates.coderPath,
      config: gates.config,
      tests: gates.tests,
      'lease-wait': gates.leaseWait,
      'upload-artifact': 'false',
    },
    onLog: (line, step) => console.log(`[${run}${step === 'post' ? ' post' : ''}] ${line}`),
  });
}

function problemsOf(runs: readonly ActionRun[], leaseWait: string): readonly string[] {
  const winner = runs.findIndex(({ outputs }) => outputs['verdict'] === 'pass');
  if (leaseWait !== '0') {
    const waited = runs.filter(({ main }) => main.log.some((line) => line.startsWith('Waiting at most')));
    return [
      ...(runs.every(({ outputs }) => outputs['verdict'] === 'pass') ? [] : ['not both passed']),
      ...(waited.length === 1 ? [] : [`${waited.length} of two waited`]),
    ];
  }
  const loser = runs[1 - winner];
  if (winner < 0 || loser === undefined) return ['neither of two gates ran'];
  const reason = loser.outputs['reason'] ?? '';
  const isRefused =
    loser.outputs['verdict'] === 'error' &&
    reason.includes(`holds the lease of this deployment: ${runUrl(winner + 1)}`);
  return isRefused ? [] : [`the second of two gates said: ${reason}`];
}
