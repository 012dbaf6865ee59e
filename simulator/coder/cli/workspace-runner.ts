import type { CliBehaviour } from '../options.js';
import { isAtLeast } from '../versions.js';
import type { ApiClient, LogSink } from './api-client.js';
import { agentsOf, asJson, child, type Json, text } from './answers.js';
import { type Frames, framesOf } from './frames.js';
import { asGoError, type Frame, GoError } from './go-errors.js';
import { randomText } from './random-text.js';
import { type BuildWait, sleep, waitForBuild } from './waiting.js';

const AGENT_LOOK_MS = 1000;
const PASSWORD_LENGTH = 16;
const NO_ID = '00000000-0000-0000-0000-000000000000';

export interface RunnerPlan {
  version: string;
  behaviour: CliBehaviour;
  owner: ApiClient;
  organizationId: string;
  templateId: string;
  parameters: { name: string; value: string }[];
  useHostLogin: boolean;
  waitForAgents: boolean;
  retry: number;
  /** This run fails by order although the deployment did its part. */
  failsByOrder: boolean;
}

async function wrapped<Value>(message: string, frame: Frame, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw new GoError(message, frame, asGoError(error));
  }
}

/** One run: user, login, workspace, build, agents; and its own clean-up. */
export class WorkspaceRunner {
  readonly logs: string[] = [];
  readonly #plan: RunnerPlan;
  readonly #index: number;
  readonly #frames: Frames;
  readonly #sink: LogSink = { write: (line) => void this.logs.push(line) };
  #owner: ApiClient;
  #member: ApiClient | null = null;
  #userId: string | null = null;
  #workspaceId: string | null = null;

  constructor(plan: RunnerPlan, index: number) {
    this.#plan = plan;
    this.#index = index;
    this.#frames = framesOf(plan.version);
    this.#owner = plan.owner;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#work(signal);
    } finally {
      // Thousands of runs must not hold their connections until the end.
      this.#member?.close();
      if (this.#owner !== this.#plan.owner) this.#owner.close();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { frames, plan } = { frames: this.#frames, plan: this.#plan };
    this.#takeOwnerClient();
    const client = plan.useHostLogin
      ? await this.#hostLogin(signal)
      : await wrapped('create user', frames.createUser, () => this.#createUser(signal));
    this.#member = client;
    const workspace = await wrapped('create workspace', frames.createWorkspace, () =>
      this.#createWorkspace(client, signal),
    );
    const id = text(workspace, 'id');
    if (agentsOf(workspace).length === 0 && plan.waitForAgents) {
      throw new GoError(`no agents found for workspace "${id}"`, frames.noAgents);
    }
    if (plan.failsByOrder) {
      const sentence = 'unexpected non-JSON response "text/html"';
      throw new GoError(
        `GET ${client.options.origin}/api/v2/workspaces/${id}: unexpected status code 502: ${sentence}`,
      );
    }
  }

  /** Before v2.30 all runs share one client, and it logs into whichever run began last. */
  #takeOwnerClient(): void {
    const { owner, version } = this.#plan;
    if (isAtLeast(version, 'v2.30.0')) this.#owner = owner.with({ sink: this.#sink });
    else owner.options.sink = this.#sink;
  }

  async #hostLogin(signal: AbortSignal): Promise<ApiClient> {
    this.#sink.write('Using existing user session token:\n');
    const client = this.#plan.owner.with({ sink: this.#sink });
    this.#userId = text(asJson(await client.get('/api/v2/users/me', signal)), 'id');
    return client;
  }

  async #createUser(signal: AbortSignal): Promise<ApiClient> {
    const { version, organizationId } = this.#plan;
    const name = `${randomText(8)}-${this.#index}`;
    this.#sink.write('Generating user password...\n');
    const password = randomText(PASSWORD_LENGTH);
    const email = `${name}@scaletest.local`;
    const username = `scaletest-${name}`;
    this.#sink.write('Creating user:\n');
    const user = await wrapped('create user', this.#frames.createUserCall, () =>
      this.#owner.call(
        'POST',
        '/api/v2/users',
        {
          email,
          username,
          name: '',
          password,
          login_type: '',
          user_status: null,
          organization_ids: [organizationId],
        },
        signal,
      ),
    );
    this.#userId = text(asJson(user), 'id');
    this.#sink.write('\nLogging in as new user...\n');
    const session = await wrapped('login as new user', this.#frames.login, () =>
      this.#loginClient().call('POST', '/api/v2/users/login', { email, password }, signal),
    );
    this.#sink.write(
      `\tOrg ID:   ${organizationId}\n\tUsername: ${username}\n\tEmail:    ${email}\n\tPassword: ****************\n`,
    );
    return this.#plan.owner.with({
      token: text(asJson(session), 'session_token'),
      sink: this.#sink,
      // Since v2.32 the users' clients send the header too, and the server refuses it.
      bypassLimits: isAtLeast(version, 'v2.32.0'),
    });
  }

  /** Since v2.32 the login goes through the owner's client, before through a plain one that logs nothing. */
  #loginClient(): ApiClient {
    if (isAtLeast(this.#plan.version, 'v2.32.0')) return this.#owner;
    return this.#plan.owner.with({ token: '', bypassLimits: false, sink: null });
  }

  async #createWorkspace(client: ApiClient, signal: AbortSignal): Promise<Json> {
    const { version, templateId, parameters, retry } = this.#plan;
    this.#sink.write('\nCreating workspace...\n');
    const preset = isAtLeast(version, 'v2.22.0') ? { template_version_preset_id: NO_ID } : {};
    const answer = await wrapped('create workspace', this.#frames.createWorkspaceCall, () =>
      client.call(
        'POST',
        `/api/v2/users/${this.#userId ?? ''}/workspaces`,
        {
          template_id: templateId,
          template_version_id: NO_ID,
          name: `scaletest-${randomText(8)}-${this.#index}`,
          ...(parameters.length > 0 && { rich_parameter_values: parameters }),
          ...preset,
        },
        signal,
      ),
    );
    const workspace = asJson(answer);
    const id = text(workspace, 'id');
    this.#workspaceId = id;
    await wrapped('wait for build', this.#frames.waitForBuild, () =>
      this.#waitWithRetries(client, id, text(child(workspace, 'latest_build'), 'id'), retry, preset, signal),
    );
    if (!this.#plan.waitForAgents) return workspace;
    return wrapped('wait for agent', this.#frames.waitForAgents, () =>
      this.#waitForAgents(client, id, signal),
    );
  }

  async #waitWithRetries(
    client: ApiClient,
    workspaceId: string,
    firstBuildId: string,
    retries: number,
    preset: Json,
    signal: AbortSignal,
  ): Promise<void> {
    let buildId = firstBuildId;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await waitForBuild(this.#buildWait(client, signal), buildId);
        return;
      } catch (error) {
        if (attempt > retries || signal.aborted) throw error;
        this.#sink.write(`Retrying build ${attempt}/${retries}...\n`);
        const body = { template_version_id: NO_ID, transition: 'start', ...preset };
        const build = await client.call('POST', `/api/v2/workspaces/${workspaceId}/builds`, body, signal);
        buildId = text(asJson(build), 'id');
      }
    }
  }

  #buildWait(client: ApiClient, signal: AbortSignal): BuildWait {
    const { pollScale } = this.#plan.behaviour;
    return { client, logs: this.#sink, signal, pollScale, frame: this.#frames.buildEnd };
  }

  async #waitForAgents(client: ApiClient, workspaceId: string, signal: AbortSignal): Promise<Json> {
    this.#sink.write('\nWaiting for agents to connect...\n\n');
    for (;;) {
      const workspace = asJson(await client.get(`/api/v2/workspaces/${workspaceId}`, signal));
      const agents = agentsOf(workspace);
      for (const agent of agents) {
        this.#sink.write(`\tAgent "${text(agent, 'name')}" is ${text(agent, 'status')}\n`);
      }
      this.#sink.write('\n');
      if (agents.every((agent) => text(agent, 'status') === 'connected')) break;
      await sleep(AGENT_LOOK_MS * this.#plan.behaviour.pollScale, signal);
    }
    this.#sink.write('Agents connected!\n\n');
    return asJson(await client.get(`/api/v2/workspaces/${workspaceId}`, signal));
  }

  /** Deletes the workspace as its user, then the user as owner. */
  async cleanup(signal: AbortSignal): Promise<void> {
    const quiet: LogSink = { write: () => undefined };
    if (this.#workspaceId !== null && this.#member !== null) {
      const client = this.#member.with({ sink: null });
      await deleteWorkspace({ ...this.#buildWait(client, signal), logs: quiet }, this.#workspaceId);
    }
    if (this.#userId !== null && !this.#plan.useHostLogin) {
      await this.#plan.owner
        .with({ sink: null })
        .call('DELETE', `/api/v2/users/${this.#userId}`, undefined, signal);
    }
  }
}

/** As the CLI's clean-up does it: an active build is cancelled first; only 404 counts as "already gone". */
export async function deleteWorkspace(wait: BuildWait, workspaceId: string): Promise<void> {
  const { client, signal } = wait;
  const workspace = asJson(await client.get(`/api/v2/workspaces/${workspaceId}`, signal));
  const build = asJson(
    await client.get(`/api/v2/workspacebuilds/${text(child(workspace, 'latest_build'), 'id')}`, signal),
  );
  if (['pending', 'running', 'canceling'].includes(text(child(build, 'job'), 'status'))) {
    await client
      .call('PATCH', `/api/v2/workspacebuilds/${text(build, 'id')}/cancel`, undefined, signal)
      .catch(() => null);
    await waitForBuild(wait, text(build, 'id')).catch(() => null);
  }
  await deleteBuild(wait, workspaceId);
}

/** Asks for the deletion, and waits for its end. */
export async function deleteBuild(wait: BuildWait, workspaceId: string): Promise<void> {
  const path = `/api/v2/workspaces/${workspaceId}/builds`;
  const deletion = await wait.client.call('POST', path, { transition: 'delete' }, wait.signal);
  await waitForBuild(wait, text(asJson(deletion), 'id'));
}
