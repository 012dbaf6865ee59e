import { tmpdir } from 'node:os';
import type { Job, World } from '../world.js';
import { Redactor } from '../redact/redactor.js';
import { systemClock } from '../system.js';
import { githubArtifacts } from './artifact.js';
import { githubLog } from './log.js';
import { processAuthorities, proxiedFetch } from './network.js';
import { whyNoSecrets } from './secretless.js';
import { githubState, githubStep } from './step.js';
import { githubToolCache, runShortCommand } from './tools.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The world as a GitHub runner shows it to an action. */
export function githubWorld(environment: Environment, cancelled: AbortSignal): World {
  const redactor = new Redactor();
  return {
    redactor,
    log: githubLog(redactor),
    clock: systemClock,
    step: githubStep(redactor),
    state: githubState,
    artifacts: githubArtifacts(environment),
    toolCache: githubToolCache,
    runShortCommand,
    fetch: proxiedFetch(environment),
    authorities: processAuthorities,
    environment,
    job: readJob(environment),
    platform: { os: process.platform, architecture: process.arch },
    cancelled,
  };
}

function readJob(environment: Environment): Job {
  const value = (name: string, fallback: string): string => {
    const text = environment[name];
    return text === undefined || text === '' ? fallback : text;
  };
  return {
    workspace: value('GITHUB_WORKSPACE', process.cwd()),
    temp: value('RUNNER_TEMP', tmpdir()),
    name: value('GITHUB_JOB', 'job'),
    attempt: value('GITHUB_RUN_ATTEMPT', '1'),
    runUrl: runUrl(environment),
    event: value('GITHUB_EVENT_NAME', 'unknown'),
    noSecrets: whyNoSecrets(environment),
  };
}

function runUrl(environment: Environment): string {
  const { GITHUB_RUN_ID: run = '', GITHUB_REPOSITORY: repository = '' } = environment;
  if (run === '' || repository === '') return 'a run outside of GitHub Actions';
  const server = environment['GITHUB_SERVER_URL'] ?? 'https://github.com';
  return `${server}/${repository}/actions/runs/${run}/attempts/${environment['GITHUB_RUN_ATTEMPT'] ?? '1'}`;
}
