import { formatDuration } from '../config/units.js';
import type {
  CreateWorkspacesStep,
  DashboardBrowserStep,
  TrafficMode,
  WorkspaceTrafficStep,
} from './plan-types.js';

type StepWithoutCommand = Omit<CreateWorkspacesStep, 'command'>;

/**
 * The argument vector of `coder exp scaletest create-workspaces` for a step. `--name=value` throughout: the CLI's
 * booleans take no separate value. Never `--token`: the CLI repeats its arguments in error messages.
 */
export function createWorkspacesCommand(step: StepWithoutCommand): readonly string[] {
  return [
    'coder',
    'exp',
    'scaletest',
    'create-workspaces',
    `--count=${step.count}`,
    `--template=${step.template}`,
    `--concurrency=${step.concurrency}`,
    `--timeout=${formatDuration(step.timeout)}`,
    `--job-timeout=${formatDuration(step.jobTimeout)}`,
    ...(step.retries > 0 ? [`--retry=${step.retries}`] : []),
    ...(step.owner === 'token-user' ? ['--use-host-login'] : []),
    ...Object.entries(step.parameters).map(([name, value]) => `--parameter=${csvField(`${name}=${value}`)}`),
    // The CLI's own clean-up reports oddly and needs a licence since v2.34; the gate cleans up through the API.
    '--no-cleanup',
    `--output=${csvField(`json:${step.resultFile}`)}`,
  ];
}

/** The suite's page is scraped by us while it runs and once more when it waits, so a short wait does. */
const METRICS_WAIT = '3s';

/**
 * The argument vector of `coder exp scaletest workspace-traffic` for a step. It has no `--duration`: each run lasts the
 * shorter of the two time-outs. The default of one run at a time would load one workspace after the other.
 */
export function workspaceTrafficCommand(step: Omit<WorkspaceTrafficStep, 'command'>): readonly string[] {
  return [
    'coder',
    'exp',
    'scaletest',
    'workspace-traffic',
    `--bytes-per-tick=${step.bytesPerTick}`,
    `--tick-interval=${formatDuration(step.tickInterval)}`,
    `--timeout=${formatDuration(step.timeout)}`,
    `--job-timeout=${formatDuration(step.jobTimeout)}`,
    '--concurrency=0',
    ...modeFlags(step.mode),
    // By name: the CLI takes an id as well, and then finds nothing.
    ...(step.template === undefined ? [] : [`--template=${step.template}`]),
    ...(step.owner === 'token-user' ? ['--use-host-login'] : []),
    // The default address is open to the network.
    `--scaletest-prometheus-address=127.0.0.1:${step.metricsPort}`,
    `--scaletest-prometheus-wait=${METRICS_WAIT}`,
    `--output=${csvField(`json:${step.resultFile}`)}`,
  ];
}

/**
 * The argument vector of `coder exp scaletest dashboard` for a step. How many users there are is said by the range: its
 * `--concurrency` only limits how many of them click at once.
 */
export function dashboardBrowserCommand(step: Omit<DashboardBrowserStep, 'command'>): readonly string[] {
  return [
    'coder',
    'exp',
    'scaletest',
    'dashboard',
    `--target-users=0:${step.users}`,
    '--concurrency=0',
    `--interval=${formatDuration(step.interval)}`,
    `--jitter=${formatDuration(step.jitter)}`,
    `--timeout=${formatDuration(step.timeout)}`,
    `--job-timeout=${formatDuration(step.jobTimeout)}`,
    `--scaletest-prometheus-address=127.0.0.1:${step.metricsPort}`,
    // Where the suite does something, its page is gone before this wait begins.
    '--scaletest-prometheus-wait=0s',
    `--output=${csvField(`json:${step.resultFile}`)}`,
  ];
}

function modeFlags(mode: TrafficMode): readonly string[] {
  if (mode === 'web-terminal') return [];
  return mode === 'ssh' ? ['--ssh'] : [`--app=${mode.slice('app:'.length)}`];
}

/** The CLI reads list flags as CSV, so a comma, quote or line break needs quoting. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
