import { createServer } from 'node:net';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';
import type { Milliseconds } from '../units.js';

const LONGEST_ANSWER_MS = 5000;
/** A read that is under way when the suite has ended; a cancelled step has seconds in all. */
const LAST_ANSWER_MS = 500;
/** Some 35 lines a workspace of 150 bytes: this is a page of more workspaces than a deployment has. */
const LARGEST_PAGE = 256 * 1024 * 1024;

/** A suite's own metrics page, as it was last read. */
export interface ReadPage {
  readonly text: string;
  /** Whether it was read after the suite had said that its load was over. */
  readonly isFinal: boolean;
  readonly readAt: Date;
}

export interface PageSource {
  readonly port: number;
  /** Between two reads. */
  readonly interval: Milliseconds;
  /** What a page of the suite tells; undefined for any other. */
  readonly describe: (text: string) => string | undefined;
  readonly onPage: (description: string) => void;
  readonly clock: Clock;
  /** Whether the load is over: the suite has written its result file. */
  readonly isOver: () => Promise<boolean>;
}

/**
 * Reads a suite's metrics page again and again while it runs, since the page is gone with the suite: of several reads the
 * last good one is kept.
 */
export class PageReader {
  #last: ReadPage | undefined;
  #problem = 'it was never there to be read';
  /** What has answered wrongly says more than that nobody answers any more once the suite is gone. */
  #hasAnswered = false;
  #reading: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();
  readonly #givenUp = new AbortController();

  constructor(private readonly source: PageSource) {}

  /** Reads until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      // The sleep is cut short when the reading is stopped.
      const isOn = await this.source.clock.sleep(this.source.interval, signal).then(
        () => true,
        () => false,
      );
      if (!isOn) return;
      await this.#queue(await this.source.isOver());
    }
  }

  /** Reads at once: the suite has said that it waits for it. */
  readFinal(): void {
    void this.#queue(true);
  }

  /** Ends the reading and gives the last good page, or why there is none. */
  async stop(): Promise<ReadPage | { readonly problem: string }> {
    this.#stopped.abort();
    const timer = setTimeout(() => this.#givenUp.abort(), LAST_ANSWER_MS);
    await this.#reading;
    clearTimeout(timer);
    return this.#last ?? { problem: this.#problem };
  }

  /** One read at a time, so that an older page never takes the place of a newer one. */
  #queue(isFinal: boolean): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read(isFinal));
    return this.#reading;
  }

  async #read(isFinal: boolean): Promise<void> {
    const url = `http://127.0.0.1:${this.source.port}/metrics`;
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(LONGEST_ANSWER_MS), this.#givenUp.signal]);
      const answer = await fetch(url, { signal, redirect: 'error' });
      const text = await limitedText(answer);
      this.#hasAnswered = true;
      if (!answer.ok) this.#problem = `it answered with status ${answer.status}`;
      else this.#take(text, isFinal);
    } catch (thrown) {
      if (!this.#hasAnswered) this.#problem = `it could not be read: ${causeOf(thrown)}`;
    }
  }

  #take(text: string, isFinal: boolean): void {
    const description = this.source.describe(text);
    if (description === undefined) {
      this.#problem = 'what answers there is no metrics page of the suite';
      return;
    }
    // The suite's counters stay after the load, so a page that was read then is not made worse by a later one.
    this.#last = {
      text,
      isFinal: isFinal || this.#last?.isFinal === true,
      readAt: this.source.clock.now(),
    };
    this.source.onPage(description);
  }
}

/** A page of one's own, but another program may answer at the port. */
async function limitedText(answer: Response): Promise<string> {
  let size = 0;
  const limited = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > LARGEST_PAGE) controller.error(new Error(`it has more than ${LARGEST_PAGE} bytes`));
      else controller.enqueue(chunk);
    },
  });
  return new Response(answer.body?.pipeThrough(limited) ?? null).text();
}

/** fetch only says "fetch failed"; what failed is its cause. */
function causeOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
}

/** A port of 127.0.0.1 that nobody uses at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no free port was found on 127.0.0.1'));
      });
    });
  });
}
