import type { RunActionOptions } from '../simulator/runner/runner.js';

export const TEMPLATE = 'local-agent';
const GROUP = 'local_workspaces';
const CONFIG = (driver: string, dashboard: string, { count, atOnce }: Workspaces): string => `
create_workspaces:
  count: ${count}
  driver: ${driver}
  templates:
    ${GROUP}: { template: ${TEMPLATE}, count: ${count}, concurrency: ${atOnce}, expected_p95: "2m", requirement: "14.6" }
${dashboard}
workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 20s }
criteria:
  # So few workspaces decide no P95.
  - { id: 14.6-local-workspaces, title: Slowest workspace, requirement: '14.6', metric: create_workspaces.${GROUP}.provisioning, expect: "max < 2m" }
`;
const DASHBOARD =
  'dashboard: { concurrency: 50, duration: 30s, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 }, browser: never }';
/** Real browsers, and a few virtual users beside them. */
const BROWSERS = 'dashboard: { concurrency: 10, duration: 60s, browser: always }';
const ALL = 'create-workspaces,dashboard,workspace-traffic';
/** Long enough to be far beyond the limits of 500 ms and 1 s. */
export const STALL_MS = 5000;

interface Workspaces {
  readonly count: number;
  readonly atOnce: number;
}
const WORKSPACES: Workspaces = { count: 12, atOnce: 6 };
export const PROVISIONERS = 3;

export interface Scenario {
  readonly title: string;
  readonly driver: 'cli' | 'auto';
  readonly rateLimits: boolean;
  readonly tests: string;
  readonly signals?: NonNullable<RunActionOptions['signals']>;
  /** Runs every other suite of the CLI instead, which needs no licence. */
  readonly otherSuites?: true;
  /** Does this to the server a moment after the log says so. */
  readonly disturbance?: { readonly at: RegExp; readonly kind: 'stall' | 'restart' };
  /** Post does not run; instead, the janitor (mode cleanup) waits for the dead run's lease and removes what is left. */
  readonly janitor?: true;
  /** Also measures how soon post has handed over all deletions, beside the guide's clean-up of as many workspaces. */
  readonly deletions?: true;
  /** Asks for browsers beside the virtual users; what that comes to depends on the server's version. */
  readonly withBrowsers?: true;
  /** Two gates are started together, with this as `lease-wait`. */
  readonly twoGatesWait?: string;
  /** Verdicts, of which one has to be main's; none: main was killed. */
  readonly expected?: readonly string[];
  readonly workspaces?: Workspaces;
  readonly provisioners?: number;
  /** What the summary has to say. */
  readonly summary?: RegExp;
}

export const SCENARIOS: readonly Scenario[] = [
  // The first one: the server goes on listing provisioners for a while that it does not have any more.
  {
    title: 'one provisioner, eight workspaces: the queue takes the time',
    driver: 'cli',
    rateLimits: false,
    tests: 'create-workspaces',
    workspaces: { count: 8, atOnce: 8 },
    provisioners: 1,
    summary: /\d+ % of the P95 was waiting in the provisioner queue: 1 slot for 8 builds in flight/,
    expected: ['pass'],
  },
  {
    title: 'driver cli, rate limits off, then 20 s of traffic',
    driver: 'cli',
    rateLimits: false,
    tests: 'create-workspaces,workspace-traffic',
    expected: ['pass'],
  },
  {
    title: 'browsers beside the virtual users ("browser: always")',
    driver: 'auto',
    rateLimits: false,
    tests: 'create-workspaces,dashboard',
    withBrowsers: true,
  },
  {
    title: 'rate limits on (the default of Coder): creation, 30 s of virtual users, 20 s of traffic',
    driver: 'auto',
    rateLimits: true,
    tests: ALL,
    expected: ['pass'],
  },
  {
    title: `the same virtual users, the server stalled for ${STALL_MS / 1000} s in the middle`,
    driver: 'auto',
    rateLimits: true,
    tests: ALL,
    disturbance: { at: /API load: 50 virtual users for \d+ s more/, kind: 'stall' },
    expected: ['fail'],
  },
  {
    title: 'cancelled after creating: post hands over all deletions, beside "coder delete" for each',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    deletions: true,
    signals: [{ signal: 'SIGINT', whenLogMatches: /local_workspaces: done after/ }],
    expected: ['cancelled'],
  },
  {
    title: 'two gates at once over a dead run’s lock: one runs, the other stops',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    twoGatesWait: '0',
  },
  {
    title: 'two gates at once, with "lease-wait": one after the other',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    twoGatesWait: '5m',
  },
  {
    title: 'every other suite of the CLI that runs without a licence',
    driver: 'auto',
    rateLimits: false,
    tests: '',
    otherSuites: true,
    expected: ['pass'],
  },
];

export const configOf = ({ driver, withBrowsers, workspaces = WORKSPACES }: Scenario): string =>
  CONFIG(driver, withBrowsers ? BROWSERS : DASHBOARD, workspaces);
