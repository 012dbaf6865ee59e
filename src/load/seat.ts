import { Connections, type Deployment } from './exchange.js';
import { InboxSocket, type SocketListener } from './inbox-socket.js';
import type { Placeholders } from './mix.js';
import type { Arrival } from './schedule.js';

/** Somebody in whose name calls are sent. Both are read anew for each call: users come while the load runs. */
export interface VirtualUser {
  /** Undefined while the user is not there yet: its calls are left out, and counted. */
  readonly token: string | undefined;
  readonly values: Placeholders;
}

/** What a call is sent with. */
export interface Sender {
  readonly connections: Connections;
  readonly headers: Readonly<Record<string, string>>;
  readonly values: Placeholders;
  readonly warmUp: boolean;
}

/** The browser of one user of the schedule: its connections, its inbox, and whether it has been used before. */
export class Seat {
  readonly #deployment: Deployment;
  readonly #user: VirtualUser | undefined;
  readonly #connections: Connections;
  readonly #inbox: (headers: Sender['headers']) => InboxSocket | undefined;
  #socket: InboxSocket | undefined;
  #firstVisitMs: number | undefined;
  #isUsed = false;
  /** Arrivals had to be left out before. */
  #isLate = false;

  /** @param user undefined: calls that nobody signs in for. */
  constructor(
    deployment: Deployment,
    user: VirtualUser | undefined,
    inbox?: { readonly path: string; readonly listener: SocketListener },
  ) {
    this.#deployment = deployment;
    this.#user = user;
    this.#connections = new Connections(deployment);
    this.#inbox = (headers) =>
      inbox === undefined ? undefined : new InboxSocket(deployment, inbox.path, headers, inbox.listener);
  }

  /** Whether its user is there. */
  get isTaken(): boolean {
    return this.#user?.token !== undefined;
  }

  get hasOpenSocket(): boolean {
    return this.#socket?.isOpen === true;
  }

  /** With what an arrival's calls are sent; undefined while its user is not there. */
  take(arrival: Arrival): Sender | undefined {
    const { headers } = this.#deployment;
    const connections = this.#connections;
    if (this.#user === undefined) return { connections, headers, values: {}, warmUp: arrival.warmUp };
    const { token, values } = this.#user;
    if (token === undefined) {
      this.#isLate = true;
      return undefined;
    }
    const warmUp = arrival.warmUp || (this.#isLate && this.#isFirst(arrival));
    this.#isUsed = true;
    const own = { ...headers, 'Coder-Session-Token': token };
    // With the first visit, as the page does.
    if (this.#socket === undefined) {
      this.#socket = this.#inbox(own);
      this.#socket?.open();
    }
    return { connections, headers: own, values, warmUp };
  }

  close(): void {
    this.#socket?.close();
    this.#connections.close();
  }

  /** Of a user who came later than the schedule has it: the first visit, or what opens the first connection. */
  #isFirst({ visitAtMs }: Arrival): boolean {
    if (visitAtMs === undefined) return !this.#isUsed;
    this.#firstVisitMs ??= visitAtMs;
    return visitAtMs === this.#firstVisitMs;
  }
}
