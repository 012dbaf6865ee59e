import { suggestion } from '../config/nearest.js';
import type { Config } from '../config/schema.js';
import { ConfigurationError } from '../errors.js';

const BUILT_IN_SUITES = ['create-workspaces', 'dashboard', 'workspace-traffic'] as const;
const AVAILABLE = new Set<string>(['create-workspaces']);

/**
 * The suites that a run consists of.
 * @throws ConfigurationError for a suite that is unknown, not configured, or not available yet.
 */
export function selectSuites(config: Config, tests: 'all' | readonly string[]): readonly string[] {
  const configured = configuredSuites(config);
  const selected = tests === 'all' ? configured : tests;
  const known = [...BUILT_IN_SUITES, ...Object.keys(config.suites ?? {})];
  const mistakes = selected.flatMap((suite) => {
    if (!known.includes(suite)) {
      return [
        {
          message: `input "tests" names "${suite}", which is no suite; ${suggestion(suite, ['all', ...known])}`,
        },
      ];
    }
    if (!AVAILABLE.has(suite)) {
      return [
        {
          message: `the suite "${suite}" is not available yet; select what is with input "tests: create-workspaces"`,
        },
      ];
    }
    if (!configured.includes(suite)) {
      return [{ message: `input "tests" names "${suite}", but the config file has no section for it` }];
    }
    return [];
  });
  if (selected.length === 0)
    mistakes.push({ message: 'the config file configures no suite; add a section "create_workspaces"' });
  if (config.abort_early)
    mistakes.push({ message: 'the key "abort_early" is not available yet; take it out' });
  for (const criterion of config.criteria) {
    if ('abort' in criterion && criterion.abort) {
      mistakes.push({
        message: `criterion "${criterion.id}": the key "abort" is not available yet; take it out`,
      });
    }
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return selected;
}

function configuredSuites(config: Config): readonly string[] {
  const sections = [config.create_workspaces, config.dashboard, config.workspace_traffic];
  return [
    ...BUILT_IN_SUITES.filter((_, index) => sections[index] !== undefined),
    ...Object.keys(config.suites ?? {}),
  ];
}
