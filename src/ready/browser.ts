import type { Chromium } from '../coder/chromium.js';
import { isAtLeast, type CoderVersion } from '../coder/version.js';
import { browserMetricNames } from '../plan/metric-names.js';
import type { Criterion, DashboardBrowserStep } from '../plan/plan-types.js';
import { BROWSER_CHECK, ok, refused, warned, type Check } from './readiness.js';

/** What the choice rests on. */
export interface BrowserFacts {
  readonly server: { readonly versionText: string; readonly version: CoderVersion | undefined };
  /** Undefined where it is not known which CLI will run. */
  readonly cli: CoderVersion | undefined;
  readonly criteria: readonly Criterion[];
  /** Only asked where the answer counts: it starts a browser. */
  readonly findChromium: () => Promise<Chromium>;
}

/** Whether the browsers of a plan run, and why or why not. */
export interface BrowserChoice {
  readonly runs: boolean;
  readonly check: Check;
}

/**
 * Chooses whether the CLI's dashboard suite is run. It acts where the server's pages are those of v2.21 or older; from
 * then on it waits for an element that they no longer have, and passes without having done anything.
 */
export async function chooseBrowser(step: DashboardBrowserStep, facts: BrowserFacts): Promise<BrowserChoice> {
  const obstacle = obstacleOf(facts);
  // Whether it acts on a server of unknown version shows only afterwards.
  const unknown = facts.server.version === undefined;
  if (obstacle !== undefined || (unknown && step.wanted === 'auto'))
    return leftOut(
      step,
      obstacle ??
        `it does nothing on servers from v2.22 on, and the version of this one (${facts.server.versionText}) cannot be read`,
      facts.criteria,
    );
  const chromium = await facts.findChromium();
  if ('unusable' in chromium) return leftOut(step, chromium.unusable, facts.criteria);
  const found = `${step.users} browsers, with ${chromium.path}`;
  if (!unknown) return { runs: true, check: ok(BROWSER_CHECK, found) };
  return {
    runs: true,
    check: warned(
      BROWSER_CHECK,
      `${found}; the suite does nothing on servers from v2.22 on, and the version of this one (${facts.server.versionText}) cannot be read: without any action the run is an error`,
    ),
  };
}

function obstacleOf({ server, cli }: BrowserFacts): string | undefined {
  if (server.version !== undefined && isAtLeast(server.version, 2, 22))
    return `Coder's dashboard suite does nothing on servers from v2.22 on, and passes: it waits for an element that the workspaces page no longer has. This one is ${server.versionText}`;
  if (cli !== undefined && !isAtLeast(cli, 2, 7))
    return `the dashboard suite of the CLI ${cli.release} cannot be told how many users to take (--target-users, since v2.7)`;
  return undefined;
}

/** What was not asked for is left out quietly; what was asked for is refused before the load. */
function leftOut(
  { wanted }: DashboardBrowserStep,
  reason: string,
  criteria: readonly Criterion[],
): BrowserChoice {
  if (wanted === 'always')
    return {
      runs: false,
      check: refused(
        BROWSER_CHECK,
        `"dashboard.browser: always" cannot be met: ${reason}. Use "auto" or "never"; the load on the dashboard comes from the virtual users in any case`,
      ),
    };
  const names = browserMetricNames().map(({ name }) => name);
  const asked = criteria.filter(
    ({ metric, informational, disabled }) =>
      names.includes(metric) && !informational && disabled === undefined,
  );
  if (asked.length > 0)
    return {
      runs: false,
      check: refused(
        BROWSER_CHECK,
        `the criterion "${asked.map(({ id }) => id).join('", "')}" asks for what browsers do, but none can be run: ${reason}. Take the criterion out, or make it "informational: true"`,
      ),
    };
  return { runs: false, check: ok(BROWSER_CHECK, `left out: ${reason}`) };
}
