import { isAtLeast, type CoderVersion } from '../coder/version.js';
import type { DeploymentFacts } from '../coder/facts.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { refused, type Check, type DriverChoice } from './readiness.js';

/** Password sign-ins a minute and address that the server allows; fixed (coderd/httpmw/ratelimit.go). */
const LOGINS_PER_MINUTE = 60;

/**
 * Chooses how workspaces are created. The CLI's suite cannot pass in two cases: its users send the bypass header and
 * are answered 428 (CLI and server v2.32 or newer, limits on), or their sign-ins run into 60 a minute (CLI before
 * v2.32, limits on).
 */
export function chooseDriver(
  steps: readonly CreateWorkspacesStep[],
  facts: DeploymentFacts,
  cliVersion: CoderVersion | undefined,
): { choice: DriverChoice; check?: Check } {
  const configured = steps[0]?.driver ?? 'auto';
  const obstacle = cliObstacle(steps, facts, cliVersion);
  if (configured === 'api') return { choice: { driver: 'api', reason: 'the config asks for it' } };
  if (configured === 'auto') {
    if (obstacle === undefined)
      return { choice: { driver: 'cli', reason: 'nothing keeps the CLI from passing' } };
    return { choice: { driver: 'api', reason: obstacle } };
  }
  const choice: DriverChoice = { driver: 'cli', reason: 'the config asks for it' };
  if (obstacle === undefined) return { choice };
  return {
    choice,
    check: refused(
      'driver',
      `with "driver: cli" every run would fail: ${obstacle}; use "driver: auto" or "driver: api", or switch the limits off (CODER_DANGEROUS_DISABLE_RATE_LIMITS)`,
    ),
  };
}

function cliObstacle(
  steps: readonly CreateWorkspacesStep[],
  facts: DeploymentFacts,
  cli: CoderVersion | undefined,
): string | undefined {
  if (steps.every(({ owner }) => owner === 'token-user')) return undefined;
  if (facts.rateLimit.known && facts.rateLimit.value.off) return undefined;
  const limits = facts.rateLimit.known
    ? 'rate limits are on'
    : 'whether rate limits are on could not be read';
  const server = facts.server.version;
  if (cli === undefined || server === undefined) return `${limits}, and the versions are not known`;
  const isNewServer = isAtLeast(server, 2, 32);
  if (isNewServer && isAtLeast(cli, 2, 32)) {
    return `${limits}, and the CLI ${cli.release} is answered 428 by a server of v2.32 or newer`;
  }
  const count = steps.reduce((sum, step) => sum + step.count, 0);
  return count > LOGINS_PER_MINUTE / 2
    ? `${limits}, and the CLI’s ${count} sign-ins would run into ${LOGINS_PER_MINUTE} a minute`
    : undefined;
}
