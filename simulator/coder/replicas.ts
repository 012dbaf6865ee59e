import { now } from './clock.js';
import { RequestMetrics } from './metrics.js';
import type { DeploymentOptions } from './options.js';
import { Random } from './random.js';

/** No two began at the same moment, nor at that of a restart. */
const APART_MS = 30_000;

/** One coderd process. A new one has a new id and counts from zero. */
export interface SimulatedReplica {
  id: string;
  hostname: string;
  startedAt: number;
  metrics: RequestMetrics;
}

/** The coderd processes behind the deployment's address. They share everything but their counters. */
export class Replicas {
  readonly #options: DeploymentOptions;
  readonly #random: Random;
  readonly #list: SimulatedReplica[] = [];
  /** A connection stays with the process that it was opened to. */
  readonly #chosen = new WeakMap<object, number>();
  #turn = 0;

  constructor(options: DeploymentOptions) {
    this.#options = options;
    this.#random = new Random(options.seed + 2);
  }

  /** As many as the options say at the moment. */
  get list(): readonly SimulatedReplica[] {
    while (this.#list.length < this.#options.replicas)
      this.#list.push(this.#begin(this.#list.length, -APART_MS * (this.#list.length + 1)));
    this.#list.length = Math.max(0, this.#options.replicas);
    return this.#list;
  }

  /** The one that answers on a connection: each new connection goes to the next, unless the balancer is sticky. */
  of(connection: object): SimulatedReplica {
    const { list } = this;
    const known = this.#chosen.get(connection);
    const index = known ?? (this.#options.balancerIsSticky ? 0 : this.#turn++);
    if (known === undefined) this.#chosen.set(connection, index);
    const replica = list[index % list.length];
    if (replica === undefined) throw new Error('the deployment has no replica');
    return replica;
  }

  /** Ends a process and begins another in its place, at once: no connection is cut, and none refused. */
  restart(index = 0): void {
    if (this.list[index] !== undefined) this.#list[index] = this.#begin(index);
  }

  #begin(index: number, later = 0): SimulatedReplica {
    return {
      id: this.#random.uuid(),
      hostname: `vm-${index}`,
      startedAt: now() + later,
      metrics: new RequestMetrics(),
    };
  }
}
