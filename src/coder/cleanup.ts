import { forEachConcurrently } from '../concurrency.js';
import { messageOf } from '../errors.js';
import { ApiError } from './http.js';
import type { Clock, Log } from '../ports.js';
import { timeLimit } from '../time-limit.js';
import { milliseconds, toSeconds, type Milliseconds } from '../units.js';
import type { CoderApi } from './api.js';
import type { User, Workspace } from './api-schemas.js';
import { verifyCleanup, type CleanupResult } from './cleanup-result.js';
import { workingDaemons } from './facts.js';
import {
  isScaletestWorkspace,
  listScaletestUsers,
  listScaletestWorkspaces,
  type Scope,
} from './scaletest-resources.js';

/**
 * How many deletions wait in the provisioner queue at once. The queue is first in, first out for everybody, so in main
 * it stays short for the sake of real users. Post after a cancel has five minutes at most, and hands over what the
 * provisioners finish before the server gives up on jobs that were pending for 30 minutes.
 */
export type QueuePolicy = 'short' | 'hand-over';

const QUEUED_PER_FREE_SLOT = 2;
const HANDED_OVER_PER_SLOT = 60;
const PARALLEL_CALLS = 8;
const DELETE_ATTEMPTS = 3;
/** A user is free only once its workspaces are gone, which the server may notice late. */
const USER_ATTEMPTS = 10;
const ROUND_PAUSE = milliseconds(1000);
const LONGEST_ROUND_PAUSE = milliseconds(3000);
/** While the deployment is in trouble, which more calls would only add to. */
const LONGEST_TROUBLED_PAUSE = milliseconds(15_000);
const LONGEST_STANDSTILL_MS = 15 * 60_000;
/** The last look at what is left; after a cancel the runner's five minutes are nearly over by then. */
const VERIFIED_WITHIN: Readonly<Record<QueuePolicy, Milliseconds>> = {
  short: milliseconds(120_000),
  'hand-over': milliseconds(25_000),
};
const PROGRESS_EVERY_MS = 15_000;

export interface CleanupRequest {
  readonly scope: Scope;
  readonly queue: QueuePolicy;
  /** Orphans what cannot be deleted: its cloud resources stay behind. Only when it was asked for. */
  readonly orphan: boolean;
  /** On the monotonic clock. What is under way then is left, and what is left is looked at. */
  readonly deadline: Milliseconds;
  /** Rejects when it is not certain that no other test is running; nothing is deleted then. Asked before each round. */
  readonly confirm: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Deletes the scale-test resources in a scope, then looks whether anything is left. Safe to repeat. */
export async function cleanUp(
  api: CoderApi,
  request: CleanupRequest,
  tools: { clock: Clock; log: Log },
): Promise<CleanupResult> {
  return new Cleanup(api, request, tools.clock, tools.log).run();
}

class Cleanup {
  readonly #startedAt: Milliseconds;
  readonly #seenWorkspaces = new Set<string>();
  readonly #attempts = new Map<string, number>();
  readonly #cancelled = new Set<string>();
  readonly #reasons = new Map<string, string>();
  readonly #deletedUserIds = new Set<string>();
  #users: readonly User[] = [];
  #workspacesAtListing = -1;
  #lastProgressAt: Milliseconds;
  #lastLogAt = Number.NEGATIVE_INFINITY;
  #lastState = '';
  #isInTrouble = false;
  /** Ends the calls of the rounds: the deadline, or the request's. */
  readonly #signal: AbortSignal;

  constructor(
    private readonly api: CoderApi,
    private readonly request: CleanupRequest,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#startedAt = clock.monotonic();
    this.#lastProgressAt = this.#startedAt;
    const atDeadline = timeLimit(milliseconds(request.deadline - this.#startedAt));
    this.#signal = AbortSignal.any([request.signal, atDeadline]);
  }

  async run(): Promise<CleanupResult> {
    let pause = ROUND_PAUSE;
    for (;;) {
      this.#isInTrouble = false;
      try {
        await this.request.confirm();
        if ((await this.#round()) !== 'going on') break;
      } catch (thrown) {
        this.request.signal.throwIfAborted();
        this.#isInTrouble = true;
        this.log.debug(`clean-up goes on after: ${messageOf(thrown)}`);
      }
      if (this.#isOver()) break;
      const left = Math.max(0, this.request.deadline - this.clock.monotonic());
      await this.clock.sleep(milliseconds(Math.min(pause, left)), this.request.signal);
      pause = this.#nextPause(pause);
    }
    return verifyCleanup(
      this.api,
      {
        scope: this.request.scope,
        seenWorkspaceIds: this.#seenWorkspaces,
        deletedUsers: this.#deletedUserIds.size,
        reasons: this.#reasons,
        seconds: toSeconds(milliseconds(this.clock.monotonic() - this.#startedAt)),
      },
      { within: VERIFIED_WITHIN[this.request.queue], signal: this.request.signal },
    );
  }

  #nextPause(last: Milliseconds): Milliseconds {
    return this.#isInTrouble
      ? milliseconds(Math.min(LONGEST_TROUBLED_PAUSE, last * 2))
      : milliseconds(Math.min(LONGEST_ROUND_PAUSE, last * 1.2));
  }

  /** One look and what can be done now. */
  async #round(): Promise<'going on' | 'nothing left' | 'nothing more to try'> {
    const { scope } = this.request;
    const signal = this.#signal;
    const workspaces = await listScaletestWorkspaces(this.api, scope, signal);
    for (const workspace of workspaces) this.#seenWorkspaces.add(workspace.id);
    const users = await this.#usersWhenDue(workspaces);
    this.#noteProgress(workspaces, users.length);
    if (workspaces.length === 0 && users.length === 0) return 'nothing left';
    // By what was seen: a deletion that this round asks for still has its chance.
    const isGivenUp = workspaces.every((workspace) => !isActive(workspace) && this.#isGivenUp(workspace));
    await this.#deleteWorkspaces(workspaces);
    const owners = new Set(workspaces.map(({ owner_id }) => owner_id));
    const free = users.filter(
      ({ id, username }) => !owners.has(id) && this.#attemptsOf(username) < USER_ATTEMPTS,
    );
    await this.#deleteUsers(free);
    return isGivenUp && free.length === 0 ? 'nothing more to try' : 'going on';
  }

  /** Users matter once their workspaces are gone, so they are listed again only when some are. */
  async #usersWhenDue(workspaces: readonly Workspace[]): Promise<readonly User[]> {
    if (workspaces.length === 0 || workspaces.length !== this.#workspacesAtListing) {
      this.#workspacesAtListing = workspaces.length;
      this.#users = await listScaletestUsers(this.api, this.request.scope, this.#signal);
    }
    return this.#users.filter(({ id }) => !this.#deletedUserIds.has(id));
  }

  async #deleteWorkspaces(workspaces: readonly Workspace[]): Promise<void> {
    await forEachConcurrently(workspaces.filter(isStarting), PARALLEL_CALLS, (workspace) =>
      this.#cancelBuild(workspace),
    );
    const queued = workspaces.filter(isBeingDeleted).length;
    const idle = workspaces.filter((workspace) => !isActive(workspace) && !this.#isGivenUp(workspace));
    if (idle.length === 0) return;
    const room = Math.max(0, (await this.#longestQueue(workspaces)) - queued);
    const untriedFirst = idle.sort((a, b) => this.#attemptsOf(a.id) - this.#attemptsOf(b.id));
    await forEachConcurrently(untriedFirst.slice(0, room), PARALLEL_CALLS, (workspace) =>
      this.#requestDeletion(workspace),
    );
  }

  async #longestQueue(workspaces: readonly Workspace[]): Promise<number> {
    const organizations = [...new Set(workspaces.map(({ organization_id }) => organization_id))];
    const lists = await Promise.all(organizations.map((id) => this.api.provisionerDaemons(id, this.#signal)));
    const daemons = workingDaemons(lists.flat());
    if (this.request.queue === 'hand-over') return Math.max(1, daemons.length) * HANDED_OVER_PER_SLOT;
    const own = new Set(
      workspaces.filter(isBeingDeleted).flatMap(({ latest_build }) => latest_build.job.worker_id ?? []),
    );
    const free = daemons.filter(({ id, status }) => status !== 'busy' || own.has(id)).length;
    return Math.max(1, free) * QUEUED_PER_FREE_SLOT;
  }

  async #cancelBuild({ latest_build: build, id, name }: Workspace): Promise<void> {
    if (this.#cancelled.has(build.id)) return;
    this.#cancelled.add(build.id);
    await this.#noting({ id, name }, () => this.api.cancelBuild(build.id, this.#signal));
  }

  async #requestDeletion(workspace: Workspace): Promise<void> {
    const attempts = this.#attemptsOf(workspace.id);
    const orphan = this.request.orphan && attempts >= DELETE_ATTEMPTS;
    await this.#noting(workspace, async () => {
      const outcome = await this.api.createBuild(
        workspace.id,
        { transition: 'delete', ...(orphan && { orphan }) },
        this.#signal,
      );
      if (outcome !== 'active') this.#attempts.set(workspace.id, attempts + 1);
    });
  }

  async #deleteUsers(users: readonly User[]): Promise<void> {
    await forEachConcurrently(users, PARALLEL_CALLS, async (user) => {
      await this.#noting({ id: user.username, name: user.username }, async () => {
        const outcome = await this.api.deleteUser(user.id, this.#signal);
        if (outcome === 'deleted') this.#deletedUserIds.add(user.id);
        else await this.#deleteOtherWorkspaces(user);
      });
    });
  }

  /** By the owner's name a workspace of another name is one of the test's as well, but no search for names finds it. */
  async #deleteOtherWorkspaces(user: User): Promise<void> {
    this.#reasons.set(user.username, 'still has workspaces');
    this.#attempts.set(user.username, this.#attemptsOf(user.username) + 1);
    const owned = await this.api.searchWorkspaces(`owner:"${user.username}"`, this.#signal);
    await this.#deleteWorkspaces(
      owned.filter((workspace) => workspace.owner_id === user.id && isScaletestWorkspace(workspace)),
    );
  }

  /** One resource that cannot be deleted does not keep the others from it. */
  async #noting(resource: { id: string; name: string }, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      this.#signal.throwIfAborted();
      this.#reasons.set(resource.name, messageOf(thrown));
      // The deployment's trouble is none of this resource: it keeps its tries.
      if (isPassingTrouble(thrown)) this.#isInTrouble = true;
      else this.#attempts.set(resource.id, this.#attemptsOf(resource.id) + 1);
    }
  }

  #attemptsOf(id: string): number {
    return this.#attempts.get(id) ?? 0;
  }

  #isGivenUp(workspace: Workspace): boolean {
    return this.#attemptsOf(workspace.id) >= DELETE_ATTEMPTS + (this.request.orphan ? 1 : 0);
  }

  #noteProgress(workspaces: readonly Workspace[], users: number): void {
    const now = this.clock.monotonic();
    const state = `${users} ${workspaces.map(({ id, latest_build }) => id + latest_build.id + latest_build.job.status).join()}`;
    // A deletion that is waiting or running is progress: a cloud may take long for one.
    if (state !== this.#lastState || workspaces.some(isActive)) this.#lastProgressAt = now;
    this.#lastState = state;
    if (now - this.#lastLogAt < PROGRESS_EVERY_MS || workspaces.length + users === 0) return;
    this.#lastLogAt = now;
    const seconds = Math.round((now - this.#startedAt) / 1000);
    this.log.info(
      `clean-up: ${workspaces.length} workspaces (${workspaces.filter(isBeingDeleted).length} being deleted) and ${users} users to go, ${seconds} s`,
    );
  }

  #isOver(): boolean {
    const now = this.clock.monotonic();
    return now >= this.request.deadline || now - this.#lastProgressAt > LONGEST_STANDSTILL_MS;
  }
}

/** Of what stands in front of coderd, or of the way there. An error 500 is coderd's own answer about this resource. */
const isPassingTrouble = (thrown: unknown): boolean =>
  thrown instanceof ApiError && thrown.mayPass && thrown.status !== 500;

const isActive = ({ latest_build }: Workspace): boolean =>
  ['pending', 'running', 'canceling'].includes(latest_build.job.status);
const isBeingDeleted = (workspace: Workspace): boolean =>
  isActive(workspace) && workspace.latest_build.transition === 'delete';
const isStarting = (workspace: Workspace): boolean =>
  isActive(workspace) &&
  workspace.latest_build.transition !== 'delete' &&
  workspace.latest_build.job.status !== 'canceling';
