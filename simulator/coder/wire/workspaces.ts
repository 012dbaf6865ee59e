import { now, rfc3339 } from '../clock.js';
import type { Deployment } from '../deployment.js';
import {
  type Agent,
  type Build,
  type Job,
  jobStatus,
  latestBuild,
  type Resource,
  type Workspace,
} from '../state.js';
import { isAtLeast } from '../versions.js';
import { jobJson } from './jobs.js';

const CONNECTION_TIMEOUT_SECONDS = 120;

export type AgentStatus = 'connecting' | 'timeout' | 'connected' | 'disconnected';

export function agentStatus(agent: Agent, time: number): AgentStatus {
  if (agent.disconnectedAt !== null && agent.disconnectedAt >= agent.connectsAt) return 'disconnected';
  if (agent.connectsAt <= time) return 'connected';
  return time - agent.createdAt > CONNECTION_TIMEOUT_SECONDS * 1000 ? 'timeout' : 'connecting';
}

function agentHealth(status: AgentStatus): { healthy: boolean; reason?: string } {
  if (status === 'timeout') return { healthy: false, reason: 'agent is taking too long to connect' };
  if (status === 'disconnected') return { healthy: false, reason: 'agent has lost connection' };
  return { healthy: true };
}

function appJson(agent: Agent): Record<string, unknown> {
  return {
    id: agent.appId,
    url: 'http://localhost:9',
    external: false,
    slug: 'wsec',
    display_name: 'WS echo',
    subdomain: false,
    sharing_level: 'owner',
    healthcheck: { url: '', interval: 0, threshold: 0 },
    health: 'disabled',
    hidden: false,
    open_in: 'slim-window',
    statuses: [],
  };
}

/** Was not recorded; the keys are those of the published schema. */
function scriptJson(id: string, script: NonNullable<Agent['startScript']>): Record<string, unknown> {
  return {
    id,
    log_source_id: id,
    log_path: '',
    script: '',
    cron: '',
    run_on_start: true,
    run_on_stop: false,
    start_blocks_login: script.blocksLogin,
    timeout: 0,
    display_name: script.name,
  };
}

function agentApiVersion(version: string): string {
  if (isAtLeast(version, 'v2.36.0')) return '2.10';
  return isAtLeast(version, 'v2.31.0') ? '2.7' : '2.4';
}

function agentJson(deployment: Deployment, resource: Resource, agent: Agent): Record<string, unknown> {
  const { traits, options } = deployment;
  const time = now();
  const status = agentStatus(agent, time);
  const wasConnected = agent.connectsAt <= (agent.disconnectedAt ?? time);
  const isStarted = agent.startsAt <= (agent.disconnectedAt ?? time);
  const isReady = agent.readyAt <= (agent.disconnectedAt ?? time);
  const lastContact = agent.disconnectedAt ?? Math.max(agent.connectsAt, time - (time % 15_000));
  const life = isReady ? 'ready' : isStarted ? 'starting' : 'created';
  return {
    id: agent.id,
    parent_id: traits.modernKeys ? null : undefined,
    created_at: rfc3339(agent.createdAt),
    updated_at: rfc3339(wasConnected ? lastContact : agent.createdAt),
    first_connected_at: wasConnected ? rfc3339(agent.connectsAt) : undefined,
    last_connected_at: wasConnected ? rfc3339(lastContact) : undefined,
    disconnected_at:
      agent.disconnectedAt !== null && wasConnected ? rfc3339(agent.disconnectedAt) : undefined,
    started_at: isStarted ? rfc3339(agent.startsAt) : undefined,
    ready_at: isReady ? rfc3339(agent.readyAt) : undefined,
    status,
    lifecycle_state: life,
    name: 'main',
    resource_id: resource.id,
    architecture: 'amd64',
    environment_variables: null,
    operating_system: 'linux',
    logs_length: 0,
    logs_overflowed: false,
    version: isStarted ? options.version : '',
    api_version: isStarted ? agentApiVersion(options.version) : '',
    apps: [appJson(agent)],
    // Comes with the agent's first statistics, a while after it is ready.
    latency:
      status === 'connected' && time - agent.readyAt > 10_000
        ? { 'Coder Embedded Relay': { preferred: true, latency_ms: agent.latencyMs } }
        : undefined,
    connection_timeout_seconds: CONNECTION_TIMEOUT_SECONDS,
    troubleshooting_url: 'https://coder.com/docs/admin/templates/troubleshooting',
    subsystems: [],
    health: agentHealth(status),
    display_apps: ['vscode', 'ssh_helper', 'port_forwarding_helper', 'web_terminal'],
    log_sources: [],
    scripts: agent.startScript === null ? [] : [scriptJson(agent.id, agent.startScript)],
    startup_script_behavior: agent.startScript?.blocksLogin === true ? 'blocking' : 'non-blocking',
  };
}

export function resourceJson(
  deployment: Deployment,
  build: Build,
  resource: Resource,
): Record<string, unknown> {
  return {
    id: resource.id,
    created_at: rfc3339(resource.createdAt),
    job_id: build.job.id,
    workspace_transition: build.transition,
    type: resource.type,
    name: resource.name,
    hide: false,
    icon: '',
    agents: resource.agent === null ? undefined : [agentJson(deployment, resource, resource.agent)],
    daily_cost: 0,
  };
}

export function buildStatus(build: Build): string {
  const status = jobStatus(build.job);
  if (status === 'running')
    return { start: 'starting', stop: 'stopping', delete: 'deleting' }[build.transition];
  if (status === 'succeeded')
    return { start: 'running', stop: 'stopped', delete: 'deleted' }[build.transition];
  return status;
}

function matchedProvisioners(deployment: Deployment, job: Job, fresh: boolean): Record<string, unknown> {
  const count = deployment.provisioning.daemons.length;
  if (!fresh || count === 0) return { count: 0, available: 0, most_recently_seen: null };
  return { count, available: count, most_recently_seen: rfc3339(job.createdAt - (job.createdAt % 60_000)) };
}

/** `fresh`: the answer to the request that made the build, which shows less. */
export function buildJson(deployment: Deployment, build: Build, fresh = false): Record<string, unknown> {
  const { traits, state } = deployment;
  const workspace = state.workspaces.get(build.workspaceId);
  const owner = state.users.get(workspace?.ownerId ?? '');
  const initiator = state.users.get(build.initiatorId);
  const template = state.templateByVersion(build.templateVersionId);
  const finished = build.job.completedAt !== null && build.job.error === '' && build.job.canceledAt === null;
  const flag = traits.modernKeys && finished && !fresh ? false : undefined;
  return {
    id: build.id,
    created_at: rfc3339(build.createdAt),
    updated_at: rfc3339(fresh ? build.createdAt : (build.job.completedAt ?? build.createdAt)),
    workspace_id: build.workspaceId,
    workspace_name: workspace?.name,
    workspace_owner_id: workspace?.ownerId,
    workspace_owner_name: owner?.username,
    workspace_owner_avatar_url: traits.modernKeys ? undefined : '',
    template_version_id: build.templateVersionId,
    template_version_name: fresh ? '' : template?.versionName,
    build_number: build.number,
    transition: build.transition,
    initiator_id: build.initiatorId,
    initiator_name: initiator?.username,
    job: jobJson(deployment, build.job, { fresh }),
    reason: 'initiator',
    resources: fresh || build.resource === null ? [] : [resourceJson(deployment, build, build.resource)],
    deadline: null,
    max_deadline: null,
    status: fresh ? 'pending' : buildStatus(build),
    daily_cost: 0,
    matched_provisioners: matchedProvisioners(deployment, build.job, fresh),
    template_version_preset_id: traits.modernKeys ? null : undefined,
    has_ai_task: flag,
    has_external_agent: flag,
  };
}

function failingAgents(build: Build): string[] {
  const agent = build.resource?.agent ?? null;
  return agent !== null && !agentHealth(agentStatus(agent, now())).healthy ? [agent.id] : [];
}

export function workspaceJson(
  deployment: Deployment,
  workspace: Workspace,
  fresh = false,
): Record<string, unknown> {
  const { traits, state, organization, options } = deployment;
  const template = state.templates.get(workspace.templateId);
  const owner = state.users.get(workspace.ownerId);
  const build = latestBuild(workspace);
  const failing = fresh ? [] : failingAgents(build);
  return {
    id: workspace.id,
    created_at: rfc3339(workspace.createdAt),
    updated_at: rfc3339(workspace.createdAt),
    owner_id: workspace.ownerId,
    owner_name: owner?.username,
    owner_avatar_url: '',
    organization_id: organization.id,
    organization_name: options.organizationName,
    template_id: workspace.templateId,
    template_name: template?.options.name,
    template_display_name: '',
    template_icon: '',
    template_allow_user_cancel_workspace_jobs: false,
    template_active_version_id: template?.versionId,
    template_require_active_version: false,
    template_use_classic_parameter_flow: traits.modernKeys ? false : undefined,
    latest_build: buildJson(deployment, build, fresh),
    latest_app_status: null,
    outdated: false,
    name: workspace.name,
    last_used_at: rfc3339(workspace.lastUsedAt),
    deleting_at: null,
    dormant_at: null,
    health: { healthy: failing.length === 0, failing_agents: failing },
    automatic_updates: 'never',
    allow_renames: false,
    favorite: false,
    next_start_at: null,
    is_prebuild: traits.modernKeys ? false : undefined,
    task_id: traits.modernKeys ? null : undefined,
  };
}
