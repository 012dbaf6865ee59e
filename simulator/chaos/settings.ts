import type { DeploymentOptions } from '../coder/options.js';

/** What is run while something goes wrong: short, but with every kind of work that the gate does. */
export interface Setting {
  readonly name: string;
  readonly config: string;
  readonly tests: string;
  readonly deployment: Partial<DeploymentOptions>;
  /** Signs in with the owner's password instead of a token. */
  readonly signsIn?: true;
  /** The log line of the last phase of its load, as the action prints it. */
  readonly lastPhase: RegExp;
  readonly workspaces: number;
}

const QUICK = {
  startSeconds: { median: 0.6, sigma: 0.2 },
  dryRunSeconds: { median: 0.1, sigma: 0.1 },
  deleteSeconds: { median: 0.3, sigma: 0.1 },
  agentConnectSeconds: { median: 0.1, sigma: 0.1 },
};
const QUICK_DEPLOYMENT: Partial<DeploymentOptions> = {
  provisionerSlots: 4,
  templateOverrides: { 'pod-swdev': QUICK },
  cli: { pollScale: 0.2 },
};

const WORKSPACES = 6;
const CREATE = (driver: string): string => `
create_workspaces:
  count: ${WORKSPACES}
  driver: ${driver}
  templates:
    pods: { template: pod-swdev, count: ${WORKSPACES}, concurrency: 6, expected_p95: 60s, requirement: "14.6" }
`;
/** So few samples decide no high quantile. */
const CRITERIA = `
criteria:
  - { id: 14.6-pods, requirement: "14.6", metric: create_workspaces.pods.provisioning, expect: "max < 60s" }
`;
const API_CRITERION =
  '  - { id: 14.9-api-latency-p95, requirement: "14.9", metric: api.latency, expect: "p50 < 5s", informational: true }\n';
const config = (driver: string, more = '', criterion = ''): string =>
  CREATE(driver) + more + CRITERIA + criterion;

const CREATING = /^::group::Create workspaces/;

export const SETTINGS: readonly Setting[] = [
  {
    name: 'driver api',
    config: config('api'),
    tests: 'create-workspaces',
    deployment: QUICK_DEPLOYMENT,
    lastPhase: CREATING,
    workspaces: WORKSPACES,
  },
  {
    name: 'driver cli',
    config: config('cli'),
    tests: 'create-workspaces',
    deployment: { ...QUICK_DEPLOYMENT, disableRateLimits: true },
    lastPhase: CREATING,
    workspaces: WORKSPACES,
  },
  {
    name: 'password login',
    config: config('api'),
    tests: 'create-workspaces',
    deployment: QUICK_DEPLOYMENT,
    signsIn: true,
    lastPhase: CREATING,
    workspaces: WORKSPACES,
  },
  {
    name: 'virtual users',
    config: config(
      'api',
      'dashboard: { concurrency: 4, duration: 6s, browser: never, targets: { p95_latency_ms: 5000 } }\n',
      API_CRITERION,
    ),
    tests: 'create-workspaces,dashboard',
    deployment: { ...QUICK_DEPLOYMENT, disableRateLimits: true },
    lastPhase: /API load: 4 virtual users/,
    workspaces: WORKSPACES,
  },
  {
    name: 'traffic',
    config: config(
      'cli',
      'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 3s }\n',
    ),
    tests: 'create-workspaces,workspace-traffic',
    deployment: { ...QUICK_DEPLOYMENT, disableRateLimits: true },
    lastPhase: /^::group::Workspace traffic/,
    workspaces: WORKSPACES,
  },
  {
    name: 'another suite',
    config: config('cli', 'suites: { notifications: { user-count: 4 } }\n'),
    tests: 'create-workspaces,notifications',
    deployment: { ...QUICK_DEPLOYMENT, disableRateLimits: true },
    lastPhase: /^::group::.*notifications/i,
    workspaces: WORKSPACES,
  },
];
