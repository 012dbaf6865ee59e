import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface JobOptions {
  workspace: string;
  temp: string;
  toolCache: string;
  home: string;
  event: { name: string; payload?: unknown };
  artifactService?: { url: string; token: string };
  env: Record<string, string>;
  trackingId: string;
}

/**
 * The variables of every step of a job, and nothing of the machine's own but PATH. `env` comes last, so a
 * test can also set what GitHub would not let a workflow change (a run's attempt, its repository).
 */
export function jobEnvironment(options: JobOptions): Record<string, string> {
  const eventPath = join(options.temp, '_github_workflow', 'event.json');
  mkdirSync(dirname(eventPath), { recursive: true });
  writeFileSync(eventPath, JSON.stringify(options.event.payload ?? {}, undefined, 2));
  return {
    PATH: process.env.PATH ?? '',
    HOME: options.home,
    ...githubVariables(options.event.name, options.workspace, eventPath),
    ...runnerVariables(options),
    ...(options.artifactService && {
      ACTIONS_RESULTS_URL: options.artifactService.url,
      ACTIONS_RUNTIME_URL: options.artifactService.url,
      ACTIONS_RUNTIME_TOKEN: options.artifactService.token,
    }),
    ...options.env,
  };
}

function githubVariables(event: string, workspace: string, eventPath: string): Record<string, string> {
  const pullRequest = event.startsWith('pull_request');
  const ref = pullRequest ? 'refs/pull/1/merge' : 'refs/heads/main';
  const sha = '0123456789abcdef0123456789abcdef01234567';
  return {
    CI: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION_REF: '',
    GITHUB_ACTION_REPOSITORY: '',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '583231',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_BASE_REF: pullRequest ? 'main' : '',
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_HEAD_REF: pullRequest ? 'change' : '',
    GITHUB_JOB: 'scale-test',
    GITHUB_REF: ref,
    GITHUB_REF_NAME: pullRequest ? '1/merge' : 'main',
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'octo-org/infrastructure',
    GITHUB_REPOSITORY_ID: '123456',
    GITHUB_REPOSITORY_OWNER: 'octo-org',
    GITHUB_REPOSITORY_OWNER_ID: '654321',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '9876543210',
    GITHUB_RUN_NUMBER: '42',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: sha,
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'Scale test',
    GITHUB_WORKFLOW_REF: `octo-org/infrastructure/.github/workflows/scale-test.yml@${ref}`,
    GITHUB_WORKFLOW_SHA: sha,
    GITHUB_WORKSPACE: workspace,
  };
}

const runnerVariables = (options: JobOptions): Record<string, string> => ({
  RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
  RUNNER_ENVIRONMENT: 'github-hosted',
  RUNNER_NAME: 'GitHub Actions 1',
  RUNNER_OS: process.platform === 'darwin' ? 'macOS' : 'Linux',
  RUNNER_TEMP: options.temp,
  RUNNER_TOOL_CACHE: options.toolCache,
  RUNNER_TRACKING_ID: options.trackingId,
  RUNNER_WORKSPACE: dirname(options.workspace),
});
