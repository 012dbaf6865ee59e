import { takeSnapshot, type ServerSource } from '../coder/server-metrics.js';
import { messageOf } from '../errors.js';
import type { Redactor } from '../redact/redactor.js';
import {
  failed,
  isUnavailable,
  SERVER_OBSERVATION_FILE,
  type ServerObservation,
  type ServerPage,
  type ServerSnapshot,
} from '../server-evidence.js';
import { milliseconds } from '../units.js';
import { writeWholeText } from '../whole-file.js';

/** Several replicas take up to a minute; a server that hangs must not use up the time for the clean-up. */
const LOOK_WITHIN_MS = 90_000;

/** A replica that was killed stays in the list for 15 s, and is read from it every 5 s (enterprise/replicasync). */
const LIST_IS_STALE_FOR = milliseconds(21_000);

export interface WatchContext {
  readonly evidenceDirectory: string;
  readonly redactor: Redactor;
  /** A cancelled run looks no more. */
  readonly signal: AbortSignal;
}

/**
 * Looks at coderd itself before and after the load, and keeps what it saw as evidence. Never throws: what could not be read
 * is said in its place.
 */
export class ServerWatch {
  #start: ServerSnapshot | undefined;

  constructor(
    private readonly source: ServerSource,
    private readonly context: WatchContext,
  ) {}

  /** At once before the load. */
  async start(): Promise<void> {
    let start = await this.#look();
    if (mayBeginWithADeadOne(start)) start = await this.#lookLater();
    this.#start = await this.#keepPages('start', start);
  }

  /** At once after the load. */
  async stop(): Promise<ServerObservation> {
    const start = this.#start ?? this.#unread('it was not looked at before the load');
    let end = await this.#look();
    if (mayEndWithADeadOne(start, end)) end = await this.#lookLater();
    const observation = { start, end: await this.#keepPages('end', end) };
    await this.#keep(SERVER_OBSERVATION_FILE, JSON.stringify(withoutTexts(observation), null, 2)).catch(
      () => undefined,
    );
    return observation;
  }

  /** Once the dead are gone from the list. */
  async #lookLater(): Promise<ServerSnapshot> {
    await this.source.clock.sleep(LIST_IS_STALE_FOR, this.context.signal).catch(() => undefined);
    return this.#look();
  }

  async #look(): Promise<ServerSnapshot> {
    const timeout = AbortSignal.timeout(LOOK_WITHIN_MS);
    try {
      const signal = AbortSignal.any([this.context.signal, timeout]);
      return await takeSnapshot(this.source, signal);
    } catch (thrown) {
      if (this.context.signal.aborted) return this.#unread('the job was cancelled');
      return this.#unread(
        timeout.aborted ? `coderd did not answer within ${LOOK_WITHIN_MS / 1000} s` : messageOf(thrown),
      );
    }
  }

  /** What cannot be kept as evidence is not judged by. */
  async #keepPages(moment: 'start' | 'end', snapshot: ServerSnapshot): Promise<ServerSnapshot> {
    const pages = isUnavailable(snapshot.pages) ? [] : snapshot.pages;
    try {
      for (const [index, page] of pages.entries())
        await this.#keep(pageFile(moment, index, pages.length), page.text);
      return snapshot;
    } catch (thrown) {
      return this.#unread(messageOf(thrown));
    }
  }

  #unread(reason: string): ServerSnapshot {
    return {
      takenAt: this.source.clock.now().toISOString(),
      replicas: failed(reason),
      pages: failed(reason),
    };
  }

  async #keep(file: string, text: string): Promise<void> {
    const name = file.slice('evidence/'.length);
    await writeWholeText(`${this.context.evidenceDirectory}/${name}`, this.context.redactor.clean(text));
  }
}

/** One of several began just now: perhaps in the place of one that is dead and still listed. */
function mayBeginWithADeadOne({ replicas, takenAt }: ServerSnapshot): boolean {
  if (isUnavailable(replicas) || replicas.kind === 'single' || replicas.replicas.length < 2) return false;
  const youngest = Math.max(...replicas.replicas.map(({ createdAt }) => Date.parse(createdAt)));
  return Date.parse(takenAt) - youngest < LIST_IS_STALE_FOR;
}

/** One that began beside all that were there: either there are more now, or one of them is dead and still listed. */
function mayEndWithADeadOne(start: ServerSnapshot, end: ServerSnapshot): boolean {
  const [before, after] = [idsOf(start), idsOf(end)];
  return after.some((id) => !before.includes(id)) && before.every((id) => after.includes(id));
}

const idsOf = ({ replicas }: ServerSnapshot): readonly string[] =>
  isUnavailable(replicas) || replicas.kind === 'single' ? [] : replicas.replicas.map(({ id }) => id);

/** Below the results directory. */
const pageFile = (moment: 'start' | 'end', index: number, count: number): string =>
  `evidence/server-metrics.${moment}${count === 1 ? '' : `.${index + 1}`}.txt`;

/** The pages have files of their own. */
function withoutTexts(observation: ServerObservation): unknown {
  const described = (moment: 'start' | 'end'): unknown => {
    const { pages, ...snapshot } = observation[moment];
    if (isUnavailable(pages)) return { ...snapshot, pages };
    const describe = ({ source, answeredAt, processStart }: ServerPage, index: number): unknown => ({
      source,
      answeredAt,
      ...(processStart !== undefined && { processStart }),
      file: pageFile(moment, index, pages.length),
    });
    return { ...snapshot, pages: pages.map(describe) };
  };
  return { schema: 1, start: described('start'), end: described('end') };
}
