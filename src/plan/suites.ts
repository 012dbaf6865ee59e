import { suggestion } from '../config/nearest.js';
import type { Config } from '../config/schema.js';
import type { Mistake, SourceLocation } from '../errors.js';
import { CLI_SUITE_NAMES, CLI_SUITES, isCliSuite } from './cli-suites.js';
import { suiteMistakes } from './suite-flags.js';

type LocateKey = (path: readonly PropertyKey[], key: string) => SourceLocation;

const BUILT_IN_SUITES = ['create-workspaces', 'dashboard', 'workspace-traffic'] as const;

export interface SuiteSelection {
  readonly suites: readonly string[];
  /** Suites that the config has, but that run only when they are named. */
  readonly leftOut: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** The suites that a run consists of, and what is wrong with the choice: unknown, or not configured. */
export function selectSuites(
  config: Config,
  tests: 'all' | readonly string[],
  locate: LocateKey,
): SuiteSelection {
  const configured = configuredSuites(config);
  const known = [...new Set([...BUILT_IN_SUITES, ...CLI_SUITE_NAMES, ...Object.keys(config.suites ?? {})])];
  const suites = tests === 'all' ? configured.filter((suite) => !runsOnlyWhenNamed(suite)) : tests;
  const leftOut = tests === 'all' ? configured.filter(runsOnlyWhenNamed) : [];
  const mistakes: Mistake[] = suites.flatMap((suite) => {
    const message = obstacle(suite, known, configured);
    return message === undefined ? [] : [{ message }];
  });
  if (suites.includes('workspace-traffic') && !suites.includes('create-workspaces'))
    mistakes.push({
      message: `the suite "workspace-traffic" sends traffic to the workspaces of the suite "create-workspaces", which this run leaves out; ${configured.includes('create-workspaces') ? 'select both with input "tests: create-workspaces,workspace-traffic"' : 'add a section "create_workspaces" to the config file'}`,
    });
  mistakes.push(...suiteMistakes(config.suites ?? {}, locate));
  for (const suite of suites.filter(isCliSuite))
    if (CLI_SUITES[suite].needsWorkspaces === true && !suites.includes('create-workspaces'))
      mistakes.push({
        message: `the suite "${suite}" loads the workspaces of the suite "create-workspaces", which this run leaves out; select both with input "tests"`,
      });
  if (suites.includes('dashboard') && config.api_probe !== undefined && config.dashboard === undefined)
    mistakes.push({
      message:
        'api_probe takes the place of what the users of "dashboard" do; add a section "dashboard" that says how many and how long, like "dashboard: { concurrency: 10, duration: 5m }"',
      location: locate([], 'api_probe'),
    });
  if (suites.length === 0) mistakes.push({ message: nothingSelected(leftOut) });
  return { suites, leftOut, mistakes: [...mistakes, ...laterKeys(config, locate)] };
}

const runsOnlyWhenNamed = (suite: string): boolean =>
  isCliSuite(suite) && CLI_SUITES[suite].onlyWhenNamed !== undefined;

function nothingSelected(leftOut: readonly string[]): string {
  return leftOut.length === 0
    ? 'the config file configures no suite; add a section "create_workspaces"'
    : `nothing is selected: ${leftOut.join(' and ')} run${leftOut.length === 1 ? 's' : ''} only when input "tests" names ${leftOut.length === 1 ? 'it' : 'them'}`;
}

function obstacle(
  suite: string,
  known: readonly string[],
  configured: readonly string[],
): string | undefined {
  if (!known.includes(suite))
    return `input "tests" names "${suite}", which is no suite; ${suggestion(suite, ['all', ...known])}`;
  if (!configured.includes(suite))
    return `input "tests" names "${suite}", but the config file has no section for it`;
  return undefined;
}

/** Keys that would change the run, and that nothing acts on yet. */
function laterKeys(config: Config, locate: LocateKey): Mistake[] {
  const mistakes: Mistake[] = [];
  if (config.abort_early)
    mistakes.push({
      message: 'the key "abort_early" is not available yet; take it out',
      location: locate([], 'abort_early'),
    });
  config.criteria.forEach((criterion, index) => {
    if ('abort' in criterion && criterion.abort) {
      mistakes.push({
        message: `criterion "${criterion.id}": the key "abort" is not available yet; take it out`,
        location: locate(['criteria', index], 'abort'),
      });
    }
  });
  return mistakes;
}

function configuredSuites(config: Config): readonly string[] {
  // The API probe takes the place of the dashboard's visits.
  const sections = [config.create_workspaces, config.dashboard ?? config.api_probe, config.workspace_traffic];
  return [
    ...BUILT_IN_SUITES.filter((_, index) => sections[index] !== undefined),
    ...Object.keys(config.suites ?? {}),
  ];
}
