import { runBatch } from './batch-run.js';
import type { Deployment } from './exchange.js';
import type { CallCounts, GeneratorHealth, LoadResult } from './load-types.js';
import { fillBody, fillPath, type Call, type Placeholders } from './mix.js';
import { Outcomes } from './outcomes.js';
import type { Arrival, Schedule } from './schedule.js';
import { Seat, type Sender, type VirtualUser } from './seat.js';
import { SelfWatch } from './self-watch.js';
import { SocketTally } from './socket-tally.js';
import { Timeline } from './timeline.js';

/** No answer for so long is as good as none: the dashboard's user has left. */
export const REQUEST_TIMEOUT_MS = 30_000;

export type { VirtualUser } from './seat.js';

export interface LoadOptions {
  readonly baseUrl: string;
  readonly schedule: Schedule;
  /** As many as the schedule has. */
  readonly users: readonly VirtualUser[];
  readonly phase: string;
  readonly requestTimeoutMs?: number;
  /** Sent with every request, for a proxy in front of the deployment. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Variables that name proxies, as in the environment; empty: none is used. */
  readonly proxies?: Readonly<Record<string, string>>;
  /** PEM of further certificate authorities. */
  readonly ca?: string;
}

/**
 * Sends what the schedule says at the times it says, whatever the server does, and measures each call from its intended
 * start: from the schedule, or for a dependent call from the end of what it waits for.
 */
export class LoadGenerator {
  readonly #options: LoadOptions;
  readonly #timeoutMs: number;
  readonly #deployment: Deployment;
  readonly #outcomes: Outcomes;
  readonly #watch = new SelfWatch();
  readonly #seats: readonly Seat[];
  readonly #nobody: Seat;
  readonly #sockets = new SocketTally();
  /** Ways to end the calls under way. */
  readonly #underWay = new Set<() => void>();
  readonly #finished = new AbortController();
  #phase: string;
  #phases: { name: string; fromMs: number }[] = [];
  /** Calls whose arrival has come and that are neither ended nor left out. */
  #open = 0;
  #nonce = 0;
  #startedAt = performance.now();
  #startedDate = new Date();
  #endedAt: number | undefined;
  #openAtEnd: number | undefined;
  #health: GeneratorHealth | undefined;
  #isStopped = false;
  #onDrained: (() => void) | undefined;

  constructor(options: LoadOptions) {
    const { schedule, users } = options;
    if (users.length < schedule.users) {
      throw new RangeError(`the schedule is one of ${schedule.users} users, got ${users.length}`);
    }
    this.#options = options;
    this.#timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#phase = options.phase;
    this.#outcomes = new Outcomes(schedule.routes, this.#timeoutMs);
    this.#deployment = {
      url: new URL(options.baseUrl),
      headers: {
        Accept: 'application/json, text/plain, */*',
        'Accept-Encoding': 'gzip, deflate, br',
        'User-Agent': 'coder-scaletest-gate',
        ...options.headers,
      },
      proxies: options.proxies ?? {},
      ...(options.ca !== undefined && { ca: options.ca }),
    };
    this.#nobody = new Seat(this.#deployment, undefined);
    const { socket } = schedule;
    const inbox = socket === undefined ? undefined : { path: socket, listener: this.#sockets };
    this.#seats = users.slice(0, schedule.users).map((user) => new Seat(this.#deployment, user, inbox));
  }

  /** Calls whose intended start comes after this are of this phase. */
  phase(name: string): void {
    this.#phase = name;
    this.#phases.push({ name, fromMs: performance.now() - this.#startedAt });
  }

  /** Ends the schedule early: nothing more is begun, and what is under way is waited for. */
  finish(): void {
    this.#finished.abort();
  }

  /**
   * Carries out the schedule, then waits for what is still under way, at most for one request timeout. When the signal
   * is aborted it ends at once; what was under way is counted as unfinished.
   */
  async run(signal?: AbortSignal): Promise<LoadResult> {
    const { schedule } = this.#options;
    this.#watch.start();
    this.#startedAt = performance.now();
    this.#phases = [{ name: this.#phase, fromMs: 0 }];
    this.#startedDate = new Date();
    const timeline = new Timeline(schedule.arrivals, schedule.durationMs, this.#watch, (arrival, dueAt) =>
      this.#begin(arrival, dueAt),
    );
    try {
      const ended = this.#finished.signal;
      await timeline.run(signal === undefined ? ended : AbortSignal.any([signal, ended]));
      await this.#drain(signal);
    } finally {
      this.#stop();
    }
    return this.result(signal?.aborted === true);
  }

  /** How far it is: cheap, so that asking disturbs nothing. */
  progress(): { readonly usersSeen: number; readonly calls: CallCounts } {
    return { usersSeen: this.#usersSeen(), calls: this.#outcomes.counts() };
  }

  /** What was measured so far; while it runs, for limits that end a load early. */
  result(aborted = false): LoadResult {
    const { schedule } = this.#options;
    return {
      version: 1,
      mix: schedule.version,
      seed: schedule.seed,
      users: schedule.users,
      usersSeen: this.#usersSeen(),
      startedAt: this.#startedDate.toISOString(),
      plannedMs: schedule.durationMs,
      elapsedMs: (this.#endedAt ?? performance.now()) - this.#startedAt,
      aborted,
      phases: [...this.#phases],
      series: this.#outcomes.series(),
      calls: this.#outcomes.counts(),
      sockets: this.#sockets.counts(this.#openAtEnd ?? this.#openSockets()),
      rateLimits: this.#outcomes.rateLimits(),
      health: this.#health ?? this.#watch.health(),
    };
  }

  /** An arrival's time has come. */
  #begin(arrival: Arrival, dueAt: number): void {
    const { user, batch } = arrival;
    const seat = user === undefined ? this.#nobody : this.#seats[user];
    if (seat === undefined) throw new RangeError(`there is no user ${String(user)}`);
    const sender = seat.take(arrival);
    const { calls } = batch;
    if (sender === undefined) {
      this.#outcomes.leftOut(calls.length);
      return;
    }
    this.#open += calls.length;
    runBatch(batch, dueAt, {
      send: (index, intendedAt, ended) => {
        const call = calls[index];
        if (call !== undefined) this.#send(sender, call, intendedAt, ended);
      },
      ended: () => {
        this.#open -= 1;
        if (this.#open === 0) this.#onDrained?.();
      },
    });
  }

  #send(
    { connections, headers, values, warmUp }: Sender,
    call: Call,
    intendedAt: number,
    ended: (at: number) => void,
  ): void {
    if (this.#isStopped) return;
    const route = this.#outcomes.route(call.route);
    const path = fillPath(call.path, call.path.includes('{nonce}') ? this.#withNonce(values) : values);
    const body = call.body === undefined ? undefined : fillBody(call.body, values);
    if (path === undefined || (call.body !== undefined && body === undefined)) {
      this.#outcomes.leftOut(1);
      ended(intendedAt);
      return;
    }
    const key = { phase: this.#phase, warmUp };
    const sentAt = performance.now();
    // The first calls run code that is not yet compiled; they are left out of the verdict, and of this.
    if (!warmUp) this.#watch.sent(sentAt - intendedAt);
    const drop = connections.send(
      {
        method: route.method,
        path,
        headers: body === undefined ? headers : { ...headers, ...jsonHeaders(body) },
        ...(body !== undefined && { body }),
        timeoutMs: this.#timeoutMs,
      },
      (outcome, { connectedAt, endedAt, resent }) => {
        this.#underWay.delete(drop);
        this.#watch.ended();
        if (!warmUp && connectedAt !== undefined) this.#watch.connected(Math.max(0, connectedAt - sentAt));
        if (resent) this.#outcomes.resent();
        this.#outcomes.record(route, key, outcome, { intendedAt, sentAt, connectedAt, endedAt });
        ended(endedAt);
      },
    );
    this.#underWay.add(drop);
  }

  #withNonce(values: Placeholders): Placeholders {
    this.#nonce += 1;
    return { ...values, nonce: this.#nonce.toString(36) };
  }

  async #drain(signal: AbortSignal | undefined): Promise<void> {
    if (this.#open === 0 || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#timeoutMs);
      this.#onDrained = () => {
        clearTimeout(timer);
        resolve();
      };
      signal?.addEventListener('abort', this.#onDrained, { once: true });
    });
  }

  #stop(): void {
    this.#isStopped = true;
    this.#endedAt = performance.now();
    this.#watch.stop();
    this.#health = this.#watch.health();
    this.#outcomes.unfinished(this.#open);
    for (const drop of this.#underWay) drop();
    this.#underWay.clear();
    this.#openAtEnd = this.#openSockets();
    for (const seat of [...this.#seats, this.#nobody]) seat.close();
  }

  #usersSeen(): number {
    return this.#seats.filter(({ isTaken }) => isTaken).length;
  }

  #openSockets(): number {
    return this.#seats.filter(({ hasOpenSocket }) => hasOpenSocket).length;
  }
}

const jsonHeaders = (body: string): Readonly<Record<string, string>> => ({
  'Content-Type': 'application/json',
  'Content-Length': String(Buffer.byteLength(body)),
});
