import type { FlagValue, SuiteFlags } from '../config/schema.js';
import { parseDuration, QuantityError } from '../config/units.js';
import type { Seconds } from '../units.js';

/** What a suite of the CLI is like, as far as the gate has to know it: everything else is the same for all of them. */
export interface CliSuite {
  /** What it does, as the plan says it. */
  readonly does: string;
  /** The first release that has it; `undefined`: none yet. */
  readonly since?: string;
  /** Its flags in any release, without those that the gate sets itself. Newer ones are found by asking the CLI. */
  readonly flags: readonly string[];
  /** Those without which it cannot be planned. */
  readonly required: readonly string[];
  /** How many runs its result file has to list. */
  readonly runs: (flags: SuiteFlags, targets: number) => number;
  readonly workspaces?: (flags: SuiteFlags) => number;
  readonly users?: (flags: SuiteFlags) => number;
  /** The longest that one run may take, by the time-outs of its own. */
  readonly lasts: (flags: SuiteFlags) => Seconds;
  /** What it does before its `--timeout` begins to count, beside listing and planning. */
  readonly setup?: Seconds;
  /** The least that a duration may be, with the reason. */
  readonly least?: Readonly<Record<string, { readonly value: Seconds; readonly reason: string }>>;
  /** Texts have to begin so, or the clean-up would not find what the suite made. */
  readonly prefixes?: Readonly<Record<string, string>>;
  /** The template that has to be there, by name; where `parameters` is set, the CLI wants each of its parameters. */
  readonly template?: (flags: SuiteFlags) => string | undefined;
  readonly parameters?: true;
  readonly needsExternalAgent?: true;
  /** Loads the workspaces that create-workspaces made in the same run. */
  readonly needsWorkspaces?: true;
  /** A feature of the licence, by its name in the entitlements. */
  readonly licence?: (flags: SuiteFlags) => string | undefined;
  /** An experiment of the server, and the CLI since which it is needed. */
  readonly experiment?: { readonly name: string; readonly since: readonly [number, number] };
  /** Since this CLI its users send a header that is answered 428 while rate limits are on. */
  readonly refusedByLimitsSince?: readonly [number, number];
  /** Its own way of leaving things out of the clean-up, which the gate does through the API. */
  readonly leavesCleanup?: '--no-cleanup';
  /** Templates that it makes and may leave behind, by name; with a dash at the end, all whose names begin so. */
  readonly templatesMade?: (flags: SuiteFlags) => readonly string[];
  /** What it does to everybody on the deployment: then it runs only when it is named. */
  readonly onlyWhenNamed?: string;
  /** Stops this function of the deployment for a while, which has to go on again whatever happens. */
  readonly pauses?: 'prebuilds';
  /** Numbers in `metrics` that were asked for, not measured. */
  readonly notMeasured?: readonly string[];
  /** Its logs hold secrets that have no shape to be known by. */
  readonly secretLogs?: true;
}

export function numberFlag(flags: SuiteFlags, name: string, fallback: number): number {
  const value = valueOf(flags, name);
  const number = value === undefined ? fallback : Number(value);
  return Number.isFinite(number) ? number : fallback;
}

export function textFlag(flags: SuiteFlags, name: string): string | undefined {
  const value = valueOf(flags, name);
  return value === undefined || Array.isArray(value) ? undefined : String(value);
}

/** The duration of a flag; the fallback also for a text that is none, which the CLI refuses itself. */
export function durationFlag(flags: SuiteFlags, name: string, fallback: Seconds): Seconds {
  const text = textFlag(flags, name);
  if (text === undefined) return fallback;
  try {
    return parseDuration(text);
  } catch (thrown) {
    if (thrown instanceof QuantityError) return fallback;
    throw thrown;
  }
}

export function valueOf(flags: SuiteFlags, name: string): FlagValue | undefined {
  return Object.hasOwn(flags, name) ? flags[name] : undefined;
}
