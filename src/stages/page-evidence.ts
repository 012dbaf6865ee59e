import { readFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import type { MetricsPage, Unusable } from '../measure/metrics-page.js';
import type { ResultsDirectory } from '../results-directory.js';
import type { StepOutcome } from '../run/run-types.js';

/** A suite's metrics page, as it was kept. */
export async function readPage(
  { metricsPage }: StepOutcome,
  results: ResultsDirectory,
): Promise<MetricsPage | Unusable> {
  if (metricsPage === undefined) return { unusable: 'the metrics page was not read' };
  if ('unusable' in metricsPage) return metricsPage;
  try {
    const text = await readFile(`${results.path}/${metricsPage.file}`, 'utf8');
    return { text, isFinal: metricsPage.isFinal, evidence: metricsPage.file };
  } catch (thrown) {
    return { unusable: `the metrics page could not be read: ${messageOf(thrown)}` };
  }
}
