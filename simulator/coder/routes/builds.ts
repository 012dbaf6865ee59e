import { type Answer, ApiError, created, failedTag, notFound, ok, validationFailed } from '../answers.js';
import { type Call, jsonBody, page, paging, textField, uuidParam } from '../calls.js';
import { now, rfc3339 } from '../clock.js';
import { jobLog } from '../build-log.js';
import type { Deployment } from '../deployment.js';
import type { Router } from '../router.js';
import { type Build, isActive, type Job, jobStatus, latestBuild, type Transition } from '../state.js';
import { buildTimings } from '../timings.js';
import { buildJson } from '../wire/workspaces.js';
import { addBuild, findWorkspace, maySee, parameterValues, resolveParameters } from './workspaces.js';

function transitionOf(body: Record<string, unknown>): Transition {
  const text = textField(body, 'transition');
  if (text === 'start' || text === 'stop' || text === 'delete') return text;
  throw validationFailed([failedTag('transition', text === '' ? 'required' : 'oneof', text)]);
}

function createBuild(call: Call): Answer {
  const { deployment, caller } = call;
  const workspace = findWorkspace(call);
  const body = jsonBody(call);
  const transition = transitionOf(body);
  const orphan = body.orphan === true;
  if (orphan && transition !== 'delete') {
    throw new ApiError(400, 'Orphan is only permitted when deleting a workspace.');
  }
  if (orphan && !deployment.isOwner(caller.user)) {
    throw new ApiError(403, 'Only template managers may provide custom state');
  }
  const latest = latestBuild(workspace);
  if (isActive(latest.job)) {
    const message = 'A workspace build is already active.';
    throw new ApiError(409, message, message);
  }
  const template = deployment.state.templates.get(workspace.templateId);
  if (template === undefined) throw notFound();
  const parameters =
    transition === 'start'
      ? resolveParameters(deployment, template, [...parameterValues(body), ...latest.parameters])
      : latest.parameters;
  const build = addBuild(deployment, workspace, template, transition, caller.user, parameters);
  if (orphan && deployment.provisioning.daemons.length === 0) {
    // Nobody would take the job: the server completes it itself.
    deployment.provisioning.cancel(build.job);
    build.job.canceledAt = null;
    build.job.startedAt = build.createdAt;
    workspace.deleted = true;
    return created(buildJson(deployment, build));
  }
  return created(buildJson(deployment, build, true));
}

function listBuilds(call: Call): Answer {
  const workspace = findWorkspace(call);
  const places = paging(call);
  const since = call.query.get('since');
  const sinceTime = since === null || since === '' ? -Infinity : Date.parse(since);
  if (Number.isNaN(sinceTime)) throw new ApiError(400, 'bad `since` format, must be RFC3339');
  const newestFirst = workspace.builds.filter((build) => build.createdAt > sinceTime).reverse();
  return ok(page(newestFirst, places).map((build) => buildJson(call.deployment, build)));
}

export function findBuild(call: Call): Build {
  const build = call.deployment.state.builds.get(uuidParam(call, 'workspacebuild'));
  const workspace = build && call.deployment.state.workspaces.get(build.workspaceId);
  if (build === undefined || workspace === undefined || !maySee(call, workspace)) throw notFound();
  return build;
}

function cancelBuild(call: Call): Answer {
  const { deployment, caller } = call;
  const { job } = findBuild(call);
  const expected = deployment.traits.expectStatus ? call.query.get('expect_status') : null;
  if (expected !== null && expected !== 'pending' && expected !== 'running') {
    throw new ApiError(400, `Invalid expect_status "${expected}". Only 'running' or 'pending' are allowed.`);
  }
  // The templates forbid cancelling; only waiting jobs may be taken back by anybody.
  if (!deployment.isOwner(caller.user) && expected !== 'pending') {
    throw new ApiError(403, 'User is not allowed to cancel workspace builds. Owner role is required.');
  }
  if (job.completedAt !== null) throw new ApiError(400, 'Job has already completed!');
  if (job.canceledAt !== null) throw new ApiError(400, 'Job has already been marked as canceled!');
  if (expected !== null && jobStatus(job) !== expected) {
    throw new ApiError(412, 'Job is not in the expected state.');
  }
  deployment.provisioning.cancel(job);
  return ok({ message: 'Job has been marked as canceled...' });
}

const LINES_PER_JOB = 1000;

/** The log of a job after a line; the ids grow in one sequence over the deployment's jobs. */
export function logSince(
  deployment: Deployment,
  job: Job,
  after: number,
  build?: Build,
): Record<string, unknown>[] {
  const first = job.sequence * LINES_PER_JOB;
  const skipped = Math.max(0, after - first + 1);
  return jobLog(deployment, job, now(), build)
    .slice(skipped)
    .map((line, offset) => ({
      id: first + skipped + offset,
      created_at: rfc3339(line.createdAt),
      log_source: line.source,
      log_level: line.level,
      stage: line.stage,
      output: line.output,
    }));
}

export function logsAfter(call: Call): number {
  const text = call.query.get('after');
  if (text === null || text === '') return 0;
  const after = Number(text);
  if (Number.isInteger(after)) return after;
  throw new ApiError(400, 'Query param "after" must be an integer.', '', [
    { field: 'after', detail: 'Must be an integer' },
  ]);
}

function readLogs(call: Call): Answer {
  const build = findBuild(call);
  return ok(logSince(call.deployment, build.job, logsAfter(call), build));
}

function readParameters(call: Call): Answer {
  return ok(findBuild(call).parameters.map(({ name, value }) => ({ name, value })));
}

function readWorkspaceTimings(call: Call): Answer {
  return ok(buildTimings(call.deployment, latestBuild(findWorkspace(call))));
}

export function addBuildRoutes(router: Router): void {
  const build = '/api/v2/workspacebuilds/{workspacebuild}';
  router.add('POST /api/v2/workspaces/{workspace}/builds', createBuild, { slash: true });
  router.add('GET /api/v2/workspaces/{workspace}/builds', listBuilds, { slash: true });
  router.add('GET /api/v2/workspaces/{workspace}/timings', readWorkspaceTimings);
  router.add(`GET ${build}`, (call) => ok(buildJson(call.deployment, findBuild(call))), { slash: true });
  router.add(`PATCH ${build}/cancel`, cancelBuild);
  router.add(`GET ${build}/logs`, readLogs);
  router.add(`GET ${build}/parameters`, readParameters);
  router.add(`GET ${build}/timings`, (call) => ok(buildTimings(call.deployment, findBuild(call))));
}
