import { parseExpectation } from '../config/expectation.js';
import type { CreateWorkspacesConfig, WorkspaceTrafficConfig } from '../config/schema.js';
import { seconds } from '../units.js';
import { workspaceTrafficCommand } from './command.js';
import { trafficMetricNames } from './metric-names.js';
import type { Criterion, TrafficMode, WorkspaceTrafficStep } from './plan-types.js';
import type { SuitePlan } from './suite-plan.js';

/** Coder's own port for the metrics of a suite. */
const USUAL_METRICS_PORT = 21_112;
/** The runs end by --timeout; their own limit only has to be longer. */
const JOB_RESERVE = seconds(30);

/** Traffic through the deployment to every workspace that the phase before it made, to all at the same time. */
export function planWorkspaceTraffic(
  traffic: WorkspaceTrafficConfig,
  workspaces: CreateWorkspacesConfig,
  rawDirectory: string,
): SuitePlan {
  const templates = Object.values(workspaces.templates).map(({ template }) => template);
  const [template] = templates;
  const step: Omit<WorkspaceTrafficStep, 'command'> = {
    suite: 'workspace-traffic',
    workspaces: workspaces.count,
    ...(templates.length === 1 && template !== undefined && { template }),
    owner: workspaces.owner,
    mode: modeOf(traffic.mode),
    bytesPerTick: traffic.bytes_per_tick,
    tickInterval: traffic.tick_interval,
    timeout: traffic.duration,
    jobTimeout: seconds(traffic.duration + JOB_RESERVE),
    metricsPort: USUAL_METRICS_PORT,
    resultFile: `${rawDirectory}/workspace-traffic.json`,
  };
  return {
    phase: {
      name: 'traffic',
      title: 'Workspace traffic',
      steps: [{ ...step, command: workspaceTrafficCommand(step) }],
    },
    criteria: CRITERIA,
    metrics: trafficMetricNames(workspaces.count),
  };
}

/** The same step with its metrics page at another port. */
export function atMetricsPort(step: WorkspaceTrafficStep, metricsPort: number): WorkspaceTrafficStep {
  const moved = { ...step, metricsPort };
  return { ...moved, command: workspaceTrafficCommand(moved) };
}

/** The schema has seen to it that it is one. */
function modeOf(text: string): TrafficMode {
  if (text === 'ssh' || text === 'web-terminal') return text;
  return `app:${text.slice('app:'.length)}`;
}

const CRITERIA: readonly Criterion[] = [
  {
    id: 'workspace-traffic-success-rate',
    title: 'Workspaces whose traffic went on to the end',
    metric: 'workspace_traffic.success_rate',
    expect: parseExpectation('>= 99%'),
    informational: false,
    origin: 'default',
  },
  {
    id: 'workspace-traffic-throughput-ratio',
    title: 'Traffic that got through, of what was to be sent',
    metric: 'workspace_traffic.throughput_ratio',
    expect: parseExpectation('>= 90%'),
    informational: false,
    origin: 'default',
  },
];
