import type { ApiClient } from './api-client.js';
import { asJson, asList, text } from './answers.js';
import { GoError } from './go-errors.js';
import { followLog } from './log-follower.js';
import type { ParameterValue } from './parameters.js';
import { sleep } from './waiting.js';

const WORKSPACE_NAME = 'scaletest-N';
const QUEUE_LOOK_MS = 500;
const AGENT_PAD = 2;
const END_PAD = 5;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The preview table of the resources. */
function previewTable(resources: { title: string; agents: string[] }[]): string {
  const access = `coder ssh ${WORKSPACE_NAME}`;
  const hasAgents = resources.some(({ agents }) => agents.length > 0);
  const firstColumn = Math.max(
    'RESOURCE'.length,
    ...resources.flatMap(({ title, agents }) => [title.length, ...agents.map((agent) => agent.length)]),
  );
  const second = hasAgents ? access.length : 'ACCESS'.length;
  const width = 1 + firstColumn + AGENT_PAD + second + END_PAD;
  const row = (left: string, right: string): string =>
    `│ ${left.padEnd(firstColumn + AGENT_PAD)}${right.padEnd(second + END_PAD)}│`;
  const rule = (begin: string, end: string): string => begin + '─'.repeat(width) + end;
  return [
    rule('┌', '┐'),
    `│${' Workspace Preview'.padEnd(width)}│`,
    rule('├', '┤'),
    row('RESOURCE', 'ACCESS'),
    rule('├', '┤'),
    ...resources.flatMap(({ title, agents }) => [
      row(title, ''),
      ...agents.map((agent) => row(agent, access)),
    ]),
    rule('└', '┘'),
  ].join('\n');
}

/** Prints the stages of the dry-run as they end. */
class StagePrinter {
  #stage = 'Running';
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  to(stage: string, time: number): void {
    if (stage === this.#stage) return;
    this.end(time);
    this.#stage = stage;
    this.#since = time;
    say(`==> ⧗ ${stage}`);
  }

  end(time: number): void {
    say(`=== ✔ ${this.#stage} [${Math.max(0, Math.round(time - this.#since))}ms]`);
  }
}

/** Waits for the dry-run job, and cancels it when the user interrupts. */
async function followDryRun(client: ApiClient, runs: string, jobId: string): Promise<void> {
  const never = new AbortController().signal;
  const cancel = (): void => void client.call('PATCH', `${runs}/${jobId}/cancel`).catch(() => null);
  process.on('SIGINT', cancel);
  try {
    const queuedAt = Date.now();
    for (;;) {
      const job = asJson(await client.get(`${runs}/${jobId}`));
      if (text(job, 'status') !== 'pending') break;
      await sleep(QUEUE_LOOK_MS, never);
    }
    say(`=== ✔ Queued [${Date.now() - queuedAt < QUEUE_LOOK_MS ? 0 : Date.now() - queuedAt}ms]`);
    say('==> ⧗ Running');
    say('==> ⧗ Running');
    const printer = new StagePrinter(Date.now());
    let last = Date.now();
    await followLog(
      client.options,
      `${runs}/${jobId}/logs?follow`,
      (line) => {
        last = Math.max(last, Date.parse(line.created_at));
        printer.to(line.stage, last);
      },
      never,
    );
    printer.end(Math.max(last, Date.now()));
    const job = asJson(await client.get(`${runs}/${jobId}`));
    if (text(job, 'status') !== 'succeeded')
      throw new GoError(`job ${text(job, 'status')}: ${text(job, 'error')}`);
  } finally {
    process.off('SIGINT', cancel);
  }
}

/** Plans a workspace once, on a provisioner of the deployment, and shows what it would be. */
export async function planWorkspace(
  client: ApiClient,
  versionId: string,
  parameters: ParameterValue[],
): Promise<void> {
  say('Planning workspace...');
  const runs = `/api/v2/templateversions/${versionId}/dry-run`;
  const job = asJson(
    await client.call('POST', runs, { workspace_name: WORKSPACE_NAME, rich_parameter_values: parameters }),
  );
  const jobId = text(job, 'id');
  await client.get(`${runs}/${jobId}/matched-provisioners`);
  await followDryRun(client, runs, jobId);
  const resources = asList(await client.get(`${runs}/${jobId}/resources`)).map((resource) => ({
    title: `${text(resource, 'type')}.${text(resource, 'name')}`,
    agents: asList(resource.agents).map(
      (agent) =>
        `└─ ${text(agent, 'name')} (${text(agent, 'operating_system')}, ${text(agent, 'architecture')})`,
    ),
  }));
  say(previewTable(resources));
}
