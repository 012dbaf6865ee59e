import { type Answer, ApiError, created, notFound, ok } from '../answers.js';
import { type Call, findUser, jsonBody, param, requireOrganization, textField, uuidParam } from '../calls.js';
import { rfc3339 } from '../clock.js';
import type { Deployment } from '../deployment.js';
import { simulatedTemplate } from '../options.js';
import type { Router } from '../router.js';
import { parseTerms, type Term } from '../search-terms.js';
import type { Template } from '../state.js';
import { isAtLeast } from '../versions.js';
import { parameterJson, templateFigures, templateJson, templateVersionJson } from '../wire/templates.js';

const TEMPLATE_KEYS = [
  'exact_name',
  'name',
  'organization',
  'deleted',
  'deprecated',
  'ids',
  'author',
  'author_id',
  'has-ai-task',
  'has_external_agent',
  'exact_display_name',
  'display_name',
];

function organizationJson(deployment: Deployment): Record<string, unknown> {
  const { organization, options, traits } = deployment;
  return {
    id: organization.id,
    name: options.organizationName,
    display_name: 'Coder',
    icon: '',
    description: 'Builtin default organization.',
    created_at: rfc3339(organization.createdAt),
    updated_at: rfc3339(organization.createdAt),
    is_default: true,
    default_org_member_roles: traits.newestKeys ? ['organization-workspace-access'] : undefined,
  };
}

function matchesTemplate(deployment: Deployment, template: Template, { key, value }: Term): boolean {
  const name = template.options.name.toLowerCase();
  if (key === 'exact_name') return name === value;
  if (key === 'name' || key === '' || key === 'display_name') return name.includes(value);
  if (key === 'deprecated') return deployment.templateOptions(template).deprecated === (value === 'true');
  if (key === 'ids') return value.split(',').includes(template.id);
  if (key === 'deleted' || key === 'has-ai-task' || key === 'has_external_agent') return value !== 'true';
  return true;
}

function listTemplates(call: Call): Answer {
  const { deployment } = call;
  const terms = parseTerms(call.query.get('q') ?? '', {
    kind: 'template',
    keys: TEMPLATE_KEYS,
    bareWords: 'many',
  });
  // Lists leave deprecated templates out since v2.23, unless asked for.
  const showsDeprecated =
    !isAtLeast(deployment.options.version, 'v2.23.0') || terms.some((term) => term.key === 'deprecated');
  const rows = [...deployment.state.templates.values()]
    .filter((template) => showsDeprecated || !deployment.templateOptions(template).deprecated)
    .filter((template) => terms.every((term) => matchesTemplate(deployment, template, term)))
    .map((template) => ({ template, figures: templateFigures(deployment, template) }))
    .sort((left, right) => {
      const users = right.figures.activeUsers - left.figures.activeUsers;
      return users === 0 ? left.template.options.name.localeCompare(right.template.options.name) : users;
    });
  return ok(rows.map(({ template, figures }) => templateJson(deployment, template, figures)));
}

function answerTemplate(call: Call, template: Template | undefined): Answer {
  if (template === undefined) throw notFound();
  return ok(templateJson(call.deployment, template, templateFigures(call.deployment, template)));
}

function templateByName(call: Call): Answer {
  requireOrganization(call, param(call, 'organization'));
  const name = param(call, 'templatename').toLowerCase();
  const templates = [...call.deployment.state.templates.values()];
  return answerTemplate(
    call,
    templates.find((template) => template.options.name.toLowerCase() === name),
  );
}

export function findVersion(call: Call): Template {
  const template = call.deployment.state.templateByVersion(uuidParam(call, 'templateversion'));
  if (template === undefined) throw notFound();
  return template;
}

function richParameters(call: Call): Answer {
  const template = findVersion(call);
  if (template.importJob.completedAt === null) {
    throw new ApiError(425, 'Template version job has not finished');
  }
  const { parameters } = call.deployment.templateOptions(template);
  return ok(parameters.map((parameter) => parameterJson(call.deployment, parameter)));
}

function templateVersions(call: Call): Answer {
  const template = call.deployment.state.templates.get(uuidParam(call, 'template'));
  if (template === undefined) throw notFound();
  return ok([templateVersionJson(call.deployment, template)]);
}

function readOrganization(call: Call): Answer {
  requireOrganization(call, param(call, 'organization'));
  return ok(organizationJson(call.deployment));
}

/** A template of whatever content; a version of its own is made with it. */
function createTemplate(call: Call): Answer {
  requireOrganization(call, param(call, 'organization'));
  const { deployment, caller } = call;
  const name = textField(jsonBody(call), 'name');
  const template = deployment.addTemplate(simulatedTemplate(name), caller.user.id);
  return created(templateJson(deployment, template, templateFigures(deployment, template)));
}

function deleteTemplate(call: Call): Answer {
  const { state } = call.deployment;
  const id = uuidParam(call, 'template');
  if (!state.templates.has(id)) throw notFound();
  if (state.liveWorkspaces().some(({ templateId }) => templateId === id))
    throw new ApiError(400, 'All workspaces must be deleted before a template can be removed.');
  state.templates.delete(id);
  return ok({ message: 'Template has been deleted!' });
}

export function addTemplateRoutes(router: Router): void {
  router.add('GET /api/v2/organizations', ({ deployment }) => ok([organizationJson(deployment)]), {
    slash: true,
  });
  router.add('GET /api/v2/organizations/{organization}', readOrganization, { slash: true });
  router.add('GET /api/v2/users/{user}/organizations', (call) => {
    findUser(call, param(call, 'user'));
    return ok([organizationJson(call.deployment)]);
  });
  router.add('GET /api/v2/templates', listTemplates, { slash: true });
  router.add(
    'GET /api/v2/organizations/{organization}/templates',
    (call) => {
      requireOrganization(call, param(call, 'organization'));
      return listTemplates(call);
    },
    { slash: true },
  );
  router.add('GET /api/v2/organizations/{organization}/templates/{templatename}', templateByName);
  router.add(
    'GET /api/v2/templates/{template}',
    (call) => answerTemplate(call, call.deployment.state.templates.get(uuidParam(call, 'template'))),
    { slash: true },
  );
  router.add('POST /api/v2/organizations/{organization}/templates', createTemplate, { slash: true });
  router.add('DELETE /api/v2/templates/{template}', deleteTemplate, { slash: true });
  router.add('GET /api/v2/templates/{template}/versions', templateVersions, { slash: true });
  router.add(
    'GET /api/v2/templateversions/{templateversion}',
    (call) => ok(templateVersionJson(call.deployment, findVersion(call))),
    { slash: true },
  );
  router.add('GET /api/v2/templateversions/{templateversion}/rich-parameters', richParameters);
  router.add('GET /api/v2/templateversions/{templateversion}/external-auth', (call) => {
    findVersion(call);
    return ok([]);
  });
}
