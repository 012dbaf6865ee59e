import { randomBytes } from 'node:crypto';
import type { CoderApi } from '../coder/api.js';
import type { Workspace, WorkspaceBuild } from '../coder/api-schemas.js';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';
import type { CreateWorkspacesStep } from '../plan/plan-types.js';
import { milliseconds, type Seconds } from '../units.js';
import type { FinishedRun } from './result-file.js';
import { createScaletestUser } from './scaletest-user.js';

/** The grain at which Coder's own CLI looks: half a second in the queue, a second for builds and agents. */
const QUEUE_POLL = milliseconds(500);
const BUILD_POLL = milliseconds(1000);
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const NAME_LENGTH = 8;

export interface WorkspaceRunContext {
  readonly owner: CoderApi;
  readonly ownUserId: string;
  readonly clock: Clock;
  readonly step: CreateWorkspacesStep;
  readonly template: { readonly id: string; readonly organizationId: string };
  /** How long a member's token lives: beyond the end of the load. */
  readonly tokenLifetime: Seconds;
  readonly signal: AbortSignal;
}

/** A run that failed, with the build log's lines that say why. */
class RunFailure extends Error {
  constructor(
    message: string,
    readonly logs = '',
  ) {
    super(message);
  }
}

/**
 * One workspace from its user's creation until all agents are connected: what the CLI's suite does, but with a token
 * that the owner issued, so that no sign-in and no bypass header meets the rate limits. Never throws, unless the whole
 * run is cancelled.
 */
export async function runWorkspace(index: number, context: WorkspaceRunContext): Promise<FinishedRun> {
  const startedAt = context.clock.now();
  const began = context.clock.monotonic();
  const finish = (failure?: RunFailure): FinishedRun => ({
    index,
    startedAt,
    duration: milliseconds(context.clock.monotonic() - began),
    logs: failure?.logs ?? '',
    ...(failure && { error: failure.message }),
  });
  try {
    const member = await step('create user', () => createMember(index, context));
    const workspace = await step('create workspace', () =>
      member.api.createWorkspace(
        member.id,
        {
          templateId: context.template.id,
          name: `scaletest-${randomName()}-${index}`,
          parameters: context.step.parameters,
        },
        context.signal,
      ),
    );
    await buildWithRetries(member.api, workspace, context);
    await step('wait for agents', () => waitForAgents(member.api, workspace.id, context));
    return finish();
  } catch (thrown) {
    return finish(thrown instanceof RunFailure ? thrown : new RunFailure(messageOf(thrown)));
  }
}

/** Names the part of the run that failed, as the CLI's errors do. */
async function step<T>(name: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    if (thrown instanceof RunFailure) throw new RunFailure(`${name}:\n  - ${thrown.message}`, thrown.logs);
    throw new RunFailure(`${name}:\n  - ${messageOf(thrown)}`);
  }
}

async function createMember(
  index: number,
  context: WorkspaceRunContext,
): Promise<{ id: string; api: CoderApi }> {
  if (context.step.owner === 'token-user') return { id: context.ownUserId, api: context.owner };
  const user = await createScaletestUser(
    context.owner,
    `${randomName()}-${index}`,
    context.template.organizationId,
    context.signal,
  );
  const token = await context.owner.createToken(
    user.id,
    context.tokenLifetime,
    `scaletest-${Math.floor(context.clock.now().getTime() / 1000)}`,
    context.signal,
  );
  return { id: user.id, api: context.owner.withToken(token) };
}

async function buildWithRetries(
  api: CoderApi,
  workspace: Workspace,
  context: WorkspaceRunContext,
): Promise<void> {
  let build = workspace.latest_build;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await step('wait for build', () => waitForBuild(api, build.id, context));
    if (outcome.job.status === 'succeeded') return;
    if (attempt >= context.step.retries) {
      throw new RunFailure(
        `create workspace:\n  - wait for build:\n  - build failed with status "${outcome.job.status}": ${outcome.job.error ?? 'no reason given'}`,
        await errorLines(api, build.id, context.signal),
      );
    }
    const next = await step('retry build', () =>
      api.createBuild(workspace.id, { transition: 'start' }, context.signal),
    );
    if (next === 'active' || next === 'gone')
      throw new RunFailure(`retry build:\n  - the workspace is ${next}`);
    build = next;
  }
}

async function waitForBuild(
  api: CoderApi,
  buildId: string,
  context: WorkspaceRunContext,
): Promise<WorkspaceBuild> {
  for (;;) {
    const build = await api.build(buildId, context.signal);
    if (!['pending', 'running', 'canceling'].includes(build.job.status)) return build;
    await context.clock.sleep(build.job.status === 'pending' ? QUEUE_POLL : BUILD_POLL, context.signal);
  }
}

async function waitForAgents(
  api: CoderApi,
  workspaceId: string,
  context: WorkspaceRunContext,
): Promise<void> {
  for (;;) {
    const { latest_build: build } = await api.workspace(workspaceId, context.signal);
    const agents = build.resources.filter(({ parent_id }) => typeof parent_id !== 'string');
    if (agents.length === 0) throw new RunFailure(`no agents found for workspace "${workspaceId}"`);
    if (agents.every(({ status }) => status === 'connected')) return;
    await context.clock.sleep(BUILD_POLL, context.signal);
  }
}

/** The lines of a failed build's log that name the cause, in the CLI's form. */
async function errorLines(api: CoderApi, buildId: string, signal: AbortSignal): Promise<string> {
  try {
    const lines = await api.buildLogs(buildId, signal);
    return lines
      .filter(({ log_level }) => log_level === 'error')
      .map(({ output }) => `\terror:\t${output}\n`)
      .join('');
  } catch (thrown) {
    return `the build log could not be read: ${messageOf(thrown)}\n`;
  }
}

function randomName(): string {
  return [...randomBytes(NAME_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '0').join('');
}
