import type { ConfigurationError } from '../errors.js';
import { type Mistake } from '../errors.js';
import type { Inputs } from '../inputs.js';
import type { GateVerdict } from '../judge/verdict.js';
import { isReady, refusals, type Readiness } from '../ready/readiness.js';
import type { Plan } from '../plan/plan-types.js';
import { annotationsOf } from '../report/annotations.js';
import { apiLoadSentences } from '../report/api-load.js';
import { browserSentence } from '../report/browser.js';
import { writeChecksums } from '../record/checksums.js';
import { criteriaLines } from '../report/criteria-table.js';
import { flatMetrics } from '../report/flat-metrics.js';
import { guideFiles, scaleTestReport } from '../report/guide-files.js';
import { cell, code, sections } from '../report/markdown.js';
import { planLines, renderPlan } from '../report/plan-text.js';
import { readinessLines, renderReadiness } from '../report/readiness-text.js';
import type { RunReport } from '../report/run-report.js';
import { retriesNeeded } from '../report/sentences.js';
import { comparisonSentences, serverSentence } from '../report/server.js';
import { renderSummary } from '../report/summary.js';
import { suiteSentences } from '../report/suites.js';
import { whereTheTimeWent } from '../report/time-share.js';
import { trafficSentence } from '../report/traffic.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { World } from '../world.js';

/** GitHub keeps ten annotations of a kind a step; the last place is for the sum. */
const MOST_ANNOTATIONS = 9;

export function setVerdict(verdict: GateVerdict, reason: string, world: World): void {
  world.step.setOutput('verdict', verdict);
  world.step.setOutput('reason', reason);
}

export async function reportPlan(
  plan: Plan,
  problems: readonly string[],
  results: ResultsDirectory,
  world: World,
): Promise<void> {
  await results.writeJson('plan.json', plan);
  world.step.setOutput('plan', JSON.stringify(plan));
  await world.log.group('Plan', () => {
    for (const line of planLines(plan)) world.log.info(line);
    return Promise.resolve();
  });
  const trouble = problems.map((problem) => `- **${cell(problem)}**`).join('\n');
  const text = sections([renderPlan(plan), trouble]);
  await results.writeText('summary.md', text);
  await world.step.writeSummary(text);
}

export async function reportReadiness(
  readiness: Readiness,
  results: ResultsDirectory,
  world: World,
): Promise<void> {
  await results.writeJson('readiness.json', readiness);
  await world.log.group('Readiness', () => {
    for (const line of readinessLines(readiness)) world.log.info(line);
    return Promise.resolve();
  });
  for (const { status, name, message } of readiness.checks) {
    if (status === 'warning') world.log.warning(message, { title: `Scale test readiness: ${name}` });
  }
}

/** The end of a run that READY did not let start, or of mode preflight. */
export async function reportNotStarted(
  readiness: Readiness,
  results: ResultsDirectory,
  world: World,
): Promise<void> {
  const ready = isReady(readiness);
  const text = renderReadiness(readiness, ready);
  await results.writeText('summary.md', text);
  await world.step.writeSummary(text);
  if (ready) {
    world.step.setOutput('reason', 'the deployment is ready');
    return;
  }
  const reasons = refusals(readiness);
  setVerdict('error', reasons.join(' · '), world);
  reasons
    .slice(0, MOST_ANNOTATIONS)
    .forEach((reason) => world.log.error(reason, { title: 'Scale test not started' }));
  world.step.fail();
}

/** Evidence first, failing last. */
export async function reportRun(
  report: RunReport,
  inputs: Inputs,
  results: ResultsDirectory,
  world: World,
): Promise<void> {
  const { verdict } = report;
  const summary = renderSummary(report);
  await writeReportFiles(report, results);
  await results.writeText('summary.md', summary);
  world.step.setOutput('metrics', JSON.stringify(flatMetrics(report.metrics)));
  world.step.setOutput('report-path', `${results.path}/scale-test-report.json`);
  await world.step.writeSummary(summary);
  await writeChecksums(results.path);
  if (report.evidenceOnly) {
    world.step.setOutput('reason', verdict.reason);
    world.log.info(`Evidence is in ${results.shown}; nothing was judged (mode run)`);
    return;
  }
  setVerdict(verdict.verdict, verdict.reason, world);
  world.step.setOutput('failed-criteria', JSON.stringify(verdict.failedCriteria));
  world.step.setOutput('inconclusive-criteria', JSON.stringify(verdict.inconclusiveCriteria));
  logVerdict(report, world);
  for (const { level, title, message } of annotationsOf(verdict, inputs.onInconclusive))
    world.log[level](message, { title });
  const isGreen =
    verdict.verdict === 'pass' || (verdict.verdict === 'inconclusive' && inputs.onInconclusive === 'warn');
  if (!isGreen) world.step.fail();
}

async function writeReportFiles(report: RunReport, results: ResultsDirectory): Promise<void> {
  await results.writeJson('verdict.json', report.verdict);
  for (const { name, content } of [...guideFiles(report), scaleTestReport(report)])
    await results.writeJson(name, content);
}

function logVerdict(report: RunReport, world: World): void {
  world.log.info('');
  for (const line of criteriaLines(report.verdict.results)) world.log.info(line);
  for (const sentence of whereTheTimeWent(report)) world.log.info(`Where the time went: ${sentence}`);
  const retries = retriesNeeded(report);
  if (retries !== undefined) world.log.info(retries);
  for (const sentence of apiLoadSentences(report)) world.log.info(`API load: ${sentence}`);
  const traffic = trafficSentence(report);
  if (traffic !== undefined) world.log.info(`Workspace traffic: ${traffic}`);
  for (const sentence of suiteSentences(report)) world.log.info(sentence);
  const browsers = browserSentence(report);
  if (browsers !== undefined) world.log.info(`Browsers: ${browsers}`);
  if (report.server !== undefined && report.verdict.verdict !== 'cancelled') {
    for (const sentence of [serverSentence(report.server), ...comparisonSentences(report.server)])
      world.log.info(`On the server's side: ${sentence}`);
  }
  world.log.info(`Verdict: ${report.verdict.verdict}. ${report.verdict.reason}`);
  world.log.info(`Results: ${report.resultsDirectory}`);
}

/** Every mistake in inputs or config, at its own line. */
export async function reportMistakes(error: ConfigurationError, world: World): Promise<void> {
  setVerdict('error', error.mistakes.map(({ message }) => message).join(' · '), world);
  error.mistakes.forEach((mistake, index) => {
    const title = 'Scale test configuration';
    if (index < MOST_ANNOTATIONS)
      world.log.error(sentenceOf(mistake), {
        title,
        ...(mistake.location && { location: mistake.location }),
      });
    else world.log.info(sentenceOf(mistake));
  });
  const lines = error.mistakes.map((mistake) => `- ${cell(mistake.message)}${placeOf(mistake)}`);
  await world.step.writeSummary(
    sections(['### The scale test is not configured right', 'Nothing was started.', lines.join('\n')]),
  );
  world.step.fail();
}

function sentenceOf({ message, location }: Mistake): string {
  return location === undefined
    ? message
    : `${location.file}:${location.line}:${location.column}: ${message}`;
}

const placeOf = ({ location }: Mistake): string =>
  location === undefined ? '' : ` (${code(`${location.file}:${location.line}:${location.column}`)})`;

/** Something that nobody planned for: an error, never green. */
export async function reportUnexpected(message: string, world: World): Promise<void> {
  const isCancelled = world.cancelled.aborted;
  // First what cannot fail: on a full disk neither outputs nor summary can be written.
  world.step.fail();
  world.log.error(message, { title: isCancelled ? 'Scale test cancelled' : 'Scale test gate' });
  setVerdict(isCancelled ? 'cancelled' : 'error', message, world);
  await world.step.writeSummary(
    sections([
      isCancelled ? '### Scale test was cancelled' : '### Scale test could not be judged',
      cell(message),
    ]),
  );
}
