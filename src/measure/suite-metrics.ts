import { messageOf } from '../errors.js';
import { ExpositionError } from './exposition.js';
import { ascending, type Metric, type SampleMetric } from './metric.js';
import type { MetricsPage, Unusable } from './metrics-page.js';
import { countRuns, hasPassed, passedSeconds, type RunRecord, type Runs } from './run-table.js';
import { suitePageMetrics } from './suite-page.js';
import { gatherReadings, type Readings } from './suite-readings.js';
import { COVERAGE } from './coverage.js';

/** What a suite of the CLI left behind. */
export interface SuiteEvidence {
  readonly suite: string;
  /** How many runs its flags ask for. */
  readonly planned: number;
  readonly runs: Runs | Unusable;
  /** Where the result file without its logs is kept. */
  readonly evidence: string;
  /** Its own metrics page; undefined where it has none. */
  readonly page?: MetricsPage | Unusable;
  /** Numbers in `metrics` that were asked for, not measured. */
  readonly notMeasured: readonly string[];
}

/** Why a suite's runs say nothing, whatever its exit code; undefined when they can be judged. */
export function suiteProblem({ suite, planned, runs }: SuiteEvidence): string | undefined {
  if ('unusable' in runs) return runs.unusable;
  if (runs.length === 0) return `${suite}: the suite did zero runs of ${planned} planned`;
  if (runs.length < planned * COVERAGE)
    return `${suite}: only ${runs.length} of ${planned} planned runs were done; at least ${COVERAGE * 100} % are needed`;
  return undefined;
}

/** All metrics of a suite: how many runs passed, how long they took, and whatever it measured itself. */
export function suiteMetrics(evidence: SuiteEvidence): readonly Metric[] {
  const { suite, runs, planned } = evidence;
  const problem = suiteProblem(evidence);
  if (problem !== undefined || 'unusable' in runs)
    return ['success_rate', 'duration'].map((name) => ({
      name: `${suite}.${name}`,
      shape: 'missing',
      reason: problem ?? 'not measured',
    }));
  const total = Math.max(planned, runs.length);
  const readings = gatherReadings(runs, evidence.notMeasured);
  const origin = { phase: suite, source: 'cli-result', evidence: [evidence.evidence] } as const;
  const own = [...readings].map(([name, reading]): Metric => {
    const named = { ...origin, name: `${suite}.${name}` };
    if (reading.kind === 'entries') return { ...named, shape: 'count', value: reading.count };
    const incomplete = tellsTooLittle(reading, total, suite, name);
    if (incomplete !== undefined) return { name: named.name, shape: 'missing', reason: incomplete };
    const failed = reading.kind === 'times' ? reading.never + Math.max(0, total - reading.passed) : 0;
    const unit = reading.kind === 'times' ? 'seconds' : 'count';
    return { ...named, shape: 'samples', unit, samples: ascending(reading.samples), failed };
  });
  return [
    {
      ...origin,
      name: `${suite}.success_rate`,
      shape: 'ratio',
      good: countRuns(runs, hasPassed),
      total,
    },
    duration(evidence, runs, total),
    ...own,
    ...pageMetrics(evidence, new Set(readings.keys())),
  ];
}

/** Runs that tell nothing are infinitely slow; of counts nobody knows what they would have told. */
function tellsTooLittle(
  reading: Exclude<Readings, { kind: 'entries' }>,
  total: number,
  suite: string,
  name: string,
): string | undefined {
  if (reading.kind === 'times' || reading.told >= total * COVERAGE) return undefined;
  return `${suite}: only ${reading.told} of ${total} runs tell their ${name}`;
}

/** Go's zero time: the CLI did not note when a run began, and its duration of 0 s is none either. */
const hasTime = ({ startedAt }: RunRecord): boolean => startedAt.getUTCFullYear() > 1;

function duration({ suite, evidence }: SuiteEvidence, runs: Runs, total: number): Metric {
  const name = `${suite}.duration`;
  if (countRuns(runs, hasTime) < runs.length)
    return {
      name,
      shape: 'missing',
      reason: `${suite}: the CLI writes no times of these runs; what it measured is in the suite's other metrics`,
    };
  const passed = passedSeconds(runs);
  const metric: SampleMetric = {
    name,
    phase: suite,
    source: 'cli-result',
    evidence: [evidence],
    shape: 'samples',
    unit: 'seconds',
    samples: ascending(passed),
    // Those that the file lacks failed as well.
    failed: total - passed.length,
  };
  return metric;
}

/** What stands in the file is exact, and is not taken from the page once more. */
function pageMetrics({ suite, page }: SuiteEvidence, inFile: ReadonlySet<string>): readonly Metric[] {
  if (page === undefined || 'unusable' in page || !page.isFinal) return [];
  try {
    return [...suitePageMetrics(page.text)]
      .filter(([name]) => !inFile.has(name))
      .map(([name, found]): Metric => ({
        ...found,
        name: `${suite}.${name}`,
        phase: suite,
        source: 'cli-prometheus',
        evidence: [page.evidence],
      }));
  } catch (thrown) {
    if (!(thrown instanceof ExpositionError)) throw thrown;
    return [{ name: `${suite}.metrics_page`, shape: 'missing', reason: `${suite}: ${messageOf(thrown)}` }];
  }
}
