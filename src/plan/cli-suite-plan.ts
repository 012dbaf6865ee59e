import { parseExpectation } from '../config/expectation.js';
import type { FlagValue, SuiteFlags } from '../config/schema.js';
import { formatDuration } from '../config/units.js';
import type { SourceLocation } from '../errors.js';
import { minutes, seconds, type Seconds } from '../units.js';
import { durationFlag, numberFlag, valueOf, type CliSuite } from './cli-suite.js';
import { CLI_SUITES, type CliSuiteName } from './cli-suites.js';
import { csvField } from './command.js';
import { completeParameters, type CompletedParameters } from './parameters.js';
import type { CliSuiteStep, TemplateParameter } from './plan-types.js';
import type { SuitePlan } from './suite-plan.js';

/** What is between a run's own time-outs and the end of the suite: users, sign-ins, connecting and closing. */
const RESERVE = minutes(3);
const CLEANUP_TIMEOUT = minutes(10);
/** Given always, also where the config does not name them. */
const TIME_OUTS: readonly string[] = ['timeout', 'job-timeout'];
/** The CLI's own default is one after the other. */
const CLEANUP_CONCURRENCY = 10;
/** Short, since the gate reads the page while the suite runs and once more when it waits. */
const METRICS_WAIT = '3s';

export interface CliSuiteContext {
  readonly rawDirectory: string;
  /** The workspaces of create-workspaces that the suite would find. */
  readonly targets: number;
  readonly locateFlag: (flag: string) => SourceLocation;
}

/** Any suite of the CLI that has no section of its own: its flags are passed on as they are. */
export function planCliSuite(name: CliSuiteName, flags: SuiteFlags, context: CliSuiteContext): SuitePlan {
  const suite = CLI_SUITES[name];
  const natural = seconds(suite.lasts(flags) + RESERVE);
  const timeout = durationFlag(flags, 'timeout', natural);
  const template = suite.template?.(flags);
  const plannedRuns = suite.runs(flags, context.targets);
  const step: Omit<CliSuiteStep, 'command'> = {
    suite: name,
    flags,
    places: Object.fromEntries(Object.keys(flags).map((flag) => [flag, context.locateFlag(flag)])),
    plannedRuns,
    workspaces: suite.workspaces?.(flags) ?? 0,
    users: suite.users?.(flags) ?? 0,
    ...(template !== undefined && { template }),
    parameters: [],
    timeout,
    // The CLI's default of five minutes would cut runs off that are only slow.
    jobTimeout: durationFlag(flags, 'job-timeout', timeout),
    around: seconds((suite.setup ?? 0) + cleanupTime(suite, flags)),
    resultFile: `${context.rawDirectory}/${name}.json`,
  };
  return {
    phase: { name, title: `Suite ${name}`, steps: [{ ...step, command: suiteCommand(step) }] },
    criteria: [
      {
        id: `${name}-success-rate`,
        title: `Runs of ${name} that passed`,
        metric: `${name}.success_rate`,
        expect: parseExpectation('>= 99%'),
        informational: false,
        origin: 'default',
      },
    ],
    metrics: [
      { name: `${name}.success_rate`, shape: 'ratio', unit: 'ratio', plannedSamples: plannedRuns },
      { name: `${name}.duration`, shape: 'samples', unit: 'seconds', plannedSamples: plannedRuns },
    ],
    laterMetrics: `${name}.`,
  };
}

const cleansItself = (suite: CliSuite): boolean =>
  suite.leavesCleanup === undefined && suite.flags.includes('cleanup-timeout');

function cleanupTime(suite: CliSuite, flags: SuiteFlags): Seconds {
  return cleansItself(suite) ? durationFlag(flags, 'cleanup-timeout', CLEANUP_TIMEOUT) : seconds(0);
}

/**
 * The argument vector of a suite. `--name=value` throughout: booleans of the CLI take no separate value. Where it can,
 * the suite leaves the clean-up to the gate, which looks whether anything is left.
 */
export function suiteCommand(step: Omit<CliSuiteStep, 'command'>): readonly string[] {
  const suite = CLI_SUITES[step.suite];
  const { parameter, ...others } = step.flags;
  return [
    'coder',
    'exp',
    'scaletest',
    step.suite,
    ...Object.entries(others)
      .filter(([name]) => !TIME_OUTS.includes(name))
      .flatMap(([name, value]) => flagArguments(name, value)),
    ...[...(parameter === undefined ? [] : [parameter].flat()), ...step.parameters].map(
      (value) => `--parameter=${csvField(String(value))}`,
    ),
    `--timeout=${formatDuration(step.timeout)}`,
    `--job-timeout=${formatDuration(step.jobTimeout)}`,
    ...(suite.leavesCleanup === undefined ? [] : [suite.leavesCleanup]),
    ...(cleansItself(suite) ? ownCleanup(step.flags) : []),
    `--output=${csvField(`json:${step.resultFile}`)}`,
  ];
}

function flagArguments(name: string, value: FlagValue): readonly string[] {
  if (Array.isArray(value)) return value.map((one) => `--${name}=${csvField(String(one))}`);
  return [`--${name}=${String(value)}`];
}

function ownCleanup(flags: SuiteFlags): readonly string[] {
  const wanted = {
    'cleanup-concurrency': numberFlag(flags, 'cleanup-concurrency', CLEANUP_CONCURRENCY),
    'cleanup-timeout': formatDuration(CLEANUP_TIMEOUT),
    'cleanup-job-timeout': formatDuration(CLEANUP_TIMEOUT),
  };
  return Object.entries(wanted).flatMap(([name, value]) =>
    valueOf(flags, name) === undefined ? [`--${name}=${value}`] : [],
  );
}

/** The same step with its metrics page at a port of this machine alone; the default is open to the network. */
export const withMetricsPage = (
  step: CliSuiteStep,
  port: number,
): CliSuiteStep & { readonly metricsPort: number } => ({
  ...step,
  metricsPort: port,
  command: [
    ...step.command,
    `--scaletest-prometheus-address=127.0.0.1:${port}`,
    `--scaletest-prometheus-wait=${METRICS_WAIT}`,
  ],
});

/** Fills in the parameters of the suite's template, each of which the CLI would ask for. */
export function completeSuite(
  step: CliSuiteStep,
  known: readonly TemplateParameter[] | undefined,
): { readonly step: CliSuiteStep; readonly problems: readonly string[] } {
  if (known === undefined || step.template === undefined || CLI_SUITES[step.suite].parameters !== true)
    return { step, problems: [] };
  const given = givenParameters(step.flags);
  const completed: CompletedParameters = completeParameters(
    { template: step.template, parameters: given, place: `suites.${step.suite}.parameter` },
    known,
  );
  const added = Object.entries(completed.values)
    .filter(([name]) => !Object.hasOwn(given, name))
    .map(([name, value]) => `${name}=${value}`);
  const complete = { ...step, parameters: added };
  return { step: { ...complete, command: suiteCommand(complete) }, problems: completed.problems };
}

function givenParameters(flags: SuiteFlags): Readonly<Record<string, string>> {
  const given = valueOf(flags, 'parameter');
  const texts = given === undefined ? [] : [given].flat().map(String);
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
