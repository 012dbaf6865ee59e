import { formatBucket, formatQuantity } from '../judge/format.js';
import type { CriterionResult } from '../judge/verdict.js';
import type { Criterion } from '../plan/plan-types.js';
import { cell, code, table } from './markdown.js';

const NO_BREAK = '\u00a0';
const HEADER = ['Requirement', 'Criterion', 'Expected', 'Observed', '90 % interval', 'n', 'Verdict'];

/** One row a criterion. */
export function criteriaTable(results: readonly CriterionResult[]): string {
  return table(HEADER, results.map(row), ['left', 'left', 'left', 'right', 'right', 'right', 'left']);
}

function row(result: CriterionResult): string[] {
  const { criterion } = result;
  const observed = observedCells(result);
  return [
    cell(criterion.requirement ?? ''),
    `${cell(criterion.title)}<br><sub>${code(criterion.id)}</sub>`,
    cell(expectedText(criterion)),
    observed.value,
    observed.interval,
    observed.n,
    verdictCell(result),
  ];
}

/** What a criterion asks for, with its warning level and the samples that it wants. */
export function expectedText({ expect, warn, minSamples }: Criterion): string {
  return [
    expect.text,
    warn === undefined ? '' : `warns unless ${warn.text}`,
    minSamples === undefined ? '' : `at least ${formatQuantity(minSamples, 'count')} samples`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

interface ObservedCells {
  readonly value: string;
  readonly interval: string;
  readonly n: string;
}

/** The numbers of a result as text; empty where there are none. */
export function observedCells(result: CriterionResult): ObservedCells {
  if (result.verdict === 'error') return { value: 'no value', interval: '', n: '' };
  if (result.verdict === 'disabled' || result.verdict === 'skipped')
    return { value: '', interval: '', n: '' };
  const { observed } = result;
  const unit = observed.kind === 'ratio' ? 'ratio' : result.criterion.expect.unit;
  // A number and its unit stay on one line.
  const format = (value: number): string => formatQuantity(value, unit).replaceAll(' ', NO_BREAK);
  const n = observed.n === undefined ? '' : formatQuantity(observed.n, 'count');
  switch (observed.kind) {
    case 'quantile':
      return {
        value: format(observed.value),
        interval: `${bound(observed.lower, format)} to ${bound(observed.upper, format)}`,
        n,
      };
    case 'ratio':
      return {
        value: format(observed.value),
        interval: `${format(observed.lower)} to ${format(observed.upper)}`,
        n,
      };
    case 'number':
      return { value: format(observed.value), interval: '', n };
    case 'bucket':
      return { value: formatBucket(observed, unit).replaceAll(' ', NO_BREAK), interval: '', n };
  }
}

const bound = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '?' : format(value);

function verdictCell(result: CriterionResult): string {
  const informational = result.criterion.informational ? ' (informational)' : '';
  switch (result.verdict) {
    case 'pass':
      return `pass${informational}`;
    case 'warn':
      return `**warn**${informational}`;
    case 'disabled':
    case 'skipped':
      return cell(result.sentence);
    case 'fail':
    case 'inconclusive':
      return `**${result.verdict}**${informational}`;
    case 'error':
      return `**error**: ${cell(result.sentence)}${informational}`;
  }
}

/** The same table for the job log, in plain text. */
export function criteriaLines(results: readonly CriterionResult[]): readonly string[] {
  const rows = results.map((result) => {
    const { value, interval, n } = observedCells(result);
    const numbers = [value, interval === '' ? '' : `[${interval}]`, n === '' ? '' : `n = ${n}`]
      .filter((part) => part !== '')
      .join(' ')
      .replaceAll(NO_BREAK, ' ');
    return {
      verdict: result.verdict,
      id: result.criterion.id,
      expected: result.criterion.expect.text,
      numbers,
    };
  });
  const width = (pick: (row: (typeof rows)[number]) => string): number =>
    Math.max(0, ...rows.map((one) => pick(one).length));
  const [verdicts, ids, expected] = [
    width((one) => one.verdict),
    width((one) => one.id),
    width((one) => one.expected),
  ];
  return rows.map((one) =>
    `${one.verdict.padEnd(verdicts)}  ${one.id.padEnd(ids)}  ${one.expected.padEnd(expected)}  ${one.numbers}`.trimEnd(),
  );
}
