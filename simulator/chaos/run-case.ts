import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CoderDeployment } from '../coder/server.js';
import { node24Path, type ActionRun, type RunActionOptions } from '../runner/runner.js';
import { startSimulatedWorld, type SimulatedWorld } from '../simulated-world.js';
import type { ChaosCase } from './cases.js';
import { NodeWithFileLimit } from './file-limit.js';
import { makeForeign } from './foreign.js';
import { brokenInvariants, leftovers } from './invariants.js';

/** Longer than any case takes on a busy machine: what has not ended by then hangs. */
const LONGEST_MS = 240_000;
/** The job's time when the deployment does not come back: the gate itself would try for longer. */
const PATIENCE_MS = 15_000;
/** A lease without a sign of life for so long is dead; a case does not wait for that. */
const AGED_BY_MS = 20 * 60_000;

export interface ChaosResult {
  readonly chaos: ChaosCase;
  readonly problems: readonly string[];
  /** Whether the moment of the fault came before main had ended. */
  readonly struck: boolean;
  readonly verdict: string;
  readonly seconds: number;
  readonly log: readonly string[];
}

/** Runs the action in a world of its own, lets the fault strike, and looks what is left of it all. */
export async function runCase(chaos: ChaosCase): Promise<ChaosResult> {
  const began = performance.now();
  const world = await startSimulatedWorld({ deployment: deploymentOf(chaos) });
  const disk = chaos.fault.kind === 'disk full' ? new SmallDisk(chaos.diskBytes) : undefined;
  const strike = new Strike(chaos, world.coder);
  let run: ActionRun | undefined;
  let janitor: ActionRun | undefined;
  try {
    const foreign = await makeForeign(world.coder);
    run = await world.run(chaos.setting.config, {
      ...optionsOf(chaos, world),
      ...(disk?.options ?? {}),
      onLog: (line) => strike.see(line),
    });
    strike.end();
    const leftByPost = run.post?.exitCode === 0 ? leftovers(world) : [];
    if (needsJanitor(chaos, run, world)) {
      ageLease(world.coder);
      janitor = await world.run(undefined, { inputs: { ...credentials(chaos, world), mode: 'cleanup' } });
    }
    const problems = brokenInvariants(chaos, { world, main: run, leftByPost, janitor, foreign });
    return {
      chaos,
      problems,
      struck:
        strike.struck ||
        run.main.signalsSent.length > 0 ||
        ['cli', 'disk full', 'clock jump'].includes(chaos.fault.kind),
      verdict: run.outputs['verdict'] ?? 'none',
      seconds: (performance.now() - began) / 1000,
      log: [...run.main.log, ...(run.post?.log ?? []), ...(janitor?.main.log ?? [])],
    };
  } finally {
    strike.end();
    await run?.cleanUp();
    await janitor?.cleanUp();
    disk?.remove();
    await world.close();
  }
}

function deploymentOf({ setting, fault, seed, number }: ChaosCase) {
  return {
    ...setting.deployment,
    seed: seed + number,
    ...(fault.kind === 'cli' && { cli: { ...setting.deployment.cli, ...fault.behaviour } }),
  };
}

function credentials({ setting }: ChaosCase, { coder }: SimulatedWorld): Record<string, string> {
  return setting.signsIn === undefined
    ? {}
    : {
        'coder-session-token': '',
        'coder-email': coder.ownerEmail,
        'coder-password': coder.ownerPassword,
      };
}

function optionsOf(chaos: ChaosCase, world: SimulatedWorld): Partial<RunActionOptions> {
  const { fault, moment, setting } = chaos;
  const nodePath = node24Path();
  const isAwayToTheEnd = fault.kind === 'deployment' && fault.lasts === 'beyond post';
  const longest = isAwayToTheEnd ? PATIENCE_MS : LONGEST_MS;
  return {
    ...(nodePath !== undefined && { nodePath }),
    inputs: { ...credentials(chaos, world), tests: setting.tests },
    timeoutMs: longest,
    postTimeoutMs: longest,
    ...(fault.kind === 'signals' && { signals: fault.signals(moment) }),
    ...(fault.kind === 'clock jump' && { env: { NODE_OPTIONS: clockJump(fault.byMs, moment.afterMs) } }),
  };
}

/** A module that sets the clock of the action's process after a while. */
function clockJump(byMs: number, afterMs: number): string {
  const code = `const Real = Date; setTimeout(() => { globalThis.Date = class extends Real {
    constructor(...given) { if (given.length === 0) super(Real.now() + ${byMs}); else super(...given); }
    static now() { return Real.now() + ${byMs}; } }; }, ${afterMs}).unref();`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
}

/** Lets a fault of the deployment begin at its moment. */
class Strike {
  struck = false;
  readonly #timers: NodeJS.Timeout[] = [];
  #isArmed = false;
  #isOver = false;
  #endFault = (): void => undefined;

  constructor(
    private readonly chaos: ChaosCase,
    private readonly deployment: CoderDeployment,
  ) {}

  /** With each line of the log, as the runner shows it. */
  see(line: string): void {
    const { fault, moment } = this.chaos;
    if (fault.kind !== 'deployment' || this.#isArmed) return;
    if (moment.pattern !== undefined && !moment.pattern.test(line.replace('##[group]', '::group::'))) return;
    this.#isArmed = true;
    this.#timers.push(setTimeout(() => this.#begin(), moment.afterMs));
  }

  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#endFault();
  }

  #begin(): void {
    const { fault, lastsMs } = this.chaos;
    if (fault.kind !== 'deployment' || this.#isOver) return;
    this.struck = true;
    this.#endFault = fault.begin(this.deployment);
    if (fault.lasts === 'a while') this.#timers.push(setTimeout(this.#endFault, lastsMs));
  }
}

/** Where main and post both could not; otherwise what is left is a failure. */
function needsJanitor({ fault }: ChaosCase, run: ActionRun, { coder }: SimulatedWorld): boolean {
  const postCouldNot = run.post === undefined || run.post.exitCode !== 0;
  const isSomethingLeft = [...coder.state.tokens.values()].some(({ name }) =>
    name.startsWith('scaletest-gate-'),
  );
  // A lease that nobody could release ends by itself, so post fails nothing for it.
  const nobodyCould =
    run.main.signal === 'SIGKILL' || (fault.kind === 'deployment' && fault.lasts === 'beyond post');
  return postCouldNot || (isSomethingLeft && nobodyCould);
}

/** As if so much time had passed for the marks of the lease. */
function ageLease({ state }: CoderDeployment): void {
  for (const token of state.tokens.values()) {
    if (!token.name.startsWith('scaletest-gate-')) continue;
    token.createdAt -= AGED_BY_MS;
    token.updatedAt -= AGED_BY_MS;
    token.expiresAt -= AGED_BY_MS;
  }
}

/** A disk with little room for the results: a file system in memory for root on Linux, else a limit of the files' sizes. */
class SmallDisk {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
  readonly options: Partial<RunActionOptions>;
  #isMounted = false;

  constructor(bytes: number) {
    this.options = this.#mount(bytes) ?? this.#limitFiles(bytes);
  }

  remove(): void {
    if (this.#isMounted) execFileSync('umount', [path.join(this.#folder, 'scaletest-results')]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #mount(bytes: number): Partial<RunActionOptions> | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
    const results = path.join(this.#folder, 'scaletest-results');
    mkdirSync(results);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', results], { stdio: 'ignore' });
    } catch {
      // A container without the right to mount.
      return undefined;
    }
    this.#isMounted = true;
    return { workspace: this.#folder };
  }

  /** Node takes the signal for an error of the call. The CLI's download needs more, so it is there already. */
  #limitFiles(bytes: number): Partial<RunActionOptions> {
    return { nodePath: new NodeWithFileLimit(this.#folder, Math.max(1024, bytes)).switchOn().path };
  }
}
