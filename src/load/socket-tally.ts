import type { SocketListener } from './inbox-socket.js';
import type { SocketCounts } from './load-types.js';

/** Counts what becomes of the users' inbox sockets. */
export class SocketTally implements SocketListener {
  #opened = 0;
  #drops = 0;
  #refused = 0;
  readonly #reasons = new Map<string, number>();

  opened(): void {
    this.#opened += 1;
  }

  dropped(reason: string): void {
    this.#drops += 1;
    this.#count(reason);
  }

  refused(reason: string): void {
    this.#refused += 1;
    this.#count(reason);
  }

  counts(openAtEnd: number): SocketCounts {
    return {
      opened: this.#opened,
      drops: this.#drops,
      refused: this.#refused,
      openAtEnd,
      reasons: Object.fromEntries(this.#reasons),
    };
  }

  #count(reason: string): void {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }
}
