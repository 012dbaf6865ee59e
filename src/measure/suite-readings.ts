import { parseGoDuration } from './go-duration.js';
import { hasPassed, type RunRecord, type Runs } from './run-table.js';

/** What the runs of a suite say under one name of their `metrics`, all together. */
export type Readings =
  | {
      /** In seconds. */
      readonly kind: 'times';
      readonly samples: readonly number[];
      /** What was waited for and never came. */
      readonly never: number;
      /** How many passed runs tell it. */
      readonly passed: number;
    }
  | { readonly kind: 'numbers'; readonly samples: readonly number[]; readonly told: number }
  /** A list by name of what is no number, like the moments at which notifications came: only how many. */
  | { readonly kind: 'entries'; readonly count: number };

interface Reading {
  readonly kind: Readings['kind'];
  readonly values: readonly number[];
}

const SECONDS = /_seconds$/;
const MILLISECONDS = /_ms$/;

/**
 * Every numeric entry of the runs' `metrics` by its name: numbers, Go's durations, and lists of numbers by name. Texts
 * and ids are no numbers.
 */
export function gatherReadings(runs: Runs, notMeasured: readonly string[]): ReadonlyMap<string, Readings> {
  const telling = [...runs].filter(({ metrics }) => metrics !== undefined);
  const names = new Set(telling.flatMap(({ metrics = {} }) => Object.keys(metrics)));
  const gathered = new Map<string, Readings>();
  for (const name of names) {
    if (notMeasured.includes(name)) continue;
    const readings = gather(name, telling);
    if (readings !== undefined) gathered.set(name, readings);
  }
  return gathered;
}

function gather(name: string, runs: readonly RunRecord[]): Readings | undefined {
  const read = runs.flatMap((run) => {
    const reading = readingOf(name, run.metrics?.[name]);
    return reading === undefined ? [] : [{ reading, hasPassed: hasPassed(run) }];
  });
  const kinds = new Set(read.map(({ reading }) => reading.kind));
  if (kinds.has('times')) return times(read);
  if (kinds.has('numbers'))
    return { kind: 'numbers', samples: read.flatMap(({ reading }) => reading.values), told: read.length };
  if (!kinds.has('entries')) return undefined;
  return { kind: 'entries', count: read.reduce((sum, { reading }) => sum + reading.values.length, 0) };
}

/** Of a failed run no time counts: it is infinitely slow. A time of 0 is the CLI's word for what it never saw. */
function times(read: readonly { readonly reading: Reading; readonly hasPassed: boolean }[]): Readings {
  const passed = read.filter(({ hasPassed }) => hasPassed);
  const told = passed.filter(({ reading }) => reading.values.length > 0);
  const values = told.flatMap(({ reading }) => reading.values);
  const samples = values.filter((value) => value > 0);
  return { kind: 'times', samples, never: values.length - samples.length, passed: told.length };
}

function readingOf(name: string, value: unknown): Reading | undefined {
  if (typeof value === 'object' && value !== null) {
    const parts = Object.values(value).map((part) => readingOf(name, part));
    const numeric = parts.flatMap((part) => part ?? []);
    if (numeric.length === parts.length && parts.length > 0)
      return { kind: numeric[0]?.kind ?? 'entries', values: numeric.flatMap(({ values }) => values) };
    return { kind: SECONDS.test(name) ? 'times' : 'entries', values: parts.map(() => 0) };
  }
  if (typeof value === 'number') {
    if (SECONDS.test(name)) return { kind: 'times', values: [value] };
    return MILLISECONDS.test(name)
      ? { kind: 'times', values: [value / 1000] }
      : { kind: 'numbers', values: [value] };
  }
  const duration = typeof value === 'string' ? parseGoDuration(value) : undefined;
  return duration === undefined ? undefined : { kind: 'times', values: [duration] };
}
