import type { DeploymentFacts } from '../coder/facts.js';
import { isAtLeast, type CoderVersion } from '../coder/version.js';
import { suggestion } from '../config/nearest.js';
import type { CliSuite } from '../plan/cli-suite.js';
import { CLI_SUITES } from '../plan/cli-suites.js';
import type { CliSuiteStep } from '../plan/plan-types.js';
import { suiteStepsOf } from '../plan/steps.js';
import type { CheckContext } from './checks.js';
import { ok, refused, warned, type Check } from './readiness.js';

/** Password sign-ins a minute and address that the server allows before v2.32; fixed. */
const LOGINS_PER_MINUTE = 60;

interface SuiteContext {
  readonly step: CliSuiteStep;
  readonly suite: CliSuite;
  readonly facts: DeploymentFacts;
  readonly cli: CoderVersion | undefined;
}

/** Whether the deployment has what the CLI's other suites need; nothing where none are planned. */
export function suiteChecks({ facts, plan }: CheckContext, cli: CoderVersion | undefined): readonly Check[] {
  return suiteStepsOf(plan).flatMap((step) => {
    const context: SuiteContext = { step, suite: CLI_SUITES[step.suite], facts, cli };
    const checks = [
      licenceCheck(context),
      experimentCheck(context),
      templateCheck(context),
      externalAgentCheck(context),
      limitsCheck(context),
      passwordCheck(context),
      pauseCheck(context),
    ].filter((check) => check !== undefined);
    return checks.length > 0 ? checks : [ok(nameOf(context), 'the deployment has what it needs')];
  });
}

const nameOf = ({ step }: SuiteContext): string => `suite ${step.suite}`;
const LEAVE_OUT = 'leave the suite out with input "tests"';

function licenceCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts } = context;
  const feature = suite.licence?.(step.flags);
  const features = facts.suites?.features;
  if (feature === undefined || features === undefined) return undefined;
  if (!features.known)
    return warned(
      nameOf(context),
      `"${step.suite}" needs the licensed feature "${feature}", and the features could not be read: ${features.reason}`,
    );
  if (features.value.includes(feature)) return undefined;
  return refused(
    nameOf(context),
    `the suite "${step.suite}" needs the licensed feature "${feature}", which the deployment does not have; add a licence with it, or ${LEAVE_OUT}`,
  );
}

function experimentCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts, cli } = context;
  const experiments = facts.suites?.experiments;
  if (suite.experiment === undefined || experiments === undefined) return undefined;
  const { name, since } = suite.experiment;
  if (cli !== undefined && !isAtLeast(cli, ...since)) return undefined;
  if (!experiments.known)
    return warned(
      nameOf(context),
      `"${step.suite}" needs the experiment "${name}", and the experiments could not be read: ${experiments.reason}`,
    );
  if (experiments.value.includes(name)) return undefined;
  return refused(
    nameOf(context),
    `the suite "${step.suite}" needs the experiment "${name}"; start the server with CODER_EXPERIMENTS=${name}, or ${LEAVE_OUT}`,
  );
}

function templateCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts } = context;
  if (step.template === undefined || !facts.templates.known) return undefined;
  const used = facts.used.get(step.template);
  const place = `suites.${step.suite}.template`;
  if (used === undefined) {
    const there = facts.templates.value.map(({ name }) => name);
    const hint = there.length === 0 ? 'the deployment has no templates' : suggestion(step.template, there);
    return refused(nameOf(context), `the template "${step.template}" (${place}) does not exist; ${hint}`);
  }
  if (!used.known) return refused(nameOf(context), used.reason);
  const [signIn] = used.value.requiredSignIns;
  if (signIn === undefined || suite.parameters !== true) return undefined;
  return refused(
    nameOf(context),
    `the template "${step.template}" (${place}) needs a browser sign-in to "${signIn}", which scale-test users cannot make; use a template without required external authentication`,
  );
}

function externalAgentCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts } = context;
  const external = facts.suites?.externalAgents;
  if (suite.needsExternalAgent !== true || step.template === undefined || external === undefined)
    return undefined;
  if (!facts.used.has(step.template) || !external.known || external.value.includes(step.template))
    return undefined;
  return refused(
    nameOf(context),
    `the template "${step.template}" has no external agent, without which every run of "${step.suite}" fails; use one with "coder_external_agent" and "coder_app"`,
  );
}

/** What fails in every run while rate limits are on, as with create-workspaces. */
function limitsCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts, cli } = context;
  const { rateLimit, server } = facts;
  if ((rateLimit.known && rateLimit.value.off) || step.users === 0 || cli === undefined) return undefined;
  const limits = rateLimit.known ? 'rate limits are on' : 'whether rate limits are on could not be read';
  const switchOff =
    'switch the limits off for the test (CODER_DANGEROUS_DISABLE_RATE_LIMITS), or ' + LEAVE_OUT;
  const since = suite.refusedByLimitsSince;
  const isNewServer = server.version !== undefined && isAtLeast(server.version, 2, 32);
  if (since !== undefined && isAtLeast(cli, ...since) && isNewServer)
    return refused(
      nameOf(context),
      `${limits}, and then every run of "${step.suite}" with the CLI ${cli.release} is answered 428; ${switchOff}`,
    );
  if (isAtLeast(cli, 2, 32) || step.users <= LOGINS_PER_MINUTE / 2) return undefined;
  return refused(
    nameOf(context),
    `${limits}, and the ${step.users} sign-ins of "${step.suite}" would run into ${LOGINS_PER_MINUTE} a minute; ${switchOff}`,
  );
}

function passwordCheck(context: SuiteContext): Check | undefined {
  const { step, facts } = context;
  if (step.users === 0 || !facts.passwordLogin.known || facts.passwordLogin.value) return undefined;
  return refused(
    nameOf(context),
    `password login is off, so the ${step.users} users of "${step.suite}" cannot be made; switch it on, or ${LEAVE_OUT}`,
  );
}

/** The suite resumes what it pauses, also what somebody else had paused on purpose. */
function pauseCheck(context: SuiteContext): Check | undefined {
  const { step, suite, facts } = context;
  const paused = facts.suites?.prebuildsPaused;
  if (suite.pauses === undefined || paused === undefined) return undefined;
  if (!paused.known)
    return refused(
      nameOf(context),
      `whether prebuilt workspaces are paused could not be read, so nobody could tell what "${step.suite}" left behind: ${paused.reason}`,
    );
  if (!paused.value) return undefined;
  return refused(
    nameOf(context),
    `the reconciler of prebuilt workspaces is paused, and "${step.suite}" would let it go on; resume it before ("coder prebuilds resume"), or ${LEAVE_OUT}`,
  );
}
