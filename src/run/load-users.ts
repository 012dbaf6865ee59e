import { randomBytes } from 'node:crypto';
import type { CoderApi } from '../coder/api.js';
import type { Workspace } from '../coder/api-schemas.js';
import { keyIdOf } from '../coder/identity.js';
import { isOfScaletestUser } from '../coder/scaletest-resources.js';
import { forEachConcurrently } from '../concurrency.js';
import { messageOf } from '../errors.js';
import type { VirtualUser } from '../load/generator.js';
import type { DashboardStep } from '../plan/plan-types.js';
import { milliseconds, type Seconds } from '../units.js';
import type { RunContext } from './run-types.js';
import { createScaletestUser } from './scaletest-user.js';

/** While seats are empty; afterwards only agents are missing, which take as long as builds do. */
const LOOK_EVERY = milliseconds(2000);
const LOOK_FOR_AGENTS_EVERY = milliseconds(5000);
const PARALLEL = 8;
/** Of workspaces being made, the newest name says nothing; so all are looked at until the seats are taken. */
const SEARCH = 'name:"scaletest-"';

/** A place in the load, and who has taken it. */
interface Seat {
  token: string | undefined;
  userId?: string;
  workspaceId?: string;
  values: Record<string, string>;
}

type Template = { readonly id: string; readonly versionId: string };

/**
 * Those in whose name the load is sent: the owners of workspaces, who come while these are made, and users of its own
 * where there are too few. The owner issues a token for each, so that nobody signs in.
 */
export class LoadUsers {
  readonly #seats: Seat[];
  readonly #problems: string[] = [];
  readonly #step: DashboardStep;
  readonly #context: RunContext;
  readonly #lifetime: Seconds;
  readonly #done = new AbortController();

  constructor(step: DashboardStep, lifetime: Seconds, context: RunContext) {
    this.#step = step;
    this.#lifetime = lifetime;
    this.#context = context;
    const values = templateValues(context.anyTemplate);
    this.#seats = Array.from({ length: step.users }, () => ({ token: undefined, values }));
  }

  /** As the load reads them: they fill while it runs. */
  get users(): readonly VirtualUser[] {
    return this.#seats;
  }

  /** Why seats stayed empty, each reason once. */
  get problems(): readonly string[] {
    return [...new Set(this.#problems)];
  }

  /** Makes the users who own no workspace, before the load begins. */
  async make(): Promise<void> {
    const { usersWithoutWorkspace: count } = this.#step;
    const seats = count === 0 ? [] : this.#seats.slice(-count);
    await forEachConcurrently(seats, PARALLEL, async (seat, index) => {
      try {
        await this.#context.userPace?.turn(this.#context.signal);
        this.#context.signal.throwIfAborted();
        const { id, username } = await this.#createUser(index);
        await this.#seatUser(seat, id, username);
      } catch (thrown) {
        this.#problems.push(`a virtual user could not be made: ${messageOf(thrown)}`);
      }
    });
  }

  /** Gives the other seats to the owners of workspaces as these are made, until all are taken or it is ended. */
  async follow(): Promise<void> {
    const signal = AbortSignal.any([this.#done.signal, this.#context.signal]);
    const seats = this.#seats.slice(0, this.#step.users - this.#step.usersWithoutWorkspace);
    while (!signal.aborted) {
      const open = seats.filter(({ values }) => values['agent'] === undefined);
      if (open.length === 0) return;
      await this.#look(seats, signal).catch((thrown: unknown) => {
        if (!signal.aborted) this.#problems.push(`workspaces could not be read: ${messageOf(thrown)}`);
      });
      const isFull = seats.every(({ workspaceId }) => workspaceId !== undefined);
      const pause = isFull ? LOOK_FOR_AGENTS_EVERY : LOOK_EVERY;
      await this.#context.clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** Nobody is seated any more. */
  stop(): void {
    this.#done.abort();
  }

  /** Takes the tokens back. One that cannot be taken back dies with its user, and of itself. */
  async revoke(): Promise<void> {
    await forEachConcurrently(this.#seats, PARALLEL, async ({ token, userId }) => {
      if (token === undefined || userId === undefined) return;
      await this.#context.api
        .revokeKey(userId, keyIdOf(token), this.#context.cancelled)
        .catch((thrown: unknown) => {
          this.#context.log.debug(`a virtual user's token could not be revoked: ${messageOf(thrown)}`);
        });
    });
  }

  async #createUser(index: number): Promise<{ id: string; username: string }> {
    const { api, organizationId, signal } = this.#context;
    if (organizationId === undefined) throw new Error('the organization for new users is not known');
    const name = `load-${randomBytes(4).toString('hex')}-${index}`;
    return createScaletestUser(api, name, organizationId, signal);
  }

  async #seatUser(seat: Seat, userId: string, username: string): Promise<void> {
    const { api, log, signal } = this.#context;
    seat.userId = userId;
    const name = `scaletest-load-${randomBytes(3).toString('hex')}`;
    const token = await api.createToken(userId, this.#lifetime, name, signal);
    log.mask(token);
    seat.values = { ...seat.values, user: username };
    seat.token = token;
  }

  async #look(seats: readonly Seat[], signal: AbortSignal): Promise<void> {
    const { api } = this.#context;
    const empty = seats.filter(({ workspaceId }) => workspaceId === undefined);
    if (empty.length > 0) {
      const known = new Set(seats.map(({ userId }) => userId));
      const newcomers = (await this.#newcomers(api, empty.length, known, signal)).entries();
      const pairs = [...newcomers].flatMap(([index, workspace]) => {
        const seat = empty[index];
        return seat === undefined ? [] : [{ seat, workspace }];
      });
      await forEachConcurrently(pairs, PARALLEL, ({ seat, workspace }) => this.#seatOwner(seat, workspace));
    }
    // The listing shows only the first of many, so those whose agents are not known yet are asked for one by one.
    const building = seats.filter(
      ({ workspaceId, values }) => workspaceId !== undefined && values['agent'] === undefined,
    );
    await forEachConcurrently(building, PARALLEL, async (seat) => {
      if (seat.workspaceId === undefined) return;
      const workspace = await api.workspace(seat.workspaceId, signal);
      seat.values = { ...seat.values, ...workspaceValues(workspace) };
    });
  }

  async #newcomers(
    api: CoderApi,
    wanted: number,
    known: ReadonlySet<string | undefined>,
    signal: AbortSignal,
  ): Promise<readonly Workspace[]> {
    const found = new Map<string, Workspace>();
    for await (const page of api.workspacePages(SEARCH, signal)) {
      for (const workspace of page) {
        // The search finds the text anywhere in a name, so also what belongs to real people.
        const isOurs = workspace.created_at >= this.#context.since && isOfScaletestUser(workspace);
        if (isOurs && !known.has(workspace.owner_id)) found.set(workspace.owner_id, workspace);
      }
      if (found.size >= wanted) break;
    }
    return [...found.values()].slice(0, wanted);
  }

  async #seatOwner(seat: Seat, workspace: Workspace): Promise<void> {
    try {
      seat.values = { ...seat.values, ...workspaceValues(workspace) };
      await this.#seatUser(seat, workspace.owner_id, workspace.owner_name);
      seat.workspaceId = workspace.id;
    } catch (thrown) {
      delete seat.userId;
      this.#problems.push(
        `a virtual user could not be made of ${workspace.owner_name}: ${messageOf(thrown)}`,
      );
    }
  }
}

const templateValues = (template: Template | undefined): Record<string, string> =>
  template === undefined ? {} : { template: template.id, templateVersion: template.versionId };

function workspaceValues(workspace: Workspace): Record<string, string> {
  const { latest_build: build } = workspace;
  const [agent] = build.resources;
  return {
    workspace: workspace.id,
    workspaceName: workspace.name,
    build: build.id,
    template: workspace.template_id,
    templateVersion: build.template_version_id,
    ...(agent !== undefined && { agent: agent.id }),
  };
}
