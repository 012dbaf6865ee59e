import type { Check, Readiness } from '../ready/readiness.js';
import { cell, sections, table } from './markdown.js';

const WORD: Readonly<Record<Check['status'], string>> = { ok: 'ok', warning: 'warning', refused: 'refused' };

/** Readiness for the job log. */
export function readinessLines({ checks }: Readiness): readonly string[] {
  return checks.map(({ name, status, message }) => `${WORD[status].padEnd(8)} ${name}: ${message}`);
}

/** Readiness for the job summary. */
export function renderReadiness(readiness: Readiness, isReady: boolean): string {
  const order: readonly Check['status'][] = ['refused', 'warning', 'ok'];
  const rows = [...readiness.checks]
    .sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
    .map(({ name, status, message }) => [
      cell(name),
      status === 'ok' ? 'ok' : `**${status}**`,
      cell(message),
    ]);
  const driver =
    readiness.driver === undefined
      ? undefined
      : `Driver: ${readiness.driver.driver}, because ${cell(readiness.driver.reason)}.`;
  return sections([
    `### ${isReady ? 'The deployment is ready for the scale test' : 'The scale test was not started'}`,
    table(['Check', 'Result', 'What was found'], rows),
    driver,
  ]);
}
