import type { DeploymentFacts } from '../coder/facts.js';
import { workingDaemons } from '../coder/facts.js';
import { isScaletestUser } from '../coder/scaletest-resources.js';
import { formatDuration } from '../config/units.js';
import { suggestion } from '../config/nearest.js';
import type { CreateWorkspacesStep, Plan } from '../plan/plan-types.js';
import { usersOfGate } from '../plan/effects.js';
import { pacedRate } from '../plan/pace.js';
import { createStepsOf, dashboardStepOf, templatesOf } from '../plan/steps.js';
import { minutes, seconds, type Seconds } from '../units.js';
import { ok, refused, warned, type Check } from './readiness.js';

/** The server fails provisioner jobs that were pending for so long (coderd/jobreaper). */
const PENDING_LIMIT = minutes(30);
const WEEK = seconds(7 * 86_400);
const MILLISECONDS = 1000;

/** The facts that READY's checks judge, and what surrounds the run. */
export interface CheckContext {
  readonly facts: DeploymentFacts;
  readonly plan: Plan;
  readonly leftovers: 'fail' | 'clean';
  readonly credential: 'token' | 'password';
  /** The event that started the workflow. */
  readonly event: string;
  readonly hasSubject: boolean;
  readonly freeBytes: number | undefined;
}

export function identityCheck({ facts, credential }: CheckContext): Check {
  const name = 'identity';
  if (!facts.user.known) {
    const fresh =
      credential === 'token'
        ? 'give a fresh owner\'s token, or "coder-email" with "coder-password"'
        : 'try again';
    return refused(name, `who the credentials belong to could not be read: ${facts.user.reason}; ${fresh}`);
  }
  const { username, roles } = facts.user.value;
  if (isScaletestUser(facts.user.value)) {
    return refused(
      name,
      `the user "${username}" is called like a scale-test user, so clean-up would take its workspaces for the test's; use an owner of another name`,
    );
  }
  if (roles.some((role) => role.name === 'owner')) return ok(name, `signed in as ${username}, an owner`);
  const has =
    roles.length === 0
      ? 'is an ordinary member'
      : `has the role ${roles.map((role) => role.name).join(', ')}`;
  return refused(
    name,
    `the user "${username}" ${has}, but scale tests need an owner; give an owner's token or password login`,
  );
}

export function expiryCheck({ facts, plan, credential, event }: CheckContext): Check {
  const name = 'credential lifetime';
  if (!facts.user.known) return warned(name, 'not checked, because the identity is not known');
  if (!facts.credentialExpiry.known)
    return warned(name, `the credential's own expiry could not be read: ${facts.credentialExpiry.reason}`);
  const left = seconds((facts.credentialExpiry.value.getTime() - facts.server.time.getTime()) / MILLISECONDS);
  const until = facts.credentialExpiry.value.toISOString();
  if (left < plan.time.total) {
    const what = credential === 'token' ? 'the token' : 'the session';
    return refused(
      name,
      `${what} ends at ${until}, but the run with its clean-up may take ${formatDuration(plan.time.total)}; give a fresh token, or "coder-email" with "coder-password"`,
    );
  }
  if (credential === 'token' && event === 'schedule' && left < WEEK) {
    return warned(
      name,
      `the token ends at ${until}, before the next weekly run; "coder-email" with "coder-password" signs in afresh each time`,
    );
  }
  return ok(name, `valid until ${until}`);
}

export function templateChecks({ facts, plan }: CheckContext, problems: readonly string[]): Check[] {
  const name = 'templates';
  const { templates } = facts;
  if (!templates.known) return [refused(name, `the templates could not be read: ${templates.reason}`)];
  const there = templates.value.map((template) => template.name);
  const checks = createStepsOf(plan).map(({ template, owner }) => {
    const used = facts.used.get(template);
    if (used === undefined) {
      const hint = there.length === 0 ? 'the deployment has no templates' : suggestion(template, there);
      const list = there.length === 0 ? '' : `. There are: ${there.join(', ')}`;
      return refused(name, `the template "${template}" does not exist; ${hint}${list}`);
    }
    if (!used.known) return refused(name, used.reason);
    const [signIn] = used.value.requiredSignIns;
    if (signIn !== undefined && owner === 'scaletest-users') {
      return refused(
        name,
        `the template "${template}" needs a browser sign-in to "${signIn}", which scale-test users cannot make; use a template without required external authentication, or "owner: token-user"`,
      );
    }
    return ok(name, `${template}: ${used.value.parameters.length} parameters, each with a value`);
  });
  return [
    ...(problems.length > 0 ? checks.filter(({ status }) => status !== 'ok') : checks),
    ...problems.map((problem) => refused('parameters', problem)),
  ];
}

export function passwordLoginCheck({ facts, plan }: CheckContext): Check | undefined {
  const name = 'scale-test users';
  const ofLoad = dashboardStepOf(plan)?.usersWithoutWorkspace ?? 0;
  const areOwners = createStepsOf(plan).some(({ owner }) => owner === 'scaletest-users');
  if (!areOwners && ofLoad === 0) return undefined;
  if (!facts.passwordLogin.known)
    return warned(name, `whether password login is on could not be read: ${facts.passwordLogin.reason}`);
  if (facts.passwordLogin.value) return ok(name, `${plan.effects.users} users can be made`);
  return refused(
    name,
    areOwners
      ? 'password login is off, so scale-test users cannot be made; set "owner: token-user" in create_workspaces, or switch password login on'
      : `password login is off, so the ${ofLoad} virtual users of "dashboard" cannot be made; leave the suite out with input "tests", or switch password login on`,
  );
}

export function leftoverCheck({ facts, leftovers }: CheckContext): Check {
  const name = 'leftovers';
  if (!facts.leftovers.known)
    return refused(
      name,
      `whether scale-test resources are left could not be read: ${facts.leftovers.reason}`,
    );
  const { workspaces, users } = facts.leftovers.value;
  if (workspaces.length + users.length === 0) return ok(name, 'no scale-test workspaces or users are there');
  const names = [
    ...workspaces.map((workspace) => ({
      text: `${workspace.owner_name}/${workspace.name}`,
      at: workspace.created_at,
    })),
    ...users.map((user) => ({ text: user.username, at: user.created_at })),
  ];
  const shown = names.slice(0, 5).map(({ text, at }) => `${text} (${age(facts.server.time, at)} old)`);
  const list = `${shown.join(', ')}${names.length > shown.length ? ', …' : ''}`;
  const found = `${workspaces.length} workspaces and ${users.length} users of an earlier scale test are there: ${list}`;
  if (leftovers === 'clean') return warned(name, `${found}; they will be removed first`);
  return refused(
    name,
    `${found}; remove them with "mode: cleanup", or set "leftovers: clean". They may belong to a test that is running`,
  );
}

function age(now: Date, then: Date): string {
  const total = Math.max(0, (now.getTime() - then.getTime()) / MILLISECONDS);
  if (total < 3600) return `${Math.round(total / 60)} min`;
  return total < 172_800 ? `${Math.round(total / 3600)} h` : `${Math.round(total / 86_400)} days`;
}

/** The CLI takes the first organization of its user, in no defined order; the template may be in another. */
export function organizationCheck({ facts, plan }: CheckContext, driver: 'cli' | 'api'): Check | undefined {
  if (driver === 'api' || !facts.user.known || facts.user.value.organization_ids.length < 2) return undefined;
  const templates = templatesOf(plan);
  return warned(
    'organizations',
    `the user is in ${facts.user.value.organization_ids.length} organizations, and the CLI makes its users in any one of them; if ${templates.join(', ')} cannot be used there, set "driver: api"`,
  );
}

/** Whether builds would wait so long for a provisioner that the server gives up on them. */
export function queueCheck({ facts, plan }: CheckContext): Check | undefined {
  const name = 'provisioner queue';
  if (createStepsOf(plan).length === 0) return undefined;
  if (!facts.daemons.known)
    return warned(name, `the provisioners could not be read: ${facts.daemons.reason}`);
  const slots = workingDaemons(facts.daemons.value).length;
  if (slots === 0)
    return refused(
      name,
      "no provisioner is online, so no workspace would be built; start one for the templates' organization",
    );
  for (const phase of plan.phases) {
    const work = createStepsOf({ phases: [phase] }).map((step) => ({ step, build: buildTime(facts, step) }));
    const longest = seconds(
      work.reduce((sum, { step, build }) => sum + step.concurrency * build.time, 0) / slots,
    );
    if (longest <= PENDING_LIMIT) continue;
    const inFlight = work.reduce((sum, { step }) => sum + step.concurrency, 0);
    const text = `${inFlight} builds at once on ${slots} provisioners wait up to ${formatDuration(minutes(Math.ceil(longest / 60)))}, but the server fails builds that were pending for 30 minutes; add provisioners or lower the concurrency`;
    if (work.every(({ build }) => build.measured))
      return refused(name, `${text} (by the templates' own build times)`);
    return warned(
      name,
      `${text} (if a build takes as long as its expected P95: the template has no build times yet)`,
    );
  }
  return ok(name, `${slots} provisioners`);
}

/** Under the rate limit users are made at a pace, which may keep fewer builds in flight than the config asks for. */
export function paceCheck({ facts, plan }: CheckContext, driver: 'cli' | 'api'): Check | undefined {
  if (driver === 'cli' || !facts.rateLimit.known || facts.rateLimit.value.off) return undefined;
  const perSecond = pacedRate(facts.rateLimit.value.perMinute, usersOfGate(plan.phases));
  if (perSecond === undefined) return undefined;
  const asked = createStepsOf(plan).reduce((sum, { concurrency }) => sum + concurrency, 0);
  if (asked === 0) return undefined;
  const longest = Math.max(...createStepsOf(plan).map((step) => buildTime(facts, step).time));
  const possible = Math.ceil(perSecond * longest);
  if (possible >= asked) return undefined;
  return warned(
    'pace',
    `rate limits are on, so users are created at ${Math.floor(perSecond * 60)} a minute; with builds of ${formatDuration(seconds(Math.ceil(longest)))} about ${possible} operations will be in flight at once instead of ${asked}. Switch the limits off for the test to load more`,
  );
}

function buildTime(facts: DeploymentFacts, step: CreateWorkspacesStep): { time: Seconds; measured: boolean } {
  const used = facts.used.get(step.template);
  const median = used?.known ? used.value.template.build_time_stats.start?.P50 : undefined;
  return typeof median === 'number' && median > 0
    ? { time: seconds(median / MILLISECONDS), measured: true }
    : { time: step.expectedP95, measured: false };
}

/** On a pull request the deployment is usually still what it was before: then the result says nothing about the change. */
export function subjectCheck({ event, hasSubject }: CheckContext): Check | undefined {
  if (hasSubject || !/^pull_request/.test(event)) return undefined;
  return warned(
    'subject',
    'this is a pull request, and the input "subject" does not say what is under test: a deployment that the pull request has not changed yet says nothing about it',
  );
}

const BYTES_PER_RUN = 200_000;
const LEAST_FREE_BYTES = 200_000_000;

export function diskCheck({ plan, freeBytes }: CheckContext): Check {
  const name = 'room for the results';
  if (freeBytes === undefined) return warned(name, 'the free disk space could not be read');
  const needed = LEAST_FREE_BYTES + plan.effects.workspaces * BYTES_PER_RUN;
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  if (freeBytes >= needed) return ok(name, `${megabytes(freeBytes)} MB free`);
  return refused(
    name,
    `${megabytes(freeBytes)} MB are free, but the result files of ${plan.effects.workspaces} workspaces may take ${megabytes(needed)} MB; free some disk space`,
  );
}
