import { browserMetricNames } from '../plan/metric-names.js';
import type { BrowserWish } from '../plan/plan-types.js';
import type { Seconds } from '../units.js';
import { readBrowserPage, type BrowserPage } from './browser-page.js';
import { countCauses, failureCause } from './failure-cause.js';
import type { Metric } from './metric.js';
import { readable, type Unusable } from './metrics-page.js';
import type { RunRecord, Runs } from './run-table.js';
import { COVERAGE } from './coverage.js';

/** What the CLI's dashboard suite left behind. */
export interface BrowserEvidence {
  readonly wanted: BrowserWish;
  /** How many browsers were to click. */
  readonly users: number;
  /** How long each of them. */
  readonly duration: Seconds;
  /** How long a browser waits for the workspaces page. */
  readonly interval: Seconds;
  readonly runs: Runs | Unusable;
  /** The suite's own metrics page, as it was last read. */
  readonly page: { readonly text: string; readonly evidence: string } | Unusable;
  /** How many actions the suite's log tells of; undefined where the log could not be read. */
  readonly logged?: number;
}

const SUITE = 'dashboard-browser';
const PHASE = 'dashboard';
/** A browser clicks to the end of its time. One whose page does not come, or that crashes, ends before, and passes. */
const WHOLE_RUN = 0.98;
const RUN_GRAIN_MS = 500;

/** How many actions a suite's log tells of, line by line. */
export const countLoggedActions = (log: string): number =>
  log.match(/\]\s+dashboard-\S+: action (success|failed)\b/g)?.length ?? 0;

/**
 * Why the browsers say nothing; undefined when what they did can be judged. The exit code does not tell: the CLI passes
 * browsers that did nothing at all.
 */
export function browserProblem(evidence: BrowserEvidence): string | undefined {
  const problem = obstacle(evidence);
  if (problem === undefined || evidence.wanted === 'always') return problem;
  return `${problem}; with "dashboard.browser: never" the run does without browsers`;
}

function obstacle(evidence: BrowserEvidence): string | undefined {
  const { runs, users, page } = evidence;
  if ('unusable' in runs) return runs.unusable;
  if (runs.length === 0) return `${SUITE}: no browser was started, because the CLI found no scale-test users`;
  const idle = [...runs].filter((run) => run.error !== undefined || endedEarly(run, evidence));
  const content = contentOf(page);
  if ('unusable' in content || content.actions === 0) {
    if (idle.length > 0) return `${SUITE}: no action was performed: ${whyIdle(idle, evidence)}`;
    if ('unusable' in content) return `${SUITE}: ${content.unusable}`;
    return `${SUITE}: no action was performed, although ${runs.length} browsers ran to the end`;
  }
  const worked = runs.length - idle.length;
  if (worked < users * COVERAGE) {
    const cause = idle.length > 0 ? `: ${whyIdle(idle, evidence)}` : '';
    return `${SUITE}: only ${worked} of ${users} browsers worked to the end${cause}`;
  }
  return contradiction(content, evidence);
}

function endedEarly({ duration }: RunRecord, { duration: planned }: BrowserEvidence): boolean {
  return duration < Math.min(planned * 1000 * WHOLE_RUN, planned * 1000 - RUN_GRAIN_MS);
}

function whyIdle(idle: readonly RunRecord[], { interval }: BrowserEvidence): string {
  const errors = idle.flatMap(({ error }) => (error === undefined ? [] : [failureCause(error, '')]));
  const [cause] = countCauses(errors);
  return (
    cause?.summary ??
    `the workspaces page was not there within ${interval} s or the browser crashed, and the CLI lets both pass`
  );
}

/**
 * Whether page and log tell of the same. The page is gone with the suite, so the actions of the last moment may be missing
 * on it: one of each user, not more.
 */
function contradiction({ actions }: BrowserPage, { logged, users }: BrowserEvidence): string | undefined {
  if (logged === undefined) return undefined;
  if (actions > logged)
    return `${SUITE}: the metrics page at the suite's port is another program's: it tells of ${actions} actions, but the suite's log of ${logged}`;
  if (logged - actions <= Math.max(users, logged * (1 - COVERAGE))) return undefined;
  return `${SUITE}: the metrics page was last read too early: it tells of ${actions} of the ${logged} actions in the suite's log`;
}

/** All metrics of the browsers. */
export function browserMetrics(evidence: BrowserEvidence): readonly Metric[] {
  const problem = browserProblem(evidence);
  const content = contentOf(evidence.page);
  if (problem !== undefined || 'unusable' in content || 'unusable' in evidence.page)
    return browserMetricNames().map(({ name }) => ({
      name,
      shape: 'missing',
      reason: problem ?? 'not measured',
    }));
  const { actions, failed, buckets, sum } = content;
  const origin = {
    phase: PHASE,
    source: 'cli-prometheus',
    evidence: [evidence.page.evidence],
  } as const;
  return [
    { ...origin, name: 'dashboard.actions', shape: 'count', value: actions },
    {
      ...origin,
      name: 'dashboard.action_duration',
      shape: 'buckets',
      unit: 'seconds',
      buckets,
      total: actions,
      sum,
    },
    { ...origin, name: 'dashboard.action_error_rate', shape: 'ratio', good: failed, total: actions },
  ];
}

const contentOf = (page: BrowserEvidence['page']): BrowserPage | Unusable =>
  'unusable' in page ? page : readable(() => readBrowserPage(page.text));
