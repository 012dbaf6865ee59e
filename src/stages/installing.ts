import { childEnvironment, inspectCli, type CoderCli, type NeededSuite } from '../coder/cli.js';
import type { DeploymentFacts } from '../coder/facts.js';
import { InstallError, installRelease, resolveChannel } from '../coder/release.js';
import { parseVersion, type CoderVersion } from '../coder/version.js';
import type { Inputs } from '../inputs.js';
import type { Plan } from '../plan/plan-types.js';
import { isCliStep, isCreateStep, stepsOf, type CliStep } from '../plan/steps.js';
import type { World } from '../world.js';

/** Which version of the CLI will run, before it is installed. */
export async function wantedVersion(
  inputs: Inputs,
  facts: DeploymentFacts,
  world: World,
): Promise<CoderVersion | undefined> {
  if (inputs.coderPath !== undefined) {
    return (
      await inspectCli(inputs.coderPath, [], world.runShortCommand, childEnvironment(world.environment))
    ).version;
  }
  switch (inputs.coderVersion) {
    case 'server':
      return facts.server.version;
    case 'stable':
    case 'mainline':
      return parseVersion(await resolveChannel(inputs.coderVersion, inputs.downloadUrl));
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
  if (inputs.coderPath !== undefined)
    return inspectCli(inputs.coderPath, needed, world.runShortCommand, environment);
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
  const path = await world.log.group('Install the CLI', () =>
    installRelease(version.release, inputs.downloadUrl, world.platform, {
      cache: world.toolCache,
      log: world.log,
    }),
  );
  return inspectCli(path, needed, world.runShortCommand, environment);
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
          .flatMap(({ command }) => command.flatMap((part) => /^--[a-z-]+/.exec(part)?.[0] ?? [])),
      ),
    ],
  }));
}

/** `coder exp scaletest NAME …`: the step of the browsers is not called as the suite is. */
const subcommandOf = (command: readonly string[]): string => command[3] ?? '';
