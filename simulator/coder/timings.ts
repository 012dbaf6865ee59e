import { now, rfc3339 } from './clock.js';
import type { Deployment } from './deployment.js';
import { type Agent, type Build, jobStatus } from './state.js';
import { isAtLeast } from './versions.js';

/** One interval as shares of the job's time. */
interface Interval {
  stage: 'init' | 'plan' | 'apply' | 'graph';
  from: number;
  to: number;
  source: string;
  action: string;
  resource: string;
}

function interval(stage: Interval['stage'], from: number, to: number, text: string): Interval {
  const [source = '', action = '', resource = ''] = text.split('|');
  return { stage, from, to, source, action, resource };
}

const STAGE_ROWS: Interval[] = [
  interval('init', 0.1, 0.18, 'coder|terraform|coder_stage_init'),
  interval('init', 0.16, 0.18, '|load|provider plugins'),
  interval('plan', 0.35, 0.5, 'coder|terraform|coder_stage_plan'),
  interval('plan', 0.4, 0.41, 'coder|read|data.coder_workspace.me'),
  interval('plan', 0.4, 0.42, 'coder|read|data.coder_workspace_owner.me'),
  interval('apply', 0.55, 0.8, 'coder|terraform|coder_stage_apply'),
];
const OLD_ROWS: Interval[] = [
  interval('init', 0.1, 0.18, 'terraform|initializing terraform|state file'),
  interval('plan', 0.4, 0.41, 'coder|read|data.coder_workspace_owner.me'),
  interval('plan', 0.4, 0.42, 'coder|read|data.coder_workspace.me'),
  interval('graph', 0.42, 0.54, 'terraform|building terraform dependency graph|state file'),
];
const AGENT_ROWS: Interval[] = [
  interval('apply', 0.6, 0.62, 'coder|create|coder_agent.main'),
  interval('apply', 0.63, 0.7, 'terraform|create|terraform_data.agent[0]'),
  interval('apply', 0.63, 0.69, 'terraform|provision|terraform_data.agent[0]'),
  interval('apply', 0.63, 0.72, 'coder|create|coder_app.wsecho'),
];
const GRAPH_ROW = interval('graph', 0.85, 0.97, 'coder|terraform|coder_stage_graph');

/** Stored only for builds that succeeded. */
function provisionerTimings(deployment: Deployment, { job, resource }: Build): Record<string, unknown>[] {
  if (jobStatus(job) !== 'succeeded' || job.startedAt === null || job.completedAt === null) return [];
  const begin = job.startedAt;
  const length = job.completedAt - begin;
  const hasStages = isAtLeast(deployment.options.version, 'v2.31.0');
  const work = resource?.name === 'agent' ? AGENT_ROWS : [];
  const rows = hasStages ? [...STAGE_ROWS, ...work, GRAPH_ROW] : [...OLD_ROWS, ...work];
  return rows.map(({ stage, from, to, source, action, resource: name }) => ({
    job_id: job.id,
    started_at: rfc3339(begin + from * length),
    ended_at: rfc3339(begin + to * length),
    stage,
    source,
    action,
    resource: name,
  }));
}

/** A script's time is there once it has ended. */
function scriptTimings(agent: Agent | null): Record<string, unknown>[] {
  if (agent === null || agent.startScript === null || agent.readyAt > now()) return [];
  return [
    {
      started_at: rfc3339(agent.startsAt),
      ended_at: rfc3339(agent.readyAt),
      exit_code: 0,
      stage: 'start',
      status: 'ok',
      display_name: agent.startScript.name,
      workspace_agent_id: agent.id,
      workspace_agent_name: 'main',
    },
  ];
}

export function buildTimings(deployment: Deployment, build: Build): Record<string, unknown> {
  const agent = build.resource?.agent ?? null;
  const connected = agent !== null && agent.connectsAt <= now();
  return {
    provisioner_timings: provisionerTimings(deployment, build),
    agent_script_timings: scriptTimings(agent),
    agent_connection_timings: connected
      ? [
          {
            started_at: rfc3339(agent.createdAt),
            ended_at: rfc3339(agent.connectsAt),
            stage: 'connect',
            workspace_agent_id: agent.id,
            workspace_agent_name: 'main',
          },
        ]
      : [],
  };
}
