import { setTimeout as wait } from 'node:timers/promises';
import { agentsOf, asJson, asList, type Json, text } from './answers.js';
import { commandFailure } from './exit.js';
import { GoError } from './go-errors.js';
import { goDuration } from './go-format.js';
import { type Limits, type Run, runHarness } from './harness.js';
import { type Invocation, traced } from './invocation.js';
import { type OutputSpec, parseOutputs } from './outputs.js';
import { failures } from './results.js';
import { servePage, trafficPage } from './traffic-page.js';
import { type Target, type TrafficPlan, TrafficRunner } from './traffic-runner.js';
import { writeResults } from './write-results.js';

const TEST_NAME = 'workspace-traffic';
const PAGE = 100;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** All scale-test workspaces of the deployment, or of one template, by name. */
async function listWorkspaces({ client, values }: Invocation): Promise<Json[]> {
  const owner = values.flag('use-host-login') ? 'owner:"me" ' : '';
  const template = values.text('template');
  const query = `${owner}name:"scaletest-"${template === '' ? '' : ` template:"${template}"`}`;
  const found: Json[] = [];
  for (;;) {
    const path = `/api/v2/workspaces?q=${encodeURIComponent(query)}&limit=${PAGE}&offset=${found.length}`;
    const page = asList(asJson(await client.get(path)).workspaces);
    if (page.length === 0) return found;
    found.push(...page);
  }
}

/** `START:END` of the list; START counts from 0. */
function targeted({ values }: Invocation, workspaces: Json[]): Json[] {
  const range = values.text('target-workspaces');
  if (range === '') return workspaces;
  const [start = 0, end = 0] = range.split(':').map(Number);
  if (end > workspaces.length)
    throw new GoError(
      `target workspace end ${end} is greater than the number of workspaces ${workspaces.length}`,
    );
  return workspaces.slice(start, end);
}

/** Workspaces without an agent are left out, with a warning and nothing else. */
function targetsOf({ behaviour }: Invocation, workspaces: Json[]): Target[] {
  return workspaces.flatMap((workspace, index) => {
    const [agent] = index < behaviour.lostAgents ? [] : agentsOf(workspace);
    if (agent !== undefined) return [{ workspace, agent }];
    process.stderr.write(`WARN: skipping workspace ${text(workspace, 'name')}: no agent\n`);
    return [];
  });
}

function planOf({ values, version, behaviour }: Invocation, limits: Limits, index: number): TrafficPlan {
  const falls = (share: number): boolean => Math.floor((index + 1) * share) > Math.floor(index * share);
  return {
    version,
    bytesPerTick: values.number('bytes-per-tick'),
    tickMs: values.duration('tick-interval'),
    method: values.flag('ssh') ? 'ssh' : values.text('app') === '' ? 'reconnectingpty' : 'app',
    durationMs: Math.min(limits.timeout, limits.jobTimeout || Infinity),
    share: behaviour.throughputShare,
    stalled: falls(behaviour.stalledShare),
    drops: falls(behaviour.dropShare),
  };
}

function pageOf({ behaviour }: Invocation, runners: TrafficRunner[]): string {
  if (behaviour.metricsPage !== null) return behaviour.metricsPage;
  const page = trafficPage(runners);
  return behaviour.metricsPortTaken ? page.replaceAll('scaletest-', 'scaletest-other-') : page;
}

async function prepare(
  invocation: Invocation,
): Promise<{ runners: TrafficRunner[]; outputs: OutputSpec[]; limits: Limits }> {
  const { values, client, behaviour } = invocation;
  await invocation.requireOwner();
  await traced('fetch deployment config', () => client.get('/api/v2/deployment/config'));
  const limits: Limits = {
    concurrency: values.number('concurrency'),
    timeout: values.duration('timeout'),
    jobTimeout: values.duration('job-timeout'),
  };
  if (limits.timeout <= 0) throw new GoError('validate config: validate duration: must be greater than zero');
  const outputs = parseOutputs(values.list('output'));
  const workspaces = targeted(invocation, await listWorkspaces(invocation));
  if (workspaces.length === 0) throw new GoError('no scaletest workspaces exist');
  const targets = behaviour.zeroRuns ? [] : targetsOf(invocation, workspaces);
  const runners = targets.map(
    (target, index) => new TrafficRunner(planOf(invocation, limits, index), target, index),
  );
  return { runners, outputs, limits };
}

/** `coder exp scaletest workspace-traffic` */
export async function workspaceTraffic(invocation: Invocation): Promise<void> {
  const { values, behaviour, path } = invocation;
  const { runners, outputs, limits } = await prepare(invocation);
  const interrupted = new AbortController();
  if (!behaviour.hangOnSignals) for (const signal of SIGNALS) process.on(signal, () => interrupted.abort());
  const server = await servePage(values.text('scaletest-prometheus-address'), () =>
    pageOf(invocation, runners),
  );
  const runs = runners.map((runner, index): Run => ({
    id: String(index),
    logs: runner.logs,
    execute: (signal) => runner.run(signal),
    bytes: () => runner.bytes(),
  }));
  process.stderr.write('Running load test...\n');
  let problem: GoError | null = null;
  try {
    const results = await runHarness(TEST_NAME, runs, limits, interrupted.signal);
    if (interrupted.signal.aborted) throw new GoError('context canceled');
    writeResults(invocation, outputs, results);
    if (failures(results) > 0) throw new GoError('load test failed, see above for more details');
  } catch (error) {
    problem = error instanceof GoError ? error : new GoError(String(error));
  }
  process.stderr.write('\nUploading traces...\n');
  // Also after a signal; the page stays until the end.
  const pause = values.duration('scaletest-prometheus-wait');
  process.stderr.write(
    `Waiting ${goDuration(BigInt(Math.round(pause * 1e6)))} for prometheus metrics to be scraped\n`,
  );
  await wait(pause);
  server?.closeAllConnections();
  server?.close();
  if (problem !== null) throw commandFailure(path, problem.short());
}
