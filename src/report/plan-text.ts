import { formatDuration } from '../config/units.js';
import { formatQuantity } from '../judge/format.js';
import { CLI_SUITES } from '../plan/cli-suites.js';
import type {
  CliSuiteStep,
  CreateWorkspacesStep,
  Criterion,
  DashboardStep,
  Plan,
  Step,
} from '../plan/plan-types.js';
import { samplePlan } from '../plan/samples.js';
import { isCliStep, isSuiteStep, stepName, suiteStepsOf } from '../plan/steps.js';
import { minutes } from '../units.js';
import { browserStepSentence } from './browser.js';
import { expectedText } from './criteria-table.js';
import { cell, code, details, sections, table } from './markdown.js';
import { modeText } from './traffic.js';

/** A command as it could be typed into a shell. */
export function shellLine(command: readonly string[]): string {
  return command
    .map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}

/** The plan for the job log. */
export function planLines(plan: Plan): readonly string[] {
  return [
    ...plan.phases.flatMap((phase, index) => [
      `Phase ${index + 1}: ${phase.title}${phase.steps.length > 1 ? ' (at the same time)' : ''}`,
      ...phase.steps.flatMap((step) => [
        `  ${stepSentence(step)}`,
        ...(isCliStep(step) ? [`    ${shellLine(step.command)}`] : []),
      ]),
    ]),
    'Criteria:',
    ...plan.criteria.map(
      (criterion) =>
        `  ${criterion.id}: ${criterion.metric} ${expectedText(criterion)}${inBrackets(sampleNote(criterion))}`,
    ),
    ...effectSentences(plan),
  ];
}

function stepSentence(step: Step): string {
  if (isSuiteStep(step)) return suiteSentence(step);
  switch (step.suite) {
    case 'create-workspaces':
      return createSentence(step);
    case 'dashboard':
      return dashboardSentence(step);
    case 'workspace-traffic':
      return `${step.suite}: ${step.bytesPerTick} bytes every ${formatDuration(step.tickInterval)} to each of ${step.workspaces} workspaces through ${modeText(step.mode)} for ${formatDuration(step.timeout)} (a free port for its metrics is chosen when it starts)`;
    case 'dashboard-browser':
      return browserStepSentence(step);
  }
}

function suiteSentence({ suite, plannedRuns, timeout }: CliSuiteStep): string {
  return `${suite}: ${CLI_SUITES[suite].does}; ${formatQuantity(plannedRuns, 'count')} runs, at most ${formatDuration(timeout)}`;
}

function dashboardSentence({ users, usersWithoutWorkspace, duration, alone, work }: DashboardStep): string {
  const owners = users - usersWithoutWorkspace;
  const who =
    owners === 0
      ? `${users} virtual users without a workspace`
      : usersWithoutWorkspace === 0
        ? `${users} virtual users, the owners of workspaces`
        : `${users} virtual users, ${owners} of them owners of workspaces`;
  const what =
    work.kind === 'visits'
      ? `visiting pages (mix ${work.mix})`
      : `sending ${work.rate} calls a second over ${work.routes.length} routes`;
  const since = alone === duration ? '' : `, from the first phase on, ${formatDuration(alone)} of it alone`;
  return `dashboard: ${who}, ${what} for at least ${formatDuration(duration)}${since}`;
}

function createSentence(step: CreateWorkspacesStep): string {
  const parameters = step.parametersComplete
    ? ''
    : ' (the template’s own parameters are added once the deployment is asked)';
  return `${step.group}: ${step.count} workspaces of ${step.template}, ${step.concurrency} at once, at most ${formatDuration(step.timeout)}${parameters}`;
}

function sampleNote(criterion: Criterion): string {
  if (criterion.disabled) return `taken out: ${criterion.disabled.reason}`;
  return [samplePlan(criterion), criterion.informational ? 'informational' : '']
    .filter((part) => part !== '')
    .join('; ');
}

const inBrackets = (note: string): string => (note === '' ? '' : ` (${note})`);

/** What the run takes and does, sentence by sentence. */
function earlyEndSentences({ abortEarly, criteria }: Plan): readonly string[] {
  if (abortEarly === true) return ['The load ends early as soon as a criterion can no longer pass.'];
  const ids = criteria.filter(({ abort }) => abort === true).map(({ id }) => id);
  return ids.length === 0 ? [] : [`The load ends early when this is breached: ${ids.join(', ')}.`];
}

export function effectSentences(plan: Plan): readonly string[] {
  const { effects, time, leftOut = [] } = plan;
  const count = (value: number): string => formatQuantity(value, 'count');
  const cleanup = formatDuration(minutes(Math.ceil(time.cleanup / 60)));
  const slots = time.slotsKnown
    ? `${time.slots} provisioners`
    : `${time.slots} provisioners, which is a guess until the deployment is asked`;
  return [
    ...suiteStepsOf(plan).flatMap(({ suite }) => {
      const { onlyWhenNamed } = CLI_SUITES[suite];
      return onlyWhenNamed === undefined ? [] : [`The suite ${suite} concerns everybody: ${onlyWhenNamed}.`];
    }),
    ...leftOut.map((suite) => `The suite ${suite} is left out: it runs only when input "tests" names it.`),
    `${count(effects.workspaces)} workspaces and ${count(effects.users)} users are created and removed again.`,
    ...(effects.notificationsPerAdmin > 0
      ? [
          `Every owner and user admin gets ${count(effects.notificationsPerAdmin)} notifications: one for each user created and one for each deleted.`,
        ]
      : []),
    `The load takes at most ${formatDuration(minutes(Math.ceil(time.load / 60)))}, the clean-up about ${cleanup} (with ${slots}).`,
    ...earlyEndSentences(plan),
    `Set timeout-minutes to at least ${time.jobMinutes}.`,
  ];
}

function stepCells(step: Step): string[] {
  const name = cell(stepName(step));
  const longest = formatDuration(step.timeout);
  if (isSuiteStep(step))
    return [name, code(step.template ?? ''), String(step.workspaces), String(step.plannedRuns), longest];
  switch (step.suite) {
    case 'create-workspaces':
      return [name, code(step.template), String(step.count), String(step.concurrency), longest];
    case 'dashboard':
      return [name, '', '', String(step.users), longest];
    case 'workspace-traffic':
      return [name, code(step.template ?? ''), String(step.workspaces), String(step.workspaces), longest];
    case 'dashboard-browser':
      return [name, '', '', String(step.users), longest];
  }
}

/** The plan for the job summary. */
export function renderPlan(plan: Plan): string {
  const steps = plan.phases.flatMap((phase, index) =>
    phase.steps.map((step) => [String(index + 1), ...stepCells(step)]),
  );
  const criteria = plan.criteria.map((criterion) => [
    cell(criterion.requirement ?? ''),
    `${cell(criterion.title)}<br><sub>${code(criterion.id)}</sub>`,
    code(criterion.metric),
    cell(expectedText(criterion)),
    cell(sampleNote(criterion)),
  ]);
  const commands = plan.phases
    .flatMap((phase) => phase.steps.filter(isCliStep).map((step) => shellLine(step.command)))
    .join('\n');
  return sections([
    '### Scale test plan',
    plan.subject === undefined ? undefined : `Under test: ${code(plan.subject)}`,
    table(['Phase', 'Group', 'Template', 'Workspaces', 'At once', 'At most'], steps, [
      'right',
      'left',
      'left',
      'right',
      'right',
      'right',
    ]),
    effectSentences(plan)
      .map((sentence) => `- ${cell(sentence)}`)
      .join('\n'),
    table(['Requirement', 'Criterion', 'Metric', 'Expected', 'Samples by this plan'], criteria),
    commands === '' ? undefined : details('Commands', `\`\`\`sh\n${commands}\n\`\`\``),
  ]);
}
