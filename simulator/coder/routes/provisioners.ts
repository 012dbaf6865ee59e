import { type Answer, ApiError, notFound, ok } from '../answers.js';
import { type Call, page, paging, param, requireOrganization } from '../calls.js';
import { now, rfc3339 } from '../clock.js';
import type { Daemon } from '../provisioning.js';
import type { Router } from '../router.js';
import { type Job, jobStatus } from '../state.js';
import { isAtLeast } from '../versions.js';
import { jobJson, ORGANIZATION_TAGS } from '../wire/jobs.js';

const DEFAULT_LIMIT = 50;
const DAEMON_KEYS = ['limit', 'offset', 'ids', 'tags', 'offline', 'status', 'max_age'];
const JOB_KEYS = ['limit', 'offset', 'ids', 'tags', 'status', 'initiator'];

export function provisionerApiVersion(version: string): string {
  if (isAtLeast(version, 'v2.36.0')) return '1.18';
  return isAtLeast(version, 'v2.31.0') ? '1.14' : '1.4';
}

/** Members see neither the daemons nor the jobs. */
function requireViewer(call: Call, keys: string[]): void {
  requireOrganization(call, param(call, 'organization'));
  if (!call.deployment.isOwner(call.caller.user)) throw notFound();
  const unknown = [...call.query.keys()].filter((key) => !keys.includes(key));
  if (unknown.length === 0) return;
  throw new ApiError(
    400,
    'Query parameters have invalid values.',
    '',
    unknown.map((field) => ({ field, detail: `"${field}" is not a valid query param` })),
  );
}

function jobSummary(call: Call, job: Job | null): Record<string, unknown> | null {
  if (job === null) return null;
  const template = call.deployment.state.templates.get(job.templateId);
  return {
    id: job.id,
    status: jobStatus(job),
    template_name: template?.options.name,
    template_icon: '',
    template_display_name: '',
  };
}

function daemonJson(call: Call, daemon: Daemon): Record<string, unknown> {
  const { deployment } = call;
  return {
    id: daemon.id,
    organization_id: deployment.organization.id,
    key_id: '00000000-0000-0000-0000-000000000001',
    created_at: rfc3339(daemon.createdAt),
    last_seen_at: rfc3339(Math.max(daemon.createdAt, now() - (now() % 60_000))),
    name: daemon.name,
    version: deployment.buildVersion,
    api_version: provisionerApiVersion(deployment.options.version),
    provisioners: ['terraform'],
    tags: ORGANIZATION_TAGS,
    key_name: 'built-in',
    status: daemon.job === null ? 'idle' : 'busy',
    current_job: jobSummary(call, daemon.job),
    previous_job: jobSummary(call, daemon.previousJob),
  };
}

function listDaemons(call: Call): Answer {
  requireViewer(call, DAEMON_KEYS);
  const statuses = call.query.get('status')?.split(',');
  const rows = [...call.deployment.provisioning.daemons]
    .reverse()
    .map((daemon) => daemonJson(call, daemon))
    .filter((row) => statuses === undefined || statuses.includes(String(row.status)));
  return ok(page(rows, paging(call, DEFAULT_LIMIT)));
}

function listedJob(call: Call, job: Job): Record<string, unknown> {
  const { deployment } = call;
  const { state, provisioning } = deployment;
  const template = state.templates.get(job.templateId);
  const build = job.type === 'workspace_build' ? state.builds.get(job.subjectId) : undefined;
  const workspace = build && state.workspaces.get(build.workspaceId);
  return jobJson(deployment, job, {
    ...(job.workerId !== null && {
      workerName: provisioning.daemons.find((daemon) => daemon.id === job.workerId)?.name ?? 'vm-0',
    }),
    // Here, unlike in a build, every job shows how many wait.
    queueSize: jobStatus(job) === 'pending' ? provisioning.queue.length : 0,
    metadata: {
      template_version_name: template?.versionName,
      template_id: job.templateId,
      template_name: template?.options.name,
      template_display_name: '',
      template_icon: '',
      workspace_id: workspace?.id,
      workspace_name: workspace?.name,
      workspace_build_transition: deployment.traits.newestKeys ? build?.transition : undefined,
    },
  });
}

function allJobs(call: Call): Job[] {
  const imports = [...call.deployment.state.templates.values()].map((template) => template.importJob);
  return [...imports, ...call.deployment.state.jobs].reverse();
}

function listJobs(call: Call): Answer {
  requireViewer(call, JOB_KEYS);
  const statuses = call.query.get('status')?.split(',');
  const found = allJobs(call).filter((job) => statuses === undefined || statuses.includes(jobStatus(job)));
  return ok(page(found, paging(call, DEFAULT_LIMIT)).map((job) => listedJob(call, job)));
}

function readJob(call: Call): Answer {
  requireViewer(call, []);
  const job = allJobs(call).find((one) => one.id === param(call, 'job'));
  if (job === undefined) throw notFound();
  return ok(listedJob(call, job));
}

export function addProvisionerRoutes(router: Router): void {
  router.add('GET /api/v2/organizations/{organization}/provisionerdaemons', listDaemons, { slash: true });
  router.add('GET /api/v2/organizations/{organization}/provisionerjobs', listJobs, { slash: true });
  router.add('GET /api/v2/organizations/{organization}/provisionerjobs/{job}', readJob);
}
