import { readFile } from 'node:fs/promises';
import { countLoggedActions, type BrowserEvidence } from '../measure/browser-metrics.js';
import { readBrowserPage } from '../measure/browser-page.js';
import { readable } from '../measure/metrics-page.js';
import { evidenceName, isBrowserStep } from '../plan/steps.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepOutcome } from '../run/run-types.js';
import type { World } from '../world.js';
import type { StepReading } from './measuring.js';
import { readPage } from './page-evidence.js';

/** How much of the load the metrics page tells of: also the file evidence/dashboard-browser.coverage.json. */
interface PageCoverage {
  readonly pageReadAt: string;
  readonly suiteEndedAt: string;
  /** The age of the page when the suite had ended. */
  readonly secondsBeforeTheEnd: number;
  readonly actionsOnPage: number;
  /** In the suite's log, which goes on to the end. */
  readonly actionsInLog?: number;
}

/** What the browsers left behind; undefined where none were run. */
export async function readBrowsers(
  read: readonly StepReading[],
  results: ResultsDirectory,
  world: World,
): Promise<BrowserEvidence | undefined> {
  const reading = read.find(({ outcome }) => isBrowserStep(outcome.step));
  if (reading === undefined || !isBrowserStep(reading.outcome.step)) return undefined;
  const { outcome } = reading;
  const { wanted, users, timeout, interval } = reading.outcome.step;
  const page = await readPage(outcome, results);
  const logged = await readFile(`${results.path}/evidence/${evidenceName(outcome.step)}.stdout.txt`, 'utf8')
    .then(countLoggedActions)
    .catch(() => undefined);
  const evidence: BrowserEvidence = {
    wanted,
    users,
    duration: timeout,
    interval,
    runs: reading.runs,
    page,
    ...(logged !== undefined && { logged }),
  };
  const coverage = coverageOf(outcome, evidence);
  if (coverage !== undefined) {
    await results.writeJson(`evidence/${evidenceName(outcome.step)}.coverage.json`, coverage);
    world.log.info(
      `${outcome.step.suite}: the metrics page was last read ${coverage.secondsBeforeTheEnd} s before the end and tells of ${coverage.actionsOnPage}${logged === undefined ? '' : ` of the ${logged}`} actions`,
    );
  }
  return evidence;
}

function coverageOf(
  { metricsPage, endedAt }: StepOutcome,
  { page, logged }: BrowserEvidence,
): PageCoverage | undefined {
  if (metricsPage === undefined || 'unusable' in metricsPage || 'unusable' in page) return undefined;
  const content = readable(() => readBrowserPage(page.text));
  if ('unusable' in content) return undefined;
  return {
    pageReadAt: metricsPage.readAt.toISOString(),
    suiteEndedAt: endedAt.toISOString(),
    secondsBeforeTheEnd: (endedAt.getTime() - metricsPage.readAt.getTime()) / 1000,
    actionsOnPage: content.actions,
    ...(logged !== undefined && { actionsInLog: logged }),
  };
}
