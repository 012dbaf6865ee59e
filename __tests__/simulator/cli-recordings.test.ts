import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { cliRecording, explainSkip, hasRecordings, sharedText, VERSIONS, type Version } from './golden.js';
import { type Ended, runCoder, startCoder } from './run-coder.js';
import { logSkeleton, normalizedError, readResults } from './result-files.js';
import { useSimulatedCli } from './simulated-cli.js';

explainSkip('CLI recordings');

const simulated = useSimulatedCli(hasRecordings ? VERSIONS : []);

function serve(version: Version, limits: boolean): Promise<CoderDeployment> {
  // One second between two looks at the agents is what the real CLI takes; here a twentieth.
  return simulated.serve(version, limits, { pollScale: 0.05 });
}

function normalized(text: string): string {
  return text
    .replace(/\[\d+ms\]/g, '[<n>ms]')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/(Total duration: |Avg\. duration: {2})\S+/g, '$1<duration>');
}

function expectSame(ended: Ended, version: Version, name: string): void {
  const recorded = cliRecording(version, name);
  expect(normalized(ended.stderr)).toBe(normalized(recorded.stderr));
  expect(normalized(ended.stdout)).toBe(normalized(recorded.stdout));
  expect(ended.exitCode).toBe(recorded.exitCode);
}

const CREATE = ['exp', 'scaletest', 'create-workspaces'];

interface Case {
  name: string;
  version: Version;
  limits?: boolean;
  args: string[];
  prepare?: (running: CoderDeployment) => Promise<void> | void;
}

/** Sixty logins a minute and address; so many are used up before. */
async function useUpLogins(running: CoderDeployment): Promise<void> {
  // The limiter goes by the clock's minute, which must not turn before the CLI logs in.
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 8_000) await new Promise((resolve) => setTimeout(resolve, left));
  for (let count = 0; count < 60; count += 1) {
    const body = JSON.stringify({ email: 'nobody@example.com', password: 'x' });
    await fetch(`${running.url}/api/v2/users/login`, { method: 'POST', body });
  }
}

const slowStarts = (running: CoderDeployment): void => {
  running.options.templateOverrides['pod-swdev'] = {
    ...running.options.templateOverrides['pod-swdev'],
    startSeconds: { median: 4, sigma: 0 },
  };
};

const withResults: Case[] = [
  {
    name: 'create-workspaces',
    version: 'v2.36.0',
    args: ['--count=12', '--concurrency=6', '--template=pod-swdev', '--no-cleanup'],
  },
  {
    name: 'create-workspaces-428',
    version: 'v2.36.0',
    limits: true,
    args: ['--count=3', '--concurrency=3', '--template=pod-swdev'],
  },
  {
    name: 'create-workspaces-build-failed',
    version: 'v2.36.0',
    args: ['--count=3', '--concurrency=3', '--template=tpl-fail'],
  },
  { name: 'create-workspaces-no-agent', version: 'v2.36.0', args: ['--count=1', '--template=tpl-noagent'] },
  {
    name: 'create-workspaces-parameters',
    version: 'v2.36.0',
    args: [
      '--count=3',
      '--concurrency=0',
      '--template=ec2-datasci',
      '--parameter=size=large',
      '--parameter=region=eu-west-1',
    ],
  },
  {
    name: 'create-workspaces-retry',
    version: 'v2.36.0',
    args: ['--count=1', '--template=tpl-fail', '--retry=1'],
  },
  {
    name: 'create-workspaces-use-host-login',
    version: 'v2.36.0',
    limits: true,
    args: ['--count=2', '--concurrency=2', '--template=pod-swdev', '--use-host-login', '--no-cleanup'],
  },
  {
    name: 'create-workspaces-timeout',
    version: 'v2.36.0',
    args: ['--count=8', '--concurrency=2', '--template=pod-swdev', '--timeout=1s', '--no-cleanup'],
    prepare: slowStarts,
  },
  {
    name: 'create-workspaces-429',
    version: 'v2.31.0',
    limits: true,
    args: ['--count=3', '--concurrency=3', '--template=pod-swdev'],
    prepare: useUpLogins,
  },
  {
    name: 'create-workspaces-max-failures',
    version: 'v2.31.0',
    args: [
      '--count=2',
      '--concurrency=2',
      '--template=pod-swdev',
      '--timeout=1s',
      '--max-failures=2',
      '--no-cleanup',
    ],
    prepare: slowStarts,
  },
  {
    name: 'create-workspaces',
    version: 'v2.31.0',
    args: ['--count=3', '--concurrency=3', '--template=pod-swdev', '--no-cleanup'],
  },
  {
    name: 'create-workspaces-with-cleanup',
    version: 'v2.31.0',
    args: ['--count=2', '--concurrency=2', '--template=pod-swdev'],
  },
  {
    name: 'create-workspaces',
    version: 'v2.21.3',
    args: ['--count=3', '--concurrency=3', '--template=pod-swdev', '--no-cleanup'],
  },
];

describe.runIf(hasRecordings)('runs that write a result', () => {
  it.each(withResults)('$version $name', async ({ name, version, limits = false, args, prepare }) => {
    const running = await serve(version, limits);
    await prepare?.(running);
    const file = path.join(simulated.executables.directory, `${version}-${name}.json`);
    const ended = await runCoder(
      simulated.executables.of(version),
      [...CREATE, ...args, `--output=json:${file}`],
      {
        deployment: running,
      },
    );
    expectSame(ended, version, name);
    const recorded = readResults(sharedText(`golden/${version}/cli/${name}.json`));
    const found = readResults(readFileSync(file, 'utf8'));
    expect(found.shape).toEqual(recorded.shape);
    expect(found.totals).toEqual(recorded.totals);
    const errors = (runs: { error: string }[]): string[] =>
      runs.map((run) => normalizedError(run.error)).sort();
    expect(errors(found.runs)).toEqual(errors(recorded.runs));
  });
});

describe.runIf(hasRecordings)('logs of runs', () => {
  const cases = withResults.filter(({ name }) => !/timeout|max-failures/.test(name));
  it.each(cases)('$version $name', ({ name, version }) => {
    const recorded = readResults(sharedText(`golden/${version}/cli/${name}.json`));
    const found = readResults(
      readFileSync(path.join(simulated.executables.directory, `${version}-${name}.json`), 'utf8'),
    );
    const skeletons = (runs: { logs: string }[]): string[] => [
      ...new Set(runs.map((run) => logSkeleton(run.logs))),
    ];
    if (version === 'v2.21.3') {
      // The runs share one logger there, so no two logs are alike.
      expect(found.runs.map((run) => run.logs).join('')).toContain('\\"password\\":');
      return;
    }
    expect(skeletons(recorded.runs)).toContain(skeletons(found.runs)[0]);
    const size = (runs: { logs: string }[]): number => Math.min(...runs.map((run) => run.logs.length));
    expect(size(found.runs) / size(recorded.runs)).toBeGreaterThan(0.75);
    expect(size(found.runs) / size(recorded.runs)).toBeLessThan(1.25);
  });
});

const withoutResults: {
  name: string;
  version: Version;
  args: string[];
  environment?: Record<string, string>;
}[] = [
  {
    name: 'create-workspaces-parameter-missing',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=ec2-datasci', '--output=json:x.json'],
  },
  {
    name: 'create-workspaces-option-missing',
    version: 'v2.36.0',
    args: [
      ...CREATE,
      '--count=1',
      '--template=ec2-datasci',
      '--parameter=region=eu-west-1',
      '--output=json:x.json',
    ],
  },
  {
    name: 'unknown-flag',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=pod-swdev', '--output-file=x.json'],
  },
  { name: 'unknown-subcommand', version: 'v2.36.0', args: ['exp', 'scaletest', 'nothing'] },
  { name: 'missing-required', version: 'v2.36.0', args: ['exp', 'scaletest', 'workspace-updates'] },
  {
    name: 'two-outputs-to-stdout',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=pod-swdev', '--output=json', '--output=text'],
  },
  {
    name: 'output-directory-missing',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=pod-swdev', '--output=json:out/nodir/x.json'],
  },
  {
    name: 'server-unreachable',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=pod-swdev'],
    // Port 9 of this machine: nobody listens.
    environment: { CODER_URL: 'http://127.0.0.1:9' },
  },
  {
    name: 'token-unknown',
    version: 'v2.36.0',
    args: [...CREATE, '--count=1', '--template=pod-swdev'],
    environment: { CODER_SESSION_TOKEN: 'AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB' },
  },
  { name: 'cleanup-no-licence', version: 'v2.36.0', args: ['exp', 'scaletest', 'cleanup'] },
  {
    name: 'cleanup-template-no-licence',
    version: 'v2.36.0',
    args: ['exp', 'scaletest', 'cleanup', '--template=pod-swdev'],
  },
];

describe.runIf(hasRecordings)('runs that end early', () => {
  it.each(withoutResults)('$version $name', async ({ name, version, args, environment = {} }) => {
    const running = await serve(version, false);
    const ended = await runCoder(simulated.executables.of(version), args, {
      deployment: running,
      environment,
      cwd: simulated.executables.directory,
    });
    expectSame(ended, version, name);
  });

  it('dies of an interrupt without a result', async () => {
    const running = await serve('v2.36.0', false);
    slowStarts(running);
    const args = [
      ...CREATE,
      '--count=2',
      '--concurrency=2',
      '--template=pod-swdev',
      `--output=json:${simulated.file}`,
    ];
    const started = startCoder(simulated.executables.of('v2.36.0'), args, { deployment: running });
    await started.said('Running load test...');
    started.child.kill('SIGINT');
    const ended = await started.ended;
    const recorded = cliRecording('v2.36.0', 'create-workspaces-sigint');
    expect(normalized(ended.stdout)).toBe(normalized(recorded.stdout));
    expect(ended.stderr).toBe(recorded.stderr);
    expect(ended.signal).toBe('SIGINT');
    expect(() => readFileSync(simulated.file)).toThrow();
  });
});

describe.runIf(hasRecordings)('the CLI of v2.31.0', () => {
  it('cleans up five workspaces and their users', async () => {
    const running = await serve('v2.31.0', false);
    running.seedLeftovers(5);
    const ended = await runCoder(
      simulated.executables.of('v2.31.0'),
      ['exp', 'scaletest', 'cleanup', '--cleanup-concurrency=5'],
      {
        deployment: running,
      },
    );
    expectSame(ended, 'v2.31.0', 'cleanup');
    expect(running.state.liveWorkspaces()).toEqual([]);
    expect(running.state.liveUsers().map((user) => user.username)).toEqual(['ci-admin', 'ordinary-member']);
  });

  it('warns on a server of another version, and works', async () => {
    const running = await serve('v2.36.0', false);
    const ended = await runCoder(
      simulated.executables.of('v2.31.0'),
      [
        ...CREATE,
        '--count=1',
        '--template=pod-swdev',
        `--output=json:${path.join(simulated.executables.directory, 'm.json')}`,
      ],
      { deployment: running },
    );
    expectSame(ended, 'v2.36.0', 'cli-v2.31.0-on-v2.36.0');
  });
});
