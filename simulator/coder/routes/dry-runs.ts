import { type Answer, created, notFound, ok } from '../answers.js';
import { type Call, jsonBody, textField, uuidParam } from '../calls.js';
import { now, rfc3339 } from '../clock.js';
import type { Router } from '../router.js';
import type { DryRun, Job } from '../state.js';
import { jobJson } from '../wire/jobs.js';
import { logsAfter, logSince } from './builds.js';
import { findVersion } from './templates.js';

function createDryRun(call: Call): Answer {
  const { deployment, caller } = call;
  const template = findVersion(call);
  const body = jsonBody(call);
  const time = now();
  const job: Job = {
    id: deployment.random.uuid(),
    type: 'template_version_dry_run',
    createdAt: time,
    startedAt: null,
    completedAt: null,
    canceledAt: null,
    error: '',
    workerId: null,
    fileId: template.fileId,
    initiatorId: caller.user.id,
    subjectId: template.versionId,
    templateId: template.id,
    updatedAt: time,
    sequence: deployment.state.jobs.length + 1,
    plannedMs: 0,
  };
  deployment.state.jobs.push(job);
  deployment.state.dryRuns.set(job.id, {
    job,
    templateVersionId: template.versionId,
    workspaceName: textField(body, 'workspace_name'),
    ownerId: caller.user.id,
  });
  deployment.provisioning.enqueueDryRun(job, template);
  return created(jobJson(deployment, job, { fresh: true }));
}

export function findDryRun(call: Call): DryRun {
  findVersion(call);
  const run = call.deployment.state.dryRuns.get(uuidParam(call, 'jobID'));
  if (run === undefined) throw notFound();
  return run;
}

function matchedProvisioners(call: Call): Answer {
  findDryRun(call);
  const count = call.deployment.provisioning.daemons.length;
  return ok({ count, available: count, most_recently_seen: count === 0 ? null : rfc3339(now()) });
}

function dryRunResources(call: Call): Answer {
  const { job } = findDryRun(call);
  const template = findVersion(call);
  const { hasAgent } = call.deployment.templateOptions(template);
  return ok([
    {
      id: call.deployment.random.uuid(),
      created_at: rfc3339(job.completedAt ?? now()),
      job_id: job.id,
      workspace_transition: 'start',
      type: 'terraform_data',
      name: hasAgent ? 'agent' : 'vm',
      hide: false,
      icon: '',
      agents: hasAgent ? [{ name: 'main', operating_system: 'linux', architecture: 'amd64' }] : undefined,
      daily_cost: 0,
    },
  ]);
}

function cancelDryRun(call: Call): Answer {
  const { job } = findDryRun(call);
  call.deployment.provisioning.cancel(job);
  return ok({ message: 'Job has been marked as canceled.' });
}

function dryRunLogs(call: Call): Answer {
  return ok(logSince(call.deployment, findDryRun(call).job, logsAfter(call)));
}

export function addDryRunRoutes(router: Router): void {
  const runs = '/api/v2/templateversions/{templateversion}/dry-run';
  router.add(`POST ${runs}`, createDryRun, { slash: true });
  router.add(`GET ${runs}/{jobID}`, (call) => ok(jobJson(call.deployment, findDryRun(call).job)));
  router.add(`GET ${runs}/{jobID}/matched-provisioners`, matchedProvisioners);
  router.add(`GET ${runs}/{jobID}/resources`, dryRunResources);
  router.add(`GET ${runs}/{jobID}/logs`, dryRunLogs);
  router.add(`PATCH ${runs}/{jobID}/cancel`, cancelDryRun);
}
