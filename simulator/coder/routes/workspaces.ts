import {
  alreadyInUse,
  type Answer,
  ApiError,
  created,
  failedTag,
  notFound,
  ok,
  type Validation,
  validationFailed,
} from '../answers.js';
import { type Call, findUser, jsonBody, page, paging, param, textField, uuidParam } from '../calls.js';
import { now } from '../clock.js';
import type { Deployment } from '../deployment.js';
import type { Router } from '../router.js';
import type { Build, Template, Transition, User, Workspace } from '../state.js';
import { searchWorkspaces } from '../workspace-search.js';
import { buildJson, workspaceJson } from '../wire/workspaces.js';
import { isName } from './users.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';

export interface ParameterValue {
  name: string;
  value: string;
}

export function parameterValues(body: Record<string, unknown>): ParameterValue[] {
  const list = Array.isArray(body.rich_parameter_values) ? body.rich_parameter_values : [];
  return list.map((one: unknown) => {
    const row = typeof one === 'object' && one !== null ? one : {};
    const value = 'value' in row && typeof row.value === 'string' ? row.value : '';
    return { name: 'name' in row && typeof row.name === 'string' ? row.name : '', value };
  });
}

/** Checks given values and fills in the defaults. */
export function resolveParameters(
  deployment: Deployment,
  template: Template,
  given: ParameterValue[],
): ParameterValue[] {
  const { parameters } = deployment.templateOptions(template);
  const problems: Validation[] = [];
  const values = parameters.map(({ name, defaultValue, required, options }) => {
    const value = given.find((one) => one.name === name)?.value ?? defaultValue;
    if (value === '' && required) {
      problems.push({ field: name, detail: 'Required parameter not provided; parameter value is null' });
    } else if (options.length > 0 && !options.some((option) => option.value === value)) {
      const why = `the value "${value}" must be defined as one of options`;
      problems.push({ field: name, detail: `Value must be a valid option; ${why}` });
    }
    return { name, value };
  });
  if (problems.length > 0) throw new ApiError(400, 'Unable to validate parameters', '', problems);
  return values;
}

/** Adds a build and hands its job to the provisioners. */
export function addBuild(
  deployment: Deployment,
  workspace: Workspace,
  template: Template,
  transition: Transition,
  initiator: User,
  parameters: ParameterValue[],
): Build {
  const { random, state, provisioning } = deployment;
  const id = random.uuid();
  const time = now();
  const build: Build = {
    id,
    workspaceId: workspace.id,
    number: workspace.builds.length + 1,
    transition,
    templateVersionId: template.versionId,
    initiatorId: initiator.id,
    createdAt: time,
    job: {
      id: random.uuid(),
      type: 'workspace_build',
      createdAt: time,
      startedAt: null,
      completedAt: null,
      canceledAt: null,
      error: '',
      workerId: null,
      fileId: template.fileId,
      initiatorId: initiator.id,
      subjectId: id,
      templateId: template.id,
      updatedAt: time,
      sequence: state.jobs.length + 1,
      plannedMs: 0,
    },
    resource: null,
    parameters,
    fate: null,
  };
  workspace.builds.push(build);
  state.builds.set(id, build);
  state.jobs.push(build.job);
  provisioning.enqueueBuild(build, workspace, template);
  return build;
}

function chosenTemplate(call: Call, body: Record<string, unknown>): Template {
  const { state } = call.deployment;
  const given = (name: string): string => {
    const id = textField(body, name);
    return id === NO_ID ? '' : id;
  };
  const templateId = given('template_id');
  const versionId = given('template_version_id');
  if ((templateId === '') === (versionId === '')) {
    const tag = templateId === '' ? 'required_without' : 'excluded_with';
    throw validationFailed([failedTag('template_id', tag, templateId)]);
  }
  const template = templateId === '' ? state.templateByVersion(versionId) : state.templates.get(templateId);
  if (template === undefined) {
    throw new ApiError(400, `Template "${templateId || versionId}" doesn't exist.`, '', [
      { field: 'template_id', detail: 'template not found' },
    ]);
  }
  const { name } = template.options;
  if (call.deployment.templateOptions(template).deprecated) {
    throw new ApiError(
      400,
      `Template "${name}" has been deprecated, and cannot be used to create a new workspace.`,
    );
  }
  return template;
}

function createWorkspace(call: Call): Answer {
  const { deployment, caller } = call;
  const owner = findUser(call, param(call, 'user'));
  const body = jsonBody(call);
  const name = textField(body, 'name');
  if (!isName(name))
    throw validationFailed([failedTag('name', name === '' ? 'required' : 'workspace_name', name)]);
  const template = chosenTemplate(call, body);
  if (owner.deleted) throw notFound();
  const taken = deployment.state
    .liveWorkspaces()
    .some(
      (workspace) => workspace.ownerId === owner.id && workspace.name.toLowerCase() === name.toLowerCase(),
    );
  if (taken) throw alreadyInUse(`Workspace "${name}" already exists.`);
  const parameters = resolveParameters(deployment, template, parameterValues(body));
  const workspace = addWorkspace(deployment, owner, template, name);
  addBuild(deployment, workspace, template, 'start', caller.user, parameters);
  return created(workspaceJson(deployment, workspace, true));
}

export function addWorkspace(
  deployment: Deployment,
  owner: User,
  template: Template,
  name: string,
): Workspace {
  const time = now();
  const workspace: Workspace = {
    id: deployment.random.uuid(),
    name,
    ownerId: owner.id,
    templateId: template.id,
    createdAt: time,
    lastUsedAt: time,
    deleted: false,
    builds: [],
  };
  deployment.state.workspaces.set(workspace.id, workspace);
  return workspace;
}

function listWorkspaces(call: Call): Answer {
  const { deployment, caller } = call;
  const places = paging(call);
  const found = searchWorkspaces(deployment, caller, call.query.get('q') ?? '');
  return ok({
    workspaces: page(found, places).map((workspace) => workspaceJson(deployment, workspace)),
    count: found.length,
  });
}

/** The workspace of the path, when the caller may see it. */
export function findWorkspace(call: Call): Workspace {
  const workspace = call.deployment.state.workspaces.get(uuidParam(call, 'workspace'));
  if (workspace === undefined || !maySee(call, workspace)) throw notFound();
  return workspace;
}

export function maySee({ deployment, caller }: Call, workspace: Workspace): boolean {
  return workspace.ownerId === caller.user.id || deployment.isOwner(caller.user);
}

function readWorkspace(call: Call): Answer {
  const workspace = findWorkspace(call);
  if (workspace.deleted && call.query.get('include_deleted') !== 'true') {
    const key = call.deployment.traits.newestKeys ? 'include_deleted' : 'deleted';
    throw new ApiError(
      410,
      `Workspace "${workspace.id}" was deleted, you can view this workspace by specifying '?${key}=true' and trying again.`,
    );
  }
  return ok(workspaceJson(call.deployment, workspace));
}

function readByName(call: Call): Answer {
  const owner = findUser(call, param(call, 'user'));
  const name = param(call, 'workspacename').toLowerCase();
  const fits = (one: Workspace): boolean => one.ownerId === owner.id && one.name.toLowerCase() === name;
  const live = call.deployment.state.liveWorkspaces().find(fits);
  const withDeleted = call.query.get('include_deleted') === 'true';
  const workspace =
    live ?? (withDeleted ? [...call.deployment.state.workspaces.values()].findLast(fits) : undefined);
  if (workspace === undefined) throw notFound();
  return ok(workspaceJson(call.deployment, workspace));
}

function readBuildByNumber(call: Call): Answer {
  const owner = findUser(call, param(call, 'user'));
  const name = param(call, 'workspacename');
  const workspace = call.deployment.state
    .liveWorkspaces()
    .find((one) => one.ownerId === owner.id && one.name.toLowerCase() === name.toLowerCase());
  if (workspace === undefined) throw notFound();
  const number = param(call, 'buildnumber');
  const build = workspace.builds.find((one) => String(one.number) === number);
  if (build === undefined) throw new ApiError(404, `Workspace "${name}" Build ${number} does not exist.`);
  return ok(buildJson(call.deployment, build));
}

export function addWorkspaceRoutes(router: Router): void {
  router.add('GET /api/v2/workspaces', listWorkspaces, { slash: true });
  router.add('GET /api/v2/workspaces/{workspace}', readWorkspace, { slash: true });
  router.add('POST /api/v2/users/{user}/workspaces', createWorkspace);
  router.add('POST /api/v2/organizations/{organization}/members/{user}/workspaces', createWorkspace);
  router.add('GET /api/v2/users/{user}/workspace/{workspacename}', readByName, { slash: true });
  router.add('GET /api/v2/users/{user}/workspace/{workspacename}/builds/{buildnumber}', readBuildByNumber);
}
