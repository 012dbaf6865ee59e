import type { DashboardConfig } from '../config/schema.js';
import { seconds } from '../units.js';
import { dashboardBrowserCommand } from './command.js';
import { browserMetricNames, type KnownMetric } from './metric-names.js';
import type { Criterion, DashboardBrowserStep, Phase, Plan } from './plan-types.js';
import { isBrowserStep } from './steps.js';

/** A Chromium each, on the runner that measures as well: the load comes from the virtual users. */
export const MOST_BROWSERS = 5;
/** Coder's own defaults. The interval is also how long the workspaces page may take to appear. */
const INTERVAL = seconds(10);
const JITTER = seconds(5);
const USUAL_METRICS_PORT = 21_112;
/** The runs end by --timeout; their own limit only has to be longer. */
const JOB_RESERVE = seconds(30);

/** What Coder's own suite of the dashboard adds to a plan. */
export interface DashboardBrowserPlan {
  readonly step: DashboardBrowserStep;
  /** None: which actions fail depends on the pages of the release more than on its load. */
  readonly criteria: readonly Criterion[];
  readonly metrics: readonly KnownMetric[];
}

/**
 * The browsers beside the virtual users; undefined where the config wants none. Whether the suite does anything on the
 * deployment is found out in READY.
 * @param users the scale-test users that will be there when the phase begins: the CLI takes them by name and makes none.
 */
export function planDashboardBrowser(
  dashboard: Pick<DashboardConfig, 'browser' | 'concurrency' | 'duration'>,
  users: number,
  rawDirectory: string,
): DashboardBrowserPlan | undefined {
  if (dashboard.browser === 'never') return undefined;
  const step: Omit<DashboardBrowserStep, 'command'> = {
    suite: 'dashboard-browser',
    wanted: dashboard.browser,
    users: Math.min(users, dashboard.concurrency, MOST_BROWSERS),
    interval: INTERVAL,
    jitter: JITTER,
    timeout: dashboard.duration,
    jobTimeout: seconds(dashboard.duration + JOB_RESERVE),
    metricsPort: USUAL_METRICS_PORT,
    resultFile: `${rawDirectory}/dashboard-browser.json`,
  };
  return {
    step: { ...step, command: dashboardBrowserCommand(step) },
    criteria: [],
    metrics: browserMetricNames(),
  };
}

/** The same plan without the browsers. */
export function withoutBrowser(plan: Plan): Plan {
  const phases = plan.phases
    .map((phase): Phase => ({ ...phase, steps: phase.steps.filter((step) => !isBrowserStep(step)) }))
    .filter(({ steps }) => steps.length > 0);
  return { ...plan, phases };
}

/** The same step with its metrics page at another port. */
export function browserAtMetricsPort(step: DashboardBrowserStep, metricsPort: number): DashboardBrowserStep {
  const moved = { ...step, metricsPort };
  return { ...moved, command: dashboardBrowserCommand(moved) };
}
