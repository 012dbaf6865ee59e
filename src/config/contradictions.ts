import type { Mistake, SourceLocation } from '../errors.js';
import type { Config, CreateWorkspacesConfig } from './schema.js';
import { formatDuration } from './units.js';

type Locate = (...path: PropertyKey[]) => SourceLocation;

/** What no single value shows: sums that do not add up, names that are used twice. */
export function contradictions(config: Config, locate: Locate): Mistake[] {
  const suite = config.create_workspaces;
  return [
    ...(suite ? [...countMistakes(suite, locate), ...groupMistakes(suite, locate)] : []),
    ...trafficMistakes(config, locate),
    ...criterionMistakes(config, locate),
  ];
}

function countMistakes(suite: CreateWorkspacesConfig, locate: Locate): Mistake[] {
  const counts = Object.values(suite.templates).map((group) => group.count);
  const sum = counts.reduce((total, count) => total + count, 0);
  const mistakes: Mistake[] = [];
  if (sum !== suite.count) {
    mistakes.push({
      message: `create_workspaces.count is ${suite.count}, but the groups add up to ${sum} (${counts.join(' + ')}); make them agree`,
      location: locate('create_workspaces', 'count'),
    });
  }
  if (suite.simultaneous !== undefined && suite.simultaneous > suite.count) {
    mistakes.push({
      message: `create_workspaces.simultaneous is ${suite.simultaneous}, but only ${suite.count} workspaces are planned; lower it, or raise count`,
      location: locate('create_workspaces', 'simultaneous'),
    });
  }
  return mistakes;
}

function groupMistakes(suite: CreateWorkspacesConfig, locate: Locate): Mistake[] {
  const mistakes: Mistake[] = [];
  const templates = new Map<string, string>();
  for (const [name, { template }] of Object.entries(suite.templates)) {
    const other = templates.get(template);
    if (other !== undefined) {
      mistakes.push({
        message: `the groups "${other}" and "${name}" use the same template "${template}"; their workspaces could not be told apart, so make one group of them`,
        location: locate('create_workspaces', 'templates', name, 'template'),
      });
    }
    templates.set(template, name);
    if (name === 'all') {
      mistakes.push({
        message: 'a group cannot be called "all": that name stands for all groups together',
        location: locate('create_workspaces', 'templates', name),
      });
    }
  }
  return mistakes;
}

function trafficMistakes({ workspace_traffic: traffic }: Config, locate: Locate): Mistake[] {
  if (traffic === undefined || traffic.tick_interval <= traffic.duration) return [];
  return [
    {
      message: `workspace_traffic.tick_interval is ${formatDuration(traffic.tick_interval)}, but the traffic lasts only ${formatDuration(traffic.duration)}, so nothing would be sent`,
      location: locate('workspace_traffic', 'tick_interval'),
    },
  ];
}

function criterionMistakes(config: Config, locate: Locate): Mistake[] {
  const ids = config.criteria.map(({ id }) => id);
  return ids.flatMap((id, index) =>
    ids.indexOf(id) === index
      ? []
      : [{ message: `the criterion id "${id}" is used twice`, location: locate('criteria', index, 'id') }],
  );
}
