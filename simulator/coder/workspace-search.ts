import { ApiError } from './answers.js';
import type { Caller } from './calls.js';
import { now } from './clock.js';
import type { Deployment } from './deployment.js';
import { parseTerms, type Term } from './search-terms.js';
import { jobStatus, latestBuild, type Workspace } from './state.js';
import { agentStatus, buildStatus } from './wire/workspaces.js';

const KEYS = [
  'name',
  'owner',
  'template',
  'status',
  'organization',
  'id',
  'has-agent',
  'dormant',
  'outdated',
  'last_used_before',
  'last_used_after',
  'param',
  'has-ai-task',
  'has_external_agent',
];
const NEWEST_KEYS = [...KEYS, 'healthy', 'shared', 'shared_with_user', 'shared_with_group'];
const STATUSES = [
  'pending',
  'starting',
  'running',
  'stopping',
  'stopped',
  'failed',
  'canceling',
  'canceled',
  'deleting',
  'deleted',
];

function invalid(field: string, detail: string): ApiError {
  return new ApiError(400, 'Invalid workspace search query.', '', [{ field, detail }]);
}

/** A bare word is a name; `owner/name` is both. */
function expandBareWords(terms: Term[]): Term[] {
  return terms.flatMap((term) => {
    if (term.key !== '') return [term];
    const parts = term.value.split('/');
    if (parts.length === 1) return [{ key: 'name', value: term.value }];
    if (parts.length > 2) throw invalid('q', `Query element "${term.value}" can only contain 1 '/'`);
    const [owner = '', name = ''] = parts;
    return [
      { key: 'owner', value: owner },
      { key: 'name', value: name },
    ];
  });
}

function likePattern(value: string): RegExp {
  const escaped = value
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(escaped, 'is');
}

type Test = (workspace: Workspace) => boolean;

/** One term as a test; bad values are refused here, before any workspace is looked at. */
function testOf(deployment: Deployment, caller: Caller, { key, value }: Term): Test {
  const { state, organization, options } = deployment;
  switch (key) {
    case 'name': {
      const pattern = likePattern(value);
      return (workspace) => pattern.test(workspace.name);
    }
    case 'owner': {
      const owner = value === 'me' ? caller.user : state.userByName(value);
      return (workspace) => workspace.ownerId === owner?.id;
    }
    case 'template': {
      const wanted = [...state.templates.values()].filter(
        (template) => template.options.name.toLowerCase() === value,
      );
      return (workspace) => wanted.some((template) => template.id === workspace.templateId);
    }
    case 'status': {
      if (!STATUSES.includes(value)) {
        throw invalid('status', `Query param "status" has invalid value: "${value}" is not a valid value`);
      }
      return (workspace) => buildStatus(latestBuild(workspace)) === value;
    }
    case 'organization': {
      if (value !== organization.id && value !== options.organizationName.toLowerCase()) {
        throw invalid(
          'organization',
          `Organization "${value}" either does not exist, or you are unauthorized to view it`,
        );
      }
      return () => true;
    }
    case 'id': {
      const ids = value.split(',');
      return (workspace) => ids.includes(workspace.id);
    }
    case 'has-agent':
      return (workspace) => {
        const agent = latestBuild(workspace).resource?.agent ?? null;
        return agent !== null && value.split(',').includes(agentStatus(agent, now()));
      };
    case 'healthy':
      return (workspace) => {
        const agent = latestBuild(workspace).resource?.agent ?? null;
        return (agent !== null && agentStatus(agent, now()) === 'connected') === (value === 'true');
      };
    case 'param': {
      const [name = '', ...wanted] = value.split('=');
      return (workspace) =>
        latestBuild(workspace).parameters.some(
          (one) =>
            one.name.toLowerCase() === name &&
            (wanted.length === 0 || one.value.toLowerCase() === wanted.join('=')),
        );
    }
    case 'last_used_before':
      return (workspace) => workspace.lastUsedAt < Date.parse(value.toUpperCase());
    case 'last_used_after':
      return (workspace) => workspace.lastUsedAt > Date.parse(value.toUpperCase());
    case 'dormant':
    case 'outdated':
    case 'has-ai-task':
    case 'has_external_agent':
    case 'shared':
      // Nothing here is dormant, outdated or shared; `dormant:false` is no filter at all.
      return () => value !== 'true';
    default:
      return () => false;
  }
}

function isRunning(workspace: Workspace): boolean {
  const build = latestBuild(workspace);
  return build.transition === 'start' && jobStatus(build.job) === 'succeeded';
}

/** All workspaces that fit and that the caller may see, in the order of the list. */
export function searchWorkspaces(deployment: Deployment, caller: Caller, query: string): Workspace[] {
  const keys = deployment.traits.newestKeys ? NEWEST_KEYS : KEYS;
  const terms = parseTerms(query, { kind: 'workspace', keys, bareWords: 'many', repeatable: ['param'] });
  const expanded = expandBareWords(terms);
  const tests = expanded.map((term) => testOf(deployment, caller, term));
  const seesAll = deployment.isOwner(caller.user);
  const ownerName = (workspace: Workspace): string =>
    (deployment.state.users.get(workspace.ownerId)?.username ?? '').toLowerCase();
  return deployment.state
    .liveWorkspaces()
    .filter(
      (workspace) =>
        (seesAll || workspace.ownerId === caller.user.id) && tests.every((test) => test(workspace)),
    )
    .map((workspace) => {
      const rank = isRunning(workspace) ? '0' : '1';
      return { workspace, sortKey: `${rank}\n${ownerName(workspace)}\n${workspace.name.toLowerCase()}` };
    })
    .sort((left, right) => (left.sortKey < right.sortKey ? -1 : 1))
    .map(({ workspace }) => workspace);
}
