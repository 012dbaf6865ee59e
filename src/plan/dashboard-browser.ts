import type { DashboardConfig } from '../config/schema.js';
import { seconds } from '../units.js';
import { dashboardBrowserCommand } from './command.js';
import { browserMetricNames } from './metric-names.js';
import type { DashboardBrowserStep, Phase, Plan } from './plan-types.js';
import { isBrowserStep } from './steps.js';
import type { SuitePlan } from './suite-plan.js';

/** A Chromium each, on the runner that measures as well: the load comes from the virtual users. */
const MOST_BROWSERS = 3;
/** Coder's own defaults. The interval is also how long the workspaces page may take to appear. */
const INTERVAL = seconds(10);
const JITTER = seconds(5);
const USUAL_METRICS_PORT = 21_112;
/** The runs end by --timeout; their own limit only has to be longer. */
const JOB_RESERVE = seconds(30);

/**
 * The suite of the dashboard with browsers beside its virtual users, unless the config wants none. Whether they do anything
 * on the deployment is found out in READY. They bring no criterion: which actions fail depends on the pages of the release
 * more than on its load.
 */
export function withBrowsers(suite: SuitePlan, dashboard: DashboardConfig, rawDirectory: string): SuitePlan {
  const step = planBrowsers(dashboard, rawDirectory);
  if (step === undefined) return suite;
  return {
    ...suite,
    phase: { ...suite.phase, steps: [...suite.phase.steps, step] },
    metrics: [...suite.metrics, ...browserMetricNames()],
  };
}

/** There are as many scale-test users as the config has virtual ones: the CLI takes them by name and makes none. */
function planBrowsers(
  { browser, concurrency, duration }: DashboardConfig,
  rawDirectory: string,
): DashboardBrowserStep | undefined {
  if (browser === 'never') return undefined;
  const step: Omit<DashboardBrowserStep, 'command'> = {
    suite: 'dashboard-browser',
    wanted: browser,
    users: Math.min(concurrency, MOST_BROWSERS),
    interval: INTERVAL,
    jitter: JITTER,
    timeout: duration,
    jobTimeout: seconds(duration + JOB_RESERVE),
    metricsPort: USUAL_METRICS_PORT,
    resultFile: `${rawDirectory}/dashboard-browser.json`,
  };
  return { ...step, command: dashboardBrowserCommand(step) };
}

/** The same plan without the browsers. */
export function withoutBrowsers(plan: Plan): Plan {
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
