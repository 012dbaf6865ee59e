import path from 'node:path';
import { childEnvironment, inspectCli, type CoderCli, type NeededSuite } from '../coder/cli.js';
import type { DeploymentFacts } from '../coder/facts.js';
import { suggestion } from '../config/nearest.js';
import { InstallError, installRelease, resolveChannel } from '../coder/release.js';
import { parseVersion, type CoderVersion } from '../coder/version.js';
import type { Inputs } from '../inputs.js';
import type { CliSuiteStep, Plan } from '../plan/plan-types.js';
import { isCliStep, isCreateStep, isSuiteStep, stepsOf, type CliStep } from '../plan/steps.js';
import type { World } from '../world.js';

/** Which version of the CLI will run, before it is installed. */
export async function wantedVersion(
  inputs: Inputs,
  facts: DeploymentFacts,
  world: World,
): Promise<CoderVersion | undefined> {
  const given = givenCli(inputs, world);
  if (given !== undefined) {
    const environment = childEnvironment(world.environment);
    return (await inspectCli(given, [], world.runShortCommand, environment)).version;
  }
  switch (inputs.coderVersion) {
    case 'server':
      return facts.server.version;
    case 'stable':
    case 'mainline':
      return parseVersion(await resolveChannel(inputs.coderVersion, inputs.downloadUrl, world.fetch));
    default:
      return parseVersion(inputs.coderVersion);
  }
}

/** Installs the CLI, or takes the one on the runner, and sees that it has what the steps need. */
export async function installCli(
  version: CoderVersion | undefined,
  steps: readonly CliStep[],
  inputs: Inputs,
  world: World,
): Promise<CoderCli> {
  const environment = childEnvironment(world.environment);
  const needed = neededSuites(steps);
  const inspect = async (executable: string): Promise<CoderCli> => {
    const cli = await inspectCli(executable, needed, world.runShortCommand, environment);
    refuseUnknownFlags(cli, steps.filter(isSuiteStep));
    return cli;
  };
  const given = givenCli(inputs, world);
  if (given !== undefined) {
    const cli = await inspect(given);
    world.log.info(
      `The Coder CLI ${cli.versionText} at ${given} is used (input "coder-path"), whatever "coder-version" is; nothing is downloaded`,
    );
    return cli;
  }
  if (version === undefined) {
    throw new InstallError(
      `the server's version is not one of a release, so its CLI cannot be found; set "coder-version" or "coder-path"`,
    );
  }
  if (version.isDevelopment) {
    world.log.warning(
      `the server runs a development build; the CLI of the release ${version.release} is used`,
    );
  }
  const installed = await world.log.group('Install the CLI', () =>
    installRelease(version.release, inputs.downloadUrl, world.platform, {
      cache: world.toolCache,
      log: world.log,
    }),
  );
  return inspect(installed);
}

/**
 * The CLI that the inputs name, from the workspace as other paths are: its own working directory will be another one.
 * A name without a folder is looked for on PATH.
 */
function givenCli({ coderPath }: Inputs, { job }: World): string | undefined {
  return coderPath === undefined || path.basename(coderPath) === coderPath
    ? coderPath
    : path.resolve(job.workspace, coderPath);
}

/** The steps that the CLI carries out: with driver "api" only those that do not create workspaces. */
export function cliSteps(plan: Plan, driver: 'cli' | 'api' | undefined): readonly CliStep[] {
  return stepsOf(plan)
    .filter(isCliStep)
    .filter((step) => !isCreateStep(step) || driver === 'cli');
}

/** The suites of the steps, each with every flag that is used. */
function neededSuites(steps: readonly CliStep[]): readonly NeededSuite[] {
  const suites = [...new Set(steps.map(({ command }) => subcommandOf(command)))];
  return suites.map((suite) => ({
    suite,
    flags: [
      ...new Set(
        steps
          .filter(({ command }) => subcommandOf(command) === suite)
          .flatMap((step) => {
            const flags = step.command.flatMap((part) => /^--[a-z-]+/.exec(part)?.[0] ?? []);
            // Those of the config are looked at one by one, each with its place.
            return isSuiteStep(step)
              ? flags.filter((flag) => !Object.hasOwn(step.flags, flag.slice(2)))
              : flags;
          }),
      ),
    ],
  }));
}

/** Flags that the help of a suite does not show, although it takes them. */
const HIDDEN_FLAGS: readonly string[] = ['provider-propagation-wait'];

/** @throws InstallError for flags of the config that this CLI's suite does not have, each at its place. */
function refuseUnknownFlags(cli: CoderCli, steps: readonly CliSuiteStep[]): void {
  const unknown = steps.flatMap(({ suite, places }) => {
    const known = cli.flags.get(suite) ?? [];
    return Object.entries(places)
      .filter(([flag]) => !known.includes(flag) && !HIDDEN_FLAGS.includes(flag))
      .map(
        ([flag, { file, line, column }]) =>
          `${file}:${line}:${column}: the suite "${suite}" of the Coder CLI ${cli.versionText} has no flag "${flag}"; ${suggestion(flag, known)}`,
      );
  });
  if (unknown.length > 0) throw new InstallError(unknown.join(' · '));
}
/** `coder exp scaletest NAME …`: the step of the browsers is not called as the suite is. */
const subcommandOf = (command: readonly string[]): string => command[3] ?? '';
