import { z } from 'zod';
import type { ActionRun } from '../simulator/runner/runner.js';
import { isAtLeast, parseVersion } from '../src/coder/version.js';
import type { Owner } from './owner.js';

const buildInfo = z.object({ version: z.string() });

/** What a run with `browser: always` has to come to. */
export interface BrowserExpectation {
  readonly verdicts: readonly string[];
  /** Why a run is not as expected; undefined when it is. */
  problem(run: ActionRun): string | undefined;
}

/** Server, browsers and virtual users share this machine, so that the calls of the latter may be late. */
const CLICKED = ['pass', 'inconclusive'];

/** Up to v2.21 the CLI's browsers click; from then on they do nothing, and a run that asks for them is refused. */
export async function expectationOfBrowsers(owner: Owner): Promise<BrowserExpectation> {
  const { version: text } = buildInfo.parse(await owner.call('GET', '/api/v2/buildinfo'));
  const version = parseVersion(text);
  const doNothing = version === undefined || isAtLeast(version, 2, 22);
  return doNothing
    ? { verdicts: ['error'], problem: reasonProblem }
    : { verdicts: CLICKED, problem: countProblem };
}

function countProblem(run: ActionRun): string | undefined {
  const metrics = z.record(z.string(), z.number()).parse(JSON.parse(run.outputs['metrics'] ?? '{}'));
  const own = Object.entries(metrics).filter(([name]) => name.startsWith('dashboard.'));
  for (const [name, value] of own) console.log(`${name.padEnd(34)} ${value}`);
  const actions = metrics['dashboard.actions.value'] ?? 0;
  return actions > 0 ? undefined : 'no action of a browser was counted';
}

function reasonProblem(run: ActionRun): string | undefined {
  const reason = run.outputs['reason'] ?? '';
  console.log(`Reason: ${reason}`);
  return /"dashboard\.browser: always" cannot be met: .*from v2\.22 on/.test(reason)
    ? undefined
    : 'the reason does not say that the browsers do nothing';
}
