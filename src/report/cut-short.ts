import { stepName, stepsOf } from '../plan/steps.js';
import type { RunReport } from './run-report.js';

/** `Cut short: ec2-workspaces. Not run: workspace-traffic.`; undefined when every step came to its own end. */
export function cutShortSentence({ steps, plan }: Pick<RunReport, 'steps' | 'plan'>): string | undefined {
  const cutShort = steps.filter(({ endedBy }) => endedBy === 'early' || endedBy === 'cancel');
  const begun = new Set(steps.map(({ group }) => group));
  const notRun = stepsOf(plan)
    .map(stepName)
    .filter((name) => !begun.has(name));
  const sentences = [
    ...named(
      'Cut short',
      cutShort.map(({ group }) => group),
    ),
    ...named('Not run', notRun),
  ];
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

const named = (title: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${title}: ${names.join(', ')}.`];
