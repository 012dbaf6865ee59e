import { now, rfc3339 } from '../clock.js';
import type { Deployment } from '../deployment.js';
import type { TemplateParameter } from '../options.js';
import { jobStatus, type Template, type Transition } from '../state.js';
import { jobJson } from './jobs.js';

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const SAMPLED_BUILDS = 100;

function buildTimes(
  deployment: Deployment,
  template: Template,
  transition: Transition,
): Record<string, unknown> {
  const times = [...deployment.state.builds.values()]
    .filter((build) => build.templateVersionId === template.versionId && build.transition === transition)
    .filter((build) => jobStatus(build.job) === 'succeeded')
    .slice(-SAMPLED_BUILDS)
    .map(({ job }) => Math.round((job.completedAt ?? 0) - (job.startedAt ?? 0)))
    .sort((left, right) => left - right);
  const quantile = (share: number): number | null => times[Math.ceil(share * times.length) - 1] ?? null;
  return { P50: quantile(0.5), P95: quantile(0.95) };
}

export interface TemplateFigures {
  activeUsers: number;
  buildTimes: Record<Transition, Record<string, unknown>>;
}

const REFRESH_MS = 4 * 3_600_000;
const cache = new WeakMap<Template, { takenAt: number; figures: TemplateFigures }>();

/** Like the real server, both figures are refreshed only every four hours. */
export function templateFigures(deployment: Deployment, template: Template): TemplateFigures {
  const known = cache.get(template);
  const time = now();
  if (known !== undefined && time - known.takenAt < REFRESH_MS) return known.figures;
  const figures = computeFigures(deployment, template);
  cache.set(template, { takenAt: time, figures });
  return figures;
}

function computeFigures(deployment: Deployment, template: Template): TemplateFigures {
  const owners = deployment.state
    .liveWorkspaces()
    .filter((workspace) => workspace.templateId === template.id)
    .map((workspace) => workspace.ownerId);
  return {
    activeUsers: new Set(owners).size,
    buildTimes: {
      start: buildTimes(deployment, template, 'start'),
      stop: buildTimes(deployment, template, 'stop'),
      delete: buildTimes(deployment, template, 'delete'),
    },
  };
}

export function templateJson(
  deployment: Deployment,
  template: Template,
  figures: TemplateFigures,
): Record<string, unknown> {
  const { traits, organization, options, state } = deployment;
  const creator = state.users.get(template.importJob.initiatorId);
  const newest = <Value>(value: Value): Value | undefined => (traits.newestKeys ? value : undefined);
  const modern = <Value>(value: Value): Value | undefined => (traits.modernKeys ? value : undefined);
  const { deprecated } = deployment.templateOptions(template);
  return {
    id: template.id,
    created_at: rfc3339(template.createdAt),
    updated_at: rfc3339(template.updatedAt),
    organization_id: organization.id,
    organization_name: options.organizationName,
    organization_display_name: 'Coder',
    organization_icon: '',
    name: template.options.name,
    display_name: '',
    provisioner: 'terraform',
    active_version_id: template.versionId,
    active_user_count: figures.activeUsers,
    build_time_stats: {
      delete: figures.buildTimes.delete,
      start: figures.buildTimes.start,
      stop: figures.buildTimes.stop,
    },
    description: '',
    deprecated,
    deprecation_message: deprecated ? 'Use another template.' : '',
    deleted: newest(false),
    icon: '',
    default_ttl_ms: 0,
    activity_bump_ms: 3_600_000,
    time_til_autostop_notify_ms: newest(0),
    autostop_requirement: { days_of_week: [], weeks: 1 },
    autostart_requirement: { days_of_week: DAYS },
    created_by_id: template.importJob.initiatorId,
    created_by_name: creator?.username,
    allow_user_autostart: true,
    allow_user_autostop: true,
    allow_user_cancel_workspace_jobs: false,
    failure_ttl_ms: 0,
    time_til_dormant_ms: 0,
    time_til_dormant_autodelete_ms: 0,
    require_active_version: false,
    max_port_share_level: 'public',
    cors_behavior: modern('simple'),
    use_classic_parameter_flow: modern(false),
    disable_module_cache: newest(false),
  };
}

export function templateVersionJson(deployment: Deployment, template: Template): Record<string, unknown> {
  const { traits, organization, state } = deployment;
  const creator = state.users.get(template.importJob.initiatorId);
  return {
    id: template.versionId,
    template_id: template.id,
    organization_id: organization.id,
    created_at: rfc3339(template.createdAt),
    updated_at: rfc3339(template.updatedAt),
    name: template.versionName,
    message: 'Uploaded from the CLI',
    job: jobJson(deployment, template.importJob),
    readme: '',
    created_by: {
      id: creator?.id,
      username: creator?.username,
      name: traits.modernKeys ? creator?.name : undefined,
      avatar_url: traits.modernKeys ? undefined : '',
    },
    archived: false,
    has_external_agent: traits.modernKeys ? false : undefined,
  };
}

export function parameterJson(deployment: Deployment, parameter: TemplateParameter): Record<string, unknown> {
  return {
    name: parameter.name,
    description: '',
    description_plaintext: '',
    type: parameter.type,
    form_type: deployment.traits.modernKeys ? (parameter.options.length > 0 ? 'radio' : 'input') : undefined,
    mutable: parameter.mutable,
    default_value: parameter.defaultValue,
    icon: '',
    options: parameter.options.map(({ name, value }) => ({ name, description: '', value, icon: '' })),
    required: parameter.required,
    ephemeral: parameter.ephemeral,
  };
}
