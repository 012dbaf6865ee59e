import type { CoderVersion } from '../coder/version.js';
import type { Check, Readiness } from './readiness.js';
import {
  diskCheck,
  expiryCheck,
  identityCheck,
  leftoverCheck,
  organizationCheck,
  paceCheck,
  passwordLoginCheck,
  queueCheck,
  subjectCheck,
  templateChecks,
  type CheckContext,
} from './checks.js';
import { otherOwnersCheck } from './lease-check.js';
import { loadChecks } from './load-checks.js';
import { createStepsOf } from '../plan/steps.js';
import { chooseDriver } from './driver.js';
import { ok } from './readiness.js';
import { suiteChecks } from './suite-checks.js';

/** All checks without which the load would be wasted, at once. */
export function checkReadiness(
  context: CheckContext,
  parameterProblems: readonly string[],
  cliVersion: CoderVersion | undefined,
): Readiness {
  const { facts } = context;
  // Without an identity nothing else can be read, and each check would only repeat why.
  if (!facts.user.known) {
    return {
      schema: 1,
      checks: [ok('deployment', `Coder ${facts.server.versionText} answers`), identityCheck(context)],
      serverVersion: facts.server.versionText,
    };
  }
  const steps = createStepsOf(context.plan);
  const { choice, check: driverCheck } = chooseDriver(steps, facts, cliVersion);
  const checks: (Check | undefined)[] = [
    ok('deployment', `Coder ${facts.server.versionText} answers`),
    identityCheck(context),
    expiryCheck(context),
    ...templateChecks(context, parameterProblems),
    passwordLoginCheck(context),
    leftoverCheck(context),
    otherOwnersCheck(context),
    ...loadChecks(context),
    ...suiteChecks(context, cliVersion),
    queueCheck(context),
    diskCheck(context),
    subjectCheck(context),
    organizationCheck(context, choice.driver),
    paceCheck(context, choice.driver),
    driverCheck,
  ];
  return {
    schema: 1,
    checks: checks.filter((check) => check !== undefined),
    driver: choice,
    serverVersion: facts.server.versionText,
  };
}
