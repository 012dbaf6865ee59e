import { isSlipOf, suggestion } from '../config/nearest.js';
import type { SuiteFlags } from '../config/schema.js';
import { formatDuration } from '../config/units.js';
import type { Mistake, SourceLocation } from '../errors.js';
import { seconds } from '../units.js';
import { durationFlag, numberFlag, textFlag, type CliSuite } from './cli-suite.js';
import { CLI_SUITE_NAMES, CLI_SUITES, isCliSuite, NO_SUITES } from './cli-suites.js';

type Locate = (path: readonly PropertyKey[], key: string) => SourceLocation;

const CREDENTIALS = 'the gate gives the deployment and its credentials to the CLI by environment';
const PAGE = "the gate chooses a free port for the suite's own metrics and reads them itself";
const CLEANUP = 'the gate cleans up itself, through the API; see input "cleanup"';

/** Flags that are the gate's own business, with the reason. */
const OWN_FLAGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    output: 'the gate names the result file and reads it',
    'scaletest-prometheus-address': PAGE,
    'scaletest-prometheus-wait': PAGE,
    token: CREDENTIALS,
    url: CREDENTIALS,
    header: CREDENTIALS,
    'header-command': CREDENTIALS,
    'global-config': CREDENTIALS,
    'agent-token': CREDENTIALS,
    'agent-url': CREDENTIALS,
    'no-cleanup': CLEANUP,
    'skip-cleanup': CLEANUP,
    'rich-parameter-file': 'write the values under "parameter", as a list of "name=value"',
    'trace-honeycomb-api-key': 'it is a secret, which would stand in the plan and in the list of processes',
  }),
);

/** What is wrong with the section `suites`, also with suites that are not run today. */
export function suiteMistakes(suites: Readonly<Record<string, SuiteFlags>>, locate: Locate): Mistake[] {
  return Object.entries(suites).flatMap(([name, flags]) => {
    if (isCliSuite(name)) return flagMistakes(name, flags, CLI_SUITES[name], locate);
    const instead = NO_SUITES.get(name);
    const message =
      instead === undefined
        ? `suites: there is no suite "${name}"; ${suggestion(name, CLI_SUITE_NAMES)}`
        : `suites: "${name}" cannot be run here: ${instead}`;
    return [{ message, location: locate(['suites'], name) }];
  });
}

function flagMistakes(name: string, flags: SuiteFlags, suite: CliSuite, locate: Locate): Mistake[] {
  const at = (flag: string): Pick<Mistake, 'location'> => ({ location: locate(['suites', name], flag) });
  const missing = suite.required.filter((flag) => !Object.hasOwn(flags, flag));
  const wrong = Object.keys(flags).flatMap((flag): Mistake[] => {
    const message = nameProblem(name, flag, suite) ?? valueProblem(flag, flags, suite);
    return message === undefined ? [] : [{ message: `suites.${name}.${flag}: ${message}`, ...at(flag) }];
  });
  // A misspelled flag is missing as well, and said once.
  const needed = missing.filter(
    (flag) => !Object.keys(flags).some((typed) => !suite.flags.includes(typed) && isSlipOf(typed, [flag])),
  );
  const incomplete =
    needed.length === 0
      ? []
      : [
          {
            message: `suites.${name} needs ${needed.map((flag) => `"${flag}"`).join(' and ')}`,
            location: locate(['suites'], name),
          },
        ];
  const counts = [...wrong, ...incomplete].length > 0 ? undefined : countProblem(flags, suite);
  return [
    ...wrong,
    ...incomplete,
    ...(counts === undefined
      ? []
      : [{ message: `suites.${name}: ${counts}`, location: locate(['suites'], name) }]),
  ];
}

/** A flag that is not known here may be one of a newer CLI, which is asked before the load; a slip is one at once. */
function nameProblem(name: string, flag: string, { flags }: CliSuite): string | undefined {
  const own = OWN_FLAGS.get(flag);
  if (own !== undefined) return `this flag cannot be set: ${own}`;
  if (!/^[a-z][a-z0-9-]*$/.test(flag))
    return `flags are written as the CLI names them, without dashes before; ${suggestion(flag, flags)}`;
  if (flags.includes(flag) || !isSlipOf(flag, flags)) return undefined;
  return `the suite "${name}" has no such flag; ${suggestion(flag, flags)}`;
}

function valueProblem(flag: string, flags: SuiteFlags, { least, prefixes }: CliSuite): string | undefined {
  const limit = entryOf(least, flag);
  if (limit !== undefined && durationFlag(flags, flag, limit.value) < limit.value)
    return `at least ${formatDuration(limit.value)} is needed: ${limit.reason}`;
  const prefix = entryOf(prefixes, flag);
  if (prefix !== undefined && textFlag(flags, flag)?.startsWith(prefix) === false)
    return `it has to begin with "${prefix}", or the clean-up would not find what the suite makes`;
  if (/(^|-)(timeout|duration|delay|period|wait)$/.test(flag)) {
    const read = durationFlag(flags, flag, seconds(-1));
    if (read < 0) return 'a duration with a unit is needed, like "2m"';
    if (read === 0 && /timeout$/.test(flag)) return 'a duration above zero is needed: 0 would be no limit';
  }
  if (/(^|-)(count|users|evaluations|workspaces|templates|presets|prebuilds)$/.test(flag)) {
    if (flag !== 'target-workspaces' && !Number.isInteger(numberFlag(flags, flag, Number.NaN)))
      return 'a whole number is needed';
  }
  return undefined;
}

/** What adds up to no run at all. */
function countProblem(flags: SuiteFlags, { runs }: CliSuite): string | undefined {
  const planned = runs(flags, 1);
  return planned >= 1 ? undefined : 'with these flags nothing would be run';
}

/** A flag may be named as something that every object has, like "constructor". */
function entryOf<T>(table: Readonly<Record<string, T>> | undefined, flag: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, flag) ? table[flag] : undefined;
}
