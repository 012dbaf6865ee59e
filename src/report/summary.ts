import { formatQuantity } from '../judge/format.js';
import { estimateQuantile } from '../judge/quantile.js';
import type { CriterionResult, GateVerdict } from '../judge/verdict.js';
import { countedSamples, shortage } from '../plan/samples.js';
import { createStepsOf, groupsOf } from '../plan/steps.js';
import { BROWSER_CHECK } from '../ready/readiness.js';
import { apiLoadDetails, apiLoadSentences } from './api-load.js';
import { browserSentence } from './browser.js';
import { criteriaTable } from './criteria-table.js';
import { cutShortSentence } from './cut-short.js';
import { bullets, cell, code, details, sections, table } from './markdown.js';
import { metricNamed, type RunReport } from './run-report.js';
import { suiteSentences } from './suites.js';
import { comparisonSentences, comparisonTable, serverSentence, serverTable } from './server.js';
import { concurrencyShown, retriesNeeded, timeShared } from './sentences.js';
import { slowestTables, whereTheTimeWent } from './time-share.js';
import { trafficSentence } from './traffic.js';

const HEADLINE: Readonly<Record<GateVerdict, string>> = {
  pass: 'Scale test passed',
  fail: 'Scale test failed',
  inconclusive: 'Scale test is inconclusive',
  error: 'Scale test could not be judged',
  cancelled: 'Scale test was cancelled',
};

/** The job summary: the verdict and why first, one row a criterion, then where the time went; details folded. */
export function renderSummary(report: RunReport): string {
  const { verdict, plan } = report;
  const judged = !report.evidenceOnly;
  return sections([
    `### ${judged ? HEADLINE[verdict.verdict] : 'Scale test ran; nothing was judged'}`,
    plan.subject === undefined ? undefined : `Under test: ${code(plan.subject)}`,
    judged ? `**${verdict.verdict}**: ${cell(verdict.reason)}` : cell(verdict.reason),
    ...earlyEndSections(report),
    judged && verdict.results.length > 0 ? criteriaTable(verdict.results) : undefined,
    judged ? shortagesText(verdict.results) : undefined,
    timeText(report),
    paragraph(retriesNeeded(report)),
    verdict.verdict === 'cancelled' ? partialText(report) : undefined,
    paragraph(concurrencyShown(report)),
    titledList('API load', apiLoadSentences(report)),
    titled('Workspace traffic', trafficSentence(report)),
    titledList('Other suites', suiteSentences(report)),
    titled('Browsers', browserSentence(report)),
    serverText(report),
    failuresSection(report),
    cleanupSection(report),
    noticesSection(report),
    // A cancelled run has only a part of its workspaces; quantiles of a part would mislead.
    verdict.verdict === 'cancelled' || createStepsOf(plan).length === 0
      ? undefined
      : details('Times of each group', stageTable(report)),
    slowestDetails(report),
    apiLoadDetails(report),
    ...serverDetails(report),
    details('How it was run', runTable(report)),
  ]);
}

/** Which criterion ended the load, when, and what that ended. */
function earlyEndSections(report: RunReport): readonly (string | undefined)[] {
  const { endedEarly, plan } = report;
  if (endedEarly === undefined) return [];
  const { seconds, breaches } = endedEarly;
  const lines = breaches.map(
    ({ id, expect, sentence }) => `- ${code(id)} (${cell(expect)}): ${cell(sentence)}`,
  );
  return [
    `**Ended early**, after ${formatQuantity(seconds, 'seconds')} of at most ${formatQuantity(plan.time.load, 'seconds')} of load`,
    lines.join('\n'),
    paragraph(cutShortSentence(report)),
  ];
}

const timeText = (report: RunReport): string | undefined =>
  paragraphOrList('Where the time went', whereTheTimeWent(report));

/** One sentence stands behind its title, several below it. */
function paragraphOrList(title: string, sentences: readonly string[]): string | undefined {
  return sentences.length === 1 ? titled(title, sentences[0]) : titledList(title, sentences);
}

const titled = (title: string, sentence: string | undefined): string | undefined =>
  sentence === undefined ? undefined : `**${title}.** ${cell(sentence)}`;

const titledList = (title: string, sentences: readonly string[]): string | undefined =>
  sentences.length === 0 ? undefined : `**${title}**\n\n${bullets(sentences)}`;

const paragraph = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : cell(text);

function slowestDetails(report: RunReport): string | undefined {
  const tables = slowestTables(report);
  return tables === undefined ? undefined : details('The slowest workspaces', tables);
}

/** What would have decided the criteria that had too few samples. */
function shortagesText(results: readonly CriterionResult[]): string | undefined {
  const short = results.flatMap((result) => {
    if (result.verdict !== 'inconclusive' || result.observed.n === undefined) return [];
    const { id, metric, expect } = result.criterion;
    const missing = shortage(metric, expect, result.observed.n);
    if (missing === undefined) return [];
    return [`- ${code(id)}: ${cell(`${countedSamples(metric, result.observed.n)}; ${missing}`)}.`];
  });
  return short.length === 0 ? undefined : `**Too few samples to decide**\n\n${short.join('\n')}`;
}

/** What there was when the run was cancelled, and what that ended. */
function partialText(report: RunReport): string | undefined {
  const { metrics, plan } = report;
  const groups = createStepsOf(plan);
  const parts = groups.flatMap(({ group, count }) => {
    const alive = metricNamed(metrics, `create_workspaces.${group}.peak_alive`);
    return alive?.shape === 'count' ? [`${group}: ${alive.value} of ${count} workspaces were ready`] : [];
  });
  const ready = parts.length === 0 ? undefined : `When it was cancelled: ${parts.join('; ')}.`;
  const sentences = [ready, cutShortSentence(report)].filter((sentence) => sentence !== undefined);
  return sentences.length === 0 ? undefined : cell(sentences.join(' '));
}

/** Of a cancelled run nothing was read after the load. */
function serverText({ server, verdict }: RunReport): string | undefined {
  if (server === undefined || verdict.verdict === 'cancelled') return undefined;
  return paragraphOrList("On the server's side", [serverSentence(server), ...comparisonSentences(server)]);
}

function serverDetails({ server }: RunReport): (string | undefined)[] {
  if (server === undefined) return [];
  const [compared, counted] = [comparisonTable(server), serverTable(server)];
  return [
    compared === undefined ? undefined : details("Latencies, ours beside the server's", compared),
    counted === undefined ? undefined : details('What coderd counted', counted),
  ];
}

function failuresSection({ steps }: RunReport): string | undefined {
  const rows = steps.flatMap(({ group, causes }) =>
    causes.slice(0, 10).map(({ summary, count }) => [String(count), cell(group), code(summary)]),
  );
  if (rows.length === 0) return undefined;
  return `**Why runs failed**\n\n${table(['Runs', 'Group', 'Cause'], rows, ['right'])}`;
}

function cleanupSection({ cleanup }: RunReport): string | undefined {
  if (cleanup === undefined) return undefined;
  if (cleanup.skipped !== undefined) return `**Clean-up.** ${cell(cleanup.skipped)}`;
  if (cleanup.problem !== undefined)
    return `**Clean-up.** Whether anything is left could not be read: ${cell(cleanup.problem)}`;
  const done = `${formatQuantity(cleanup.workspaces, 'count')} workspaces and ${formatQuantity(cleanup.users, 'count')} users were removed in ${formatQuantity(cleanup.seconds, 'seconds')}`;
  if (cleanup.leftovers.length === 0) return `**Clean-up.** ${done}; nothing is left on the deployment.`;
  const rows = cleanup.leftovers.slice(0, 20).map(({ name, reason }) => [code(name), cell(reason)]);
  const more =
    cleanup.leftovers.length > rows.length
      ? `\n\n…and ${cleanup.leftovers.length - rows.length} more, in leftovers.json.`
      : '';
  return `**Clean-up.** ${done}, but these are left:\n\n${table(['Left', 'Why'], rows)}${more}`;
}

function noticesSection({ readiness, plan }: RunReport): string | undefined {
  const warnings = readiness.checks
    .filter(({ status }) => status === 'warning')
    .map(({ message }) => message);
  const driver =
    readiness.driver?.driver === 'api' && createStepsOf(plan).some((step) => step.driver === 'auto');
  if (driver)
    warnings.unshift(
      `Workspaces were created through the API instead of the CLI's suite, because ${readiness.driver.reason}.`,
    );
  return titledList('To know', warnings);
}

const STAGES = [
  ['provisioning', 'Provisioning'],
  ['queue', 'Queue'],
  ['build', 'Build'],
  ['agent', 'Agent'],
  ['ready', 'Ready'],
] as const;

function stageTable({ metrics, plan }: RunReport): string {
  const groups = groupsOf(plan);
  const rows = groups.flatMap((group) =>
    STAGES.flatMap(([stage, title]) => {
      const metric = metricNamed(metrics, `create_workspaces.${group}.${stage}`);
      if (metric?.shape !== 'samples') return [];
      const at = (q: number): string =>
        formatQuantity(estimateQuantile(metric, q)?.value ?? Infinity, 'seconds');
      const slowest = metric.failed > 0 ? Infinity : (metric.samples.at(-1) ?? Infinity);
      return [
        [
          cell(group),
          title,
          at(0.5),
          at(0.9),
          at(0.95),
          formatQuantity(slowest, 'seconds'),
          String(metric.samples.length),
          String(metric.failed),
        ],
      ];
    }),
  );
  if (rows.length === 0) return 'Nothing was measured.';
  const note =
    'Provisioning is measured by the driver, from the creation of the user to all agents connected; the others by the server. "never": so many runs failed that the quantile falls on them.';
  return `${table(['Group', 'Stage', 'P50', 'P90', 'P95', 'Max', 'Measured', 'Failed'], rows, ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'])}\n\n${note}`;
}

function runTable(report: RunReport): string {
  const rows = report.steps.map((step) => [
    cell(step.group),
    step.driver,
    formatQuantity(step.seconds, 'seconds'),
    exitText(step),
  ]);
  const { readiness } = report;
  const facts = [
    `Deployment: ${code(report.environment)}, Coder ${code(readiness.serverVersion ?? 'unknown')}`,
    ...(readiness.cliVersion === undefined ? [] : [`CLI: ${code(readiness.cliVersion)}`]),
    ...(report.plan.profile === undefined ? [] : [`Profile: ${code(report.plan.profile)}`]),
    ...readiness.checks
      .filter(({ name }) => name === BROWSER_CHECK)
      .map(({ message }) => `Browsers: ${cell(message)}`),
    `Started: ${report.startedAt.toISOString()}`,
    ...[timeShared(report)].filter((text) => text !== undefined),
    `Results: ${code(report.resultsDirectory)}`,
    'Quantiles are nearest rank over every sample; a failed run counts as infinitely slow. Bounds are exact (order statistics), one-sided 95 %.',
  ];
  return `${rows.length > 0 ? `${table(['Group', 'Driver', 'Took', 'Ended'], rows)}\n\n` : ''}${facts.map((fact) => `- ${fact}`).join('\n')}`;
}

function exitText({ exitCode, exitSignal, endedBy }: RunReport['steps'][number]): string {
  const how = { itself: '', deadline: 'stopped at its deadline', early: 'ended early', cancel: 'cancelled' }[
    endedBy
  ];
  const exit =
    exitCode !== undefined
      ? `exit code ${exitCode}`
      : exitSignal !== undefined
        ? `signal ${exitSignal}`
        : 'done';
  return how === '' ? exit : `${how}, ${exit}`;
}
