/** Everything about the simulated deployment that can be chosen. All fields may be changed while it runs. */

/** A log-normal distribution of a time span, in seconds. `sigma: 0` makes it constant. */
export interface Spread {
  median: number;
  sigma: number;
}

export interface TemplateParameter {
  name: string;
  type: 'string' | 'number' | 'bool' | 'list(string)';
  defaultValue: string;
  required: boolean;
  mutable: boolean;
  ephemeral: boolean;
  options: { name: string; value: string }[];
}

export interface TemplateOptions {
  name: string;
  parameters: TemplateParameter[];
  hasAgent: boolean;
  /** Share of start builds whose apply fails, 0 to 1. */
  failingShare: number;
  startSeconds: Spread;
  /** The CLI's planning, which occupies a provisioner too. */
  dryRunSeconds: Spread;
  deleteSeconds: Spread;
  /** From the end of the build to the agent's first connection. */
  agentConnectSeconds: Spread;
  /** From the agent's connection to the end of its start scripts. */
  agentReadySeconds: Spread;
  /** Runs from the agent's start until it is ready; `null`: the template has none. */
  startScript: { name: string; blocksLogin: boolean } | null;
  deprecated: boolean;
}

/** What the simulated CLI asks for at start (`GET /simulator/cli-behaviour`): how it shall misbehave. */
export interface CliBehaviour {
  /** Only this suite misbehaves (`workspace-traffic`). */
  onlySuite: string | null;
  /** Multiplies the CLI's polling intervals (0.5 s in the queue, 1 s for agents) and the start of its browsers. */
  pollScale: number;
  /** Writes a result with no runs and exits 0. */
  zeroRuns: boolean;
  /** Share of runs that fail although the deployment did its part. */
  failingShare: number;
  /** Cuts the result file in the middle. */
  truncateJson: boolean;
  /** Writes no result file and still exits as usual. */
  noJson: boolean;
  /** Ignores SIGINT, SIGTERM and SIGHUP. */
  hangOnSignals: boolean;
  garbageOnStdout: boolean;
  /** Dies like a Go program that panics, exit code 2, before it writes a result. */
  crash: boolean;
  /** `total_pass` and `total_fail` do not fit `runs`. */
  totalsContradictRuns: boolean;
  /** Replaces the exit code. */
  exitCode: number | null;
  /** So many runs are missing in the result file, and the totals fit the file. */
  dropRuns: number;
  /** The CLI's own clean-up fails (and leaves its things behind). */
  failOwnCleanup: boolean;
  /** Share of the workspaces that get no answer to their traffic. */
  stalledShare: number;
  /** Of the bytes that were to be sent, the share that gets through. */
  throughputShare: number;
  /** Share of the workspaces whose connection ends in the middle of the traffic. */
  dropShare: number;
  /** So many workspaces have lost their agent when the traffic begins. */
  lostAgents: number;
  /** The workspaces page does not come to the browsers of the dashboard suite. */
  pageNeverLoads: boolean;
  /** Share of the browsers' actions that fail. */
  failingActionShare: number;
  /** What the metrics page answers instead of the metrics. */
  metricsPage: string | null;
  /** Another program holds the metrics port: it answers with the page of other workspaces. */
  metricsPortTaken: boolean;
  /** How long each run of the other suites goes on once its work is done. */
  suiteSeconds: number;
  /** The suite prebuilds ends without letting the reconciler go on. */
  leavePrebuildsPaused: boolean;
  slim: boolean;
  /** Pretends to be v2.7.0. */
  tooOld: boolean;
}

export interface DeploymentOptions {
  port: number;
  /** Seeds every random choice, so that a run can be repeated. */
  seed: number;
  version: string;
  buildVersionSuffix: string;
  /** An AGPL build has no enterprise routes. */
  agpl: boolean;
  /** Whether the Premium features are licensed. */
  licensed: boolean;
  organizationName: string;
  provisionerSlots: number;
  templates: TemplateOptions[];
  /** Merged over the template of that name, for the common case of changing one thing. */
  templateOverrides: Record<string, Partial<TemplateOptions>>;
  /** Jobs that wait longer are failed by the server. */
  pendingLimitSeconds: number;
  /** From the cancellation of a running job to its end. */
  cancelSeconds: number;
  apiRateLimit: number;
  loginRateLimit: number;
  disableRateLimits: boolean;
  prometheusEnabled: boolean;
  experiments: string[];
  replicas: number;
  /** All connections go to the first replica; else each new one goes to the next. */
  balancerIsSticky: boolean;
  /** The first replica begins anew once so many requests of a route were answered. */
  restartAfter: { request: string; count: number } | null;
  /** Every answer takes `baseMs` (log-normal) plus `perRequestMs` for each other request in flight. */
  latency: { baseMs: number; sigma: number; perRequestMs: number };
  /** Added to every answer. */
  latencySeconds: number;
  /** Sockets are destroyed without an answer. */
  apiDown: boolean;
  /** 200 with a page of HTML for every request, as by a login page in front. */
  answerHtml: boolean;
  /** 403 with the HTML of a proxy for every request. */
  forbidAll: boolean;
  /** `"GET /api/v2/workspaces"` (the route pattern, the exact path, or `*` for all) → status answered instead. */
  statusOverride: Record<string, number>;
  passwordAuthDisabled: boolean;
  /** Share of delete builds that fail. */
  failDeleteShare: number;
  /** Names or ids of workspaces whose delete builds always fail. */
  undeletableWorkspaces: string[];
  /** The owner's token dies so many seconds after the start of the deployment. */
  tokenExpiresInSeconds: number | null;
  maxAdminTokenLifetimeSeconds: number;
  cli: Partial<CliBehaviour>;
}

const HOURS = 3600;

/** A template with sensible times and one agent. */
export function simulatedTemplate(name: string, changes: Partial<TemplateOptions> = {}): TemplateOptions {
  return {
    name,
    parameters: [],
    hasAgent: true,
    failingShare: 0,
    startSeconds: { median: 1.5, sigma: 0.25 },
    dryRunSeconds: { median: 0.7, sigma: 0.2 },
    deleteSeconds: { median: 1, sigma: 0.2 },
    agentConnectSeconds: { median: 0.4, sigma: 0.3 },
    agentReadySeconds: { median: 0.05, sigma: 0.3 },
    startScript: null,
    deprecated: false,
    ...changes,
  };
}

const datasciParameters: TemplateParameter[] = [
  {
    name: 'region',
    type: 'string',
    defaultValue: 'eu-west-1',
    required: false,
    mutable: false,
    ephemeral: false,
    options: [],
  },
  {
    name: 'size',
    type: 'string',
    defaultValue: 'small',
    required: false,
    mutable: false,
    ephemeral: false,
    options: [
      { name: 'Small', value: 'small' },
      { name: 'Large', value: 'large' },
    ],
  },
];

export function defaultTemplates(): TemplateOptions[] {
  return [
    simulatedTemplate('pod-swdev'),
    simulatedTemplate('ec2-datasci', {
      parameters: structuredClone(datasciParameters),
      startSeconds: { median: 2.5, sigma: 0.3 },
    }),
    simulatedTemplate('tpl-fail', { failingShare: 1 }),
    simulatedTemplate('tpl-noagent', { hasAgent: false }),
  ];
}

export function defaultOptions(): DeploymentOptions {
  return {
    port: 0,
    seed: 1,
    version: 'v2.36.0',
    buildVersionSuffix: '+a1b2c3d',
    agpl: false,
    licensed: false,
    organizationName: 'coder',
    provisionerSlots: 10,
    templates: defaultTemplates(),
    templateOverrides: {},
    pendingLimitSeconds: 1800,
    cancelSeconds: 0.5,
    apiRateLimit: 512,
    loginRateLimit: 60,
    disableRateLimits: false,
    prometheusEnabled: true,
    experiments: [],
    replicas: 1,
    balancerIsSticky: false,
    restartAfter: null,
    latency: { baseMs: 2, sigma: 0.4, perRequestMs: 0.1 },
    latencySeconds: 0,
    apiDown: false,
    answerHtml: false,
    forbidAll: false,
    statusOverride: {},
    passwordAuthDisabled: false,
    failDeleteShare: 0,
    undeletableWorkspaces: [],
    tokenExpiresInSeconds: null,
    maxAdminTokenLifetimeSeconds: 168 * HOURS,
    cli: {},
  };
}

export const defaultCliBehaviour: CliBehaviour = {
  onlySuite: null,
  pollScale: 1,
  zeroRuns: false,
  failingShare: 0,
  truncateJson: false,
  noJson: false,
  hangOnSignals: false,
  garbageOnStdout: false,
  crash: false,
  totalsContradictRuns: false,
  exitCode: null,
  dropRuns: 0,
  failOwnCleanup: false,
  stalledShare: 0,
  throughputShare: 1,
  dropShare: 0,
  lostAgents: 0,
  pageNeverLoads: false,
  failingActionShare: 0.1,
  metricsPage: null,
  metricsPortTaken: false,
  suiteSeconds: 0.05,
  leavePrebuildsPaused: false,
  slim: false,
  tooOld: false,
};
