import type { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Random } from '../random.js';
import { asJson, asList, type Json, text } from './answers.js';
import { DashboardMetrics } from './dashboard-page.js';
import { DashboardRunner, type BrowsingPlan } from './dashboard-runner.js';
import { commandFailure } from './exit.js';
import { GoError, asGoError } from './go-errors.js';
import { goDuration, instantNow, logTime } from './go-format.js';
import { type Limits, type Run, runHarness } from './harness.js';
import type { Invocation } from './invocation.js';
import { type OutputSpec, parseOutputs } from './outputs.js';
import { failures } from './results.js';
import { servePage } from './traffic-page.js';
import { writeResults } from './write-results.js';

const TEST_NAME = 'dashboard';
const PAGE = 100;
const TOKEN_LIFETIME_NS = 30 * 24 * 3600 * 1e9;
/** As recorded: a browser starts in two to four seconds. */
const BROWSER_START_MS = 2500;

const durationText = (milliseconds: number): string => goDuration(BigInt(Math.round(milliseconds * 1e6)));

function say(level: string, message: string): void {
  process.stdout.write(`${logTime(instantNow())} [${level}]  ${message}\n`);
}

/** `START:END` of the list of users; START counts from 0, and an END beyond the list is no mistake. */
function readRange(range: string): { start: number; end: number } {
  if (range === '') return { start: 0, end: 0 };
  const refuse = (why: string): GoError =>
    new GoError(`parse target users: invalid target users "${range}"${why}`);
  const parts = range.split(':');
  const [start = Number.NaN, end = Number.NaN] = parts.map(Number);
  if (parts.length !== 2) throw refuse('');
  const wrong = parts.find((part) => !/^[+-]?\d+$/.test(part));
  if (wrong !== undefined) throw refuse(`: strconv.Atoi: parsing "${wrong}": invalid syntax`);
  if (start === end) throw refuse(': start and end cannot be equal');
  if (end < start) throw refuse(': end cannot be less than start');
  return { start, end };
}

/** All scale-test users: by their mail address, since v2.27 also by their name. */
async function listUsers(invocation: Invocation): Promise<Json[]> {
  const byName = invocation.isAtLeast('v2.27.0');
  const found: Json[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const path = `/api/v2/users?q=scaletest-&limit=${PAGE}&offset=${offset}`;
    const page = await invocation.client.get(path).catch(() => {
      throw new GoError('get scaletest users');
    });
    const users = asList(asJson(page).users);
    if (users.length === 0) return found;
    found.push(
      ...users.filter(
        (user) =>
          text(user, 'email').endsWith('@scaletest.local') ||
          (byName && text(user, 'username').startsWith('scaletest-')),
      ),
    );
  }
}

/** A token of 30 days, which stays until its user is deleted. */
async function tokenOf({ client }: Invocation, user: Json): Promise<string> {
  const body = {
    lifetime: TOKEN_LIFETIME_NS,
    scope: '',
    token_name: `scaletest-${Math.floor(Date.now() / 1000)}`,
  };
  const answer = await client
    .call('POST', `/api/v2/users/${text(user, 'id')}/keys/tokens`, body)
    .catch((error: unknown) => {
      throw new GoError('create token for user', null, asGoError(error));
    });
  return text(asJson(answer), 'key');
}

function planOf({ values, version, behaviour }: Invocation, index: number): BrowsingPlan {
  const falls = (share: number): boolean => Math.floor((index + 1) * share) > Math.floor(index * share);
  return {
    version,
    intervalMs: values.duration('interval'),
    jitterMs: values.duration('jitter'),
    startMs: BROWSER_START_MS * behaviour.pollScale,
    breaks: falls(behaviour.failingShare),
    pageNeverLoads: behaviour.pageNeverLoads,
    failingShare: behaviour.failingActionShare,
    random: new Random(values.number('rand-seed')),
  };
}

async function makeRunners(invocation: Invocation, metrics: DashboardMetrics): Promise<DashboardRunner[]> {
  const { values, client, behaviour } = invocation;
  const { start, end } = readRange(values.text('target-users'));
  const users = await listUsers(invocation);
  const runners: DashboardRunner[] = [];
  for (const user of behaviour.zeroRuns ? [] : users.slice(start, end === 0 ? undefined : end)) {
    const token = await tokenOf(invocation, user);
    const times = ['interval', 'jitter'].map((name) => `${name}=${durationText(values.duration(name))}`);
    say('info', `runner config  ${times.join('  ')}  headless=${values.flag('headless')}  trace=false`);
    const own = client.with({ token, bypassLimits: invocation.isAtLeast('v2.30.0') });
    runners.push(
      new DashboardRunner(planOf(invocation, runners.length), own, metrics, text(user, 'username')),
    );
  }
  return runners;
}

/** Serves the page. A port that is taken is only logged. */
async function serveMetrics(invocation: Invocation, metrics: DashboardMetrics): Promise<Server | null> {
  const { values, behaviour } = invocation;
  const address = values.text('scaletest-prometheus-address');
  const server = await servePage(address, () => behaviour.metricsPage ?? metrics.page());
  if (server === null)
    say(
      'erro',
      `http server listen  name=prometheus  error="listen tcp ${address}: bind: address already in use"`,
    );
  else if (invocation.isAtLeast('v2.22.0'))
    say('info', `http server listening  addr=${address}  name=prometheus`);
  return server;
}

function close(server: Server | null): void {
  server?.closeAllConnections();
  server?.close();
}

async function load(invocation: Invocation, outputs: OutputSpec[], metrics: DashboardMetrics): Promise<void> {
  const { values } = invocation;
  const runners = await makeRunners(invocation, metrics);
  const limits: Limits = {
    concurrency: values.number('concurrency'),
    timeout: values.duration('timeout'),
    jobTimeout: values.duration('job-timeout'),
  };
  const runs = runners.map((runner): Run => ({
    id: runner.name,
    logs: [],
    execute: (signal) => runner.run(signal),
  }));
  process.stderr.write('Running load test...\n');
  const results = await runHarness(TEST_NAME, runs, limits);
  writeResults(invocation, outputs, results);
  if (failures(results) > 0) throw new GoError('load test failed, see above for more details');
}

/** `coder exp scaletest dashboard` */
export async function dashboard(invocation: Invocation): Promise<void> {
  const { values, path } = invocation;
  if (values.duration('interval') <= 0) throw new GoError('--interval must be greater than zero');
  if (values.duration('jitter') >= values.duration('interval'))
    throw new GoError('--jitter must be less than --interval');
  readRange(values.text('target-users'));
  const outputs = parseOutputs(values.list('output'));
  const metrics = new DashboardMetrics();
  const server = await serveMetrics(invocation, metrics);
  let problem: GoError | null = null;
  try {
    await load(invocation, outputs, metrics);
  } catch (error) {
    problem = asGoError(error);
  }
  // Up to v2.29 nobody can read the page in the wait that is meant for it.
  const closesFirst = !invocation.isAtLeast('v2.30.0');
  if (closesFirst) close(server);
  process.stderr.write('\nUploading traces...\n');
  const pause = values.duration('scaletest-prometheus-wait');
  process.stderr.write(`Waiting ${durationText(pause)} for prometheus metrics to be scraped\n`);
  await wait(pause);
  if (!closesFirst) close(server);
  if (problem !== null) throw commandFailure(path, problem.short());
}
