import { rfc3339 } from '../clock.js';
import type { Deployment } from '../deployment.js';
import { type Job, jobStatus } from '../state.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';
export const ORGANIZATION_TAGS = { owner: '', scope: 'organization' };

const emptyMetadata = {
  template_version_name: '',
  template_id: NO_ID,
  template_name: '',
  template_display_name: '',
  template_icon: '',
};

/** A provisioner job inside a build or a template version. `fresh` is the answer to the request that made it. */
export function jobJson(
  deployment: Deployment,
  job: Job,
  more: { fresh?: boolean; workerName?: string; metadata?: Record<string, unknown>; queueSize?: number } = {},
): Record<string, unknown> {
  const { traits, provisioning } = deployment;
  const started = more.fresh === true ? null : job.startedAt;
  const completed = more.fresh === true ? null : job.completedAt;
  const place = more.fresh === true ? { position: 0, size: 0 } : provisioning.queuePlace(job);
  return {
    id: job.id,
    created_at: rfc3339(job.createdAt),
    started_at: started === null ? undefined : rfc3339(started),
    completed_at: completed === null ? undefined : rfc3339(completed),
    canceled_at: job.canceledAt === null ? undefined : rfc3339(job.canceledAt),
    error: job.error === '' ? undefined : job.error,
    status: more.fresh === true ? 'pending' : jobStatus(job),
    worker_id: more.fresh === true ? undefined : (job.workerId ?? undefined),
    worker_name: traits.modernKeys ? more.workerName : undefined,
    file_id: job.fileId,
    tags: ORGANIZATION_TAGS,
    queue_position: place.position,
    queue_size: more.queueSize ?? place.size,
    organization_id: deployment.organization.id,
    initiator_id: traits.modernKeys ? job.initiatorId : undefined,
    input:
      job.type === 'workspace_build'
        ? { workspace_build_id: job.subjectId }
        : { template_version_id: job.subjectId },
    type: job.type,
    metadata: more.metadata ?? emptyMetadata,
    logs_overflowed: traits.modernKeys ? false : undefined,
  };
}
