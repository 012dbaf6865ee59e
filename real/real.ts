import { existsSync } from 'node:fs';
import { access, mkdtemp, mkdir, rm, writeFile, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { node24Path, runAction, type ActionRun, type RunActionOptions } from '../simulator/runner/runner.js';
import { freePort } from '../src/run/metrics-page.js';
import { expectationOfBrowsers } from './browsers.js';
import { compareWithServer } from './comparison.js';
import { reenterInNamespace } from './namespace.js';
import { Owner } from './owner.js';
import { latenciesBesideServer } from './server-latency.js';
import { runTwoGates } from './two-gates.js';
import { startModelMock, suitesConfig } from './suites.js';
import { startServer, stopAgents, type RealServer, type ServerSettings } from './server.js';

const USAGE = `Runs the committed action against a real Coder server on this machine.

  npm run real -- --coder PATH [--postgres-url URL] [--only TEXT] [--keep]

  --coder PATH         a full Coder binary ("coder version" says that it supports the server subcommand); the CLI is
                       the same file. Releases: https://github.com/coder/coder/releases
  --postgres-url URL   an empty database for the server; without it, the server starts its own PostgreSQL (not as root)
  --only TEXT          only the scenarios whose title has this text
  --keep               keeps the server's folder with its log

Terraform 1.1 to 1.14 has to be on PATH, or the server fetches it. Without network, TF_CLI_CONFIG_FILE names a mirror
with the provider coder/coder that fits the server's age, and with its 2.5.3 for the suite dynamic-parameters. As root on Linux everything runs in a network namespace.
Up to v2.21 the browsers need a binary that has the site built in, and Chromium.
`;

const TEMPLATE = 'local-agent';
const GROUP = 'local_workspaces';
const CONFIG = (driver: string, dashboard: string, { count, atOnce }: Workspaces): string => `
create_workspaces:
  count: ${count}
  driver: ${driver}
  templates:
    ${GROUP}: { template: ${TEMPLATE}, count: ${count}, concurrency: ${atOnce}, expected_p95: "2m", requirement: "14.6" }
${dashboard}
workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 20s }
criteria:
  # So few workspaces decide no P95.
  - { id: 14.6-local-workspaces, title: Slowest workspace, requirement: '14.6', metric: create_workspaces.${GROUP}.provisioning, expect: "max < 2m" }
`;
const DASHBOARD =
  'dashboard: { concurrency: 50, duration: 30s, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 }, browser: never }';
/** Real browsers, and a few virtual users beside them. */
const BROWSERS = 'dashboard: { concurrency: 10, duration: 60s, browser: always }';
const ALL = 'create-workspaces,dashboard,workspace-traffic';
/** Long enough to be far beyond the limits of 500 ms and 1 s. */
const STALL_MS = 5000;

interface Workspaces {
  readonly count: number;
  readonly atOnce: number;
}
const WORKSPACES: Workspaces = { count: 12, atOnce: 6 };
const PROVISIONERS = 3;

interface Scenario {
  readonly title: string;
  readonly driver: 'cli' | 'auto';
  readonly rateLimits: boolean;
  readonly tests: string;
  readonly signals?: NonNullable<RunActionOptions['signals']>;
  /** Runs every other suite of the CLI instead, which needs no licence. */
  readonly otherSuites?: true;
  /** Stops the server for a while when the log says this. */
  readonly stallAt?: RegExp;
  /** Asks for browsers beside the virtual users; what that comes to depends on the server's version. */
  readonly withBrowsers?: true;
  /** Two gates are started together, with this as `lease-wait`. */
  readonly twoGatesWait?: string;
  readonly expected?: string;
  readonly workspaces?: Workspaces;
  readonly provisioners?: number;
  /** What the summary has to say. */
  readonly summary?: RegExp;
}

const SCENARIOS: readonly Scenario[] = [
  // The first one: the server goes on listing provisioners for a while that it does not have any more.
  {
    title: 'one provisioner, eight workspaces: the queue takes the time',
    driver: 'cli',
    rateLimits: false,
    tests: 'create-workspaces',
    workspaces: { count: 8, atOnce: 8 },
    provisioners: 1,
    summary: /\d+ % of the P95 was waiting in the provisioner queue: 1 slot for 8 builds in flight/,
    expected: 'pass',
  },
  {
    title: 'driver cli, rate limits off, then 20 s of traffic',
    driver: 'cli',
    rateLimits: false,
    tests: 'create-workspaces,workspace-traffic',
    expected: 'pass',
  },
  {
    title: 'browsers beside the virtual users ("browser: always")',
    driver: 'auto',
    rateLimits: false,
    tests: 'create-workspaces,dashboard',
    withBrowsers: true,
  },
  {
    title: 'rate limits on (the default of Coder): creation, 30 s of virtual users, 20 s of traffic',
    driver: 'auto',
    rateLimits: true,
    tests: ALL,
    expected: 'pass',
  },
  {
    title: `the same virtual users, the server stalled for ${STALL_MS / 1000} s in the middle`,
    driver: 'auto',
    rateLimits: true,
    tests: ALL,
    stallAt: /API load: 50 virtual users for \d+ s more/,
    expected: 'fail',
  },
  {
    title: 'cancelled in the middle of creating',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    signals: [{ signal: 'SIGINT', whenLogMatches: /\d+ s {2}local_workspaces: .*(building|waiting)/ }],
    expected: 'cancelled',
  },
  {
    title: 'two gates at once over a dead run’s lock: one runs, the other stops',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    twoGatesWait: '0',
  },
  {
    title: 'two gates at once, with "lease-wait": one after the other',
    driver: 'auto',
    rateLimits: true,
    tests: 'create-workspaces',
    twoGatesWait: '5m',
  },
  {
    title: 'every other suite of the CLI that runs without a licence',
    driver: 'auto',
    rateLimits: false,
    tests: '',
    otherSuites: true,
    expected: 'pass',
  },
];

const { values } = parseArgs({
  options: {
    coder: { type: 'string' },
    'postgres-url': { type: 'string' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help || values.coder === undefined) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const coderPath = path.resolve(values.coder);
  await access(coderPath, constants.X_OK).catch(() => {
    throw new Error(`${coderPath} is no file that can be run\n\n${USAGE}`);
  });
  const inner = await reenterInNamespace();
  if (inner !== undefined) return inner;
  const directory = await mkdtemp(path.join(tmpdir(), 'scaletest-real-'));
  try {
    return await runAll({
      coderPath,
      directory,
      postgresUrl: values['postgres-url'],
      rateLimits: false,
      provisioners: PROVISIONERS,
      port: await freePort(),
    });
  } finally {
    const agents = await stopAgents(path.join(directory, 'agents'));
    if (agents > 0) console.log(`${agents} agents were still there and were ended.`);
    if (values.keep) console.log(`The server's folder is ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}

async function runAll(settings: ServerSettings): Promise<number> {
  const scenarios = SCENARIOS.filter(({ title }) => title.includes(values.only));
  let running = scenarios[0] === undefined ? settings : settingsFor(scenarios[0], settings);
  let server = await startServer(running);
  const lines: string[] = [];
  let failures = 0;
  try {
    const owner = await Owner.create(server.url);
    await owner.pushTemplate(TEMPLATE, settings.coderPath, settings.directory);
    for (const scenario of scenarios) {
      const wanted = settingsFor(scenario, settings);
      if (wanted.rateLimits !== running.rateLimits || wanted.provisioners !== running.provisioners) {
        await server.stop();
        running = wanted;
        server = await startServer(running);
      }
      const outcome = scenario.otherSuites
        ? await runOtherSuites(scenario, server, owner, settings)
        : await runScenario(scenario, configOf(scenario), server, owner, settings);
      lines.push(outcome.line);
      if (!outcome.isAsExpected) failures += 1;
    }
  } finally {
    await server.stop();
  }
  console.log(
    `\nScenario, verdict, seconds, what the server says is left\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
  console.log(failures === 0 ? '\nAll as expected.' : `\n${failures} not as expected.`);
  return failures === 0 ? 0 : 1;
}

const settingsFor = (
  { rateLimits, provisioners = PROVISIONERS }: Scenario,
  settings: ServerSettings,
): ServerSettings => ({ ...settings, rateLimits, provisioners });

const configOf = ({ driver, withBrowsers, workspaces = WORKSPACES }: Scenario): string =>
  CONFIG(driver, withBrowsers ? BROWSERS : DASHBOARD, workspaces);

async function runOtherSuites(
  scenario: Scenario,
  server: RealServer,
  owner: Owner,
  settings: ServerSettings,
) {
  const mock = await startModelMock(settings.coderPath);
  try {
    const suites = await suitesConfig(settings.coderPath, TEMPLATE, mock?.url);
    if (suites === undefined) return { isAsExpected: true, line: `${scenario.title}: this CLI has none` };
    return await runScenario({ ...scenario, tests: suites.tests }, suites.config, server, owner, settings);
  } finally {
    mock?.stop();
  }
}

async function runScenario(
  scenario: Scenario,
  text: string,
  server: RealServer,
  owner: Owner,
  settings: ServerSettings,
) {
  console.log(`\n${'='.repeat(10)} ${scenario.title} ${'='.repeat(10)}\n`);
  const config = path.join(settings.directory, `${scenario.driver}.yaml`);
  await writeFile(config, text);
  if (scenario.twoGatesWait !== undefined) {
    const { tests, twoGatesWait: leaseWait } = scenario;
    const { directory, coderPath } = settings;
    const gates = { url: server.url, coderPath, config, tests, directory, leaseWait };
    const { problem, verdicts } = await runTwoGates(owner, gates);
    if (problem !== undefined) console.log(`Not as expected: ${problem}`);
    const left = await owner.leftovers();
    return {
      isAsExpected: problem === undefined && left.workspaces + left.users === 0,
      line: `${scenario.title}: ${verdicts}, ${left.workspaces} workspaces and ${left.users} users left`,
    };
  }
  await mkdir('scaletest-results', { recursive: true });
  const nodePath = node24Path();
  const run = await runAction({
    actionDirectory: path.resolve(import.meta.dirname, '..'),
    ...(nodePath !== undefined && { nodePath }),
    workspace: process.cwd(),
    inputs: {
      'coder-url': server.url,
      'coder-session-token': owner.token,
      'coder-path': settings.coderPath,
      config,
      tests: scenario.tests,
      'upload-artifact': 'false',
    },
    ...(scenario.signals && { signals: scenario.signals }),
    onLog: (line, step) => {
      console.log(step === 'post' ? `[post] ${line}` : line);
      if (scenario.stallAt?.test(line) === true) stallSoon(server);
    },
  });
  const left = await owner.leftovers();
  console.log(`\n${run.main.summary.trim()}\n`);
  const results = run.outputs['results-dir'];
  // A run that was refused has none.
  if (
    results !== undefined &&
    existsSync(path.join(results, 'evidence', 'workspaces.json')) &&
    !scenario.otherSuites
  )
    for (const line of [
      ...(await compareWithServer(results, owner)),
      ...(await latenciesBesideServer(results)),
    ])
      console.log(line);
  await run.cleanUp();
  const verdict = run.outputs['verdict'] ?? '(none)';
  const browsers = scenario.withBrowsers && (await expectationOfBrowsers(owner));
  const [token] = await owner.leaseTokens();
  const problem =
    browsers?.problem(run) ??
    (token === undefined ? undefined : `the token ${token} is left`) ??
    (scenario.summary?.test(run.main.summary) === false
      ? `the summary says nothing like ${scenario.summary.source}`
      : undefined);
  if (problem !== undefined) console.log(`Not as expected: ${problem}`);
  const isAsExpected =
    (browsers?.verdicts ?? [scenario.expected]).includes(verdict) &&
    problem === undefined &&
    left.workspaces === 0 &&
    left.users === 0;
  return {
    isAsExpected,
    line: `${scenario.title}: ${verdict}, ${seconds(run)}, ${left.workspaces} workspaces and ${left.users} users left`,
  };
}

/** A few seconds into the phase, so that calls are under way. */
function stallSoon(server: RealServer): void {
  setTimeout(() => {
    console.log(`The server is stopped for ${STALL_MS / 1000} s.`);
    void server.stall(STALL_MS);
  }, 3000);
}

const seconds = ({ main: first, post }: ActionRun): string =>
  `main ${(first.durationMs / 1000).toFixed(1)} s, post ${((post?.durationMs ?? 0) / 1000).toFixed(1)} s`;

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}
