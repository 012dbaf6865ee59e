import { InputReader, type Credential, type Environment, type Mode } from './input-reader.js';
import type { Seconds } from './units.js';
import { parseUrl } from './url.js';

export type { Credential, Mode } from './input-reader.js';

export type CleanupPolicy = 'always' | 'on-success' | 'never';

export interface Inputs {
  readonly mode: Mode;
  readonly coderUrl?: string;
  readonly credential?: Credential;
  /** The results directory that mode judge reads. */
  readonly from?: string;
  readonly configPath?: string;
  readonly tests: 'all' | readonly string[];
  readonly profile?: string;
  readonly coderVersion: string;
  readonly coderPath?: string;
  readonly downloadUrl?: string;
  readonly resultsDirectory: string;
  readonly cleanup: CleanupPolicy;
  readonly leftovers: 'fail' | 'clean';
  readonly onInconclusive: 'fail' | 'warn';
  readonly subject?: string;
  readonly maxWorkspaces?: number;
  readonly maxDuration: Seconds;
  /** How long to wait for another run's lease; zero stops at once. */
  readonly leaseWait: Seconds;
  /** coderd's own metrics pages, one for each replica; empty: they are read through the API. */
  readonly metricsPages: readonly string[];
  /** Sent to the deployment with each request, for what stands in front of it. */
  readonly extraHeaders: Readonly<Record<string, string>>;
  /** PEM of further certificate authorities. */
  readonly caFile?: string;
  readonly uploadArtifact: boolean;
  readonly artifactName?: string;
  readonly retentionDays?: number;
}

/**
 * Reads the action's inputs from `INPUT_…` variables. `noSecrets` says why there may be no credentials, as a part of a
 * sentence.
 * @throws ConfigurationError that names every bad input at once.
 */
export function parseInputs(environment: Environment, noSecrets?: string): Inputs {
  const reader = new InputReader(environment, noSecrets);
  reader.refuseUnknown();
  const mode = reader.choice('mode', ['gate', 'plan', 'preflight', 'run', 'judge', 'cleanup'], 'gate');
  const coderUrl = reader.deploymentUrl();
  const credential = reader.credential();
  if (mode !== 'plan' && mode !== 'judge') reader.requireDeployment(mode, coderUrl, credential);
  const inputs: Inputs = {
    mode,
    tests: reader.tests(),
    coderVersion: reader.coderVersion(),
    resultsDirectory: reader.resultsDirectory(),
    cleanup: reader.choice('cleanup', ['always', 'on-success', 'never'], 'always'),
    leftovers: reader.choice('leftovers', ['fail', 'clean'], 'fail'),
    onInconclusive: reader.choice('on-inconclusive', ['fail', 'warn'], 'fail'),
    maxDuration: reader.duration('max-duration', '5h'),
    leaseWait: reader.wait('lease-wait'),
    metricsPages: reader.metricsPages(),
    extraHeaders: reader.extraHeaders(),
    uploadArtifact: reader.flag('upload-artifact', true),
    ...present({
      coderUrl,
      credential,
      from: reader.recordedRun(mode),
      configPath: reader.text('config'),
      profile: reader.text('profile'),
      coderPath: reader.givenCli(),
      downloadUrl: reader.downloadUrl(),
      subject: reader.text('subject'),
      caFile: reader.text('ca-file'),
      maxWorkspaces: reader.wholeNumber('max-workspaces', 1),
      artifactName: reader.artifactName(),
      retentionDays: reader.wholeNumber('retention-days', 1, 90),
    }),
  };
  reader.throwMistakes();
  return inputs;
}

/** As it is meant; one that is not spelled right is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const SHORTEST_SECRET = 6;

/** What in the environment must be hidden before anything is said: also where the inputs turn out to be bad. */
export function secretsIn(environment: Environment): readonly string[] {
  const names = ['INPUT_CODER-SESSION-TOKEN', 'INPUT_CODER-PASSWORD', 'CODER_SESSION_TOKEN'];
  const headers = (environment['INPUT_EXTRA-HEADERS'] ?? '').split('\n').flatMap((line) => {
    const value = line.slice(line.indexOf(':') + 1).trim();
    return [value, value.replace(/^\S+ /, '')];
  });
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].flatMap((name) => {
    const { username = '', password = '' } = parseUrl(environment[name] ?? '') ?? {};
    return [username, password, decoded(password)];
  });
  return [
    ...names.flatMap((name) => environment[name]?.trim() ?? []).filter((secret) => secret !== ''),
    // "true" and "1" are no secrets, and would be taken out of everything.
    ...[...headers, ...proxies].filter((value) => value.length >= SHORTEST_SECRET),
  ];
}

/** Leaves out what is undefined: optional properties are absent, never undefined. */
function present<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const result: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in values) {
    const value = values[key];
    if (isDefined(value)) result[key] = value;
  }
  return result;
}

const isDefined = <T>(value: T): value is Exclude<T, undefined> => value !== undefined;
