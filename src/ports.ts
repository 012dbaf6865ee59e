import type { SourceLocation } from './errors.js';
import type { Milliseconds } from './units.js';

/** The interfaces through which the outside world is reached. `github/` and `system.ts` implement them. */

export interface Annotation {
  readonly title?: string;
  readonly location?: SourceLocation;
}

export interface Log {
  info(message: string): void;
  debug(message: string): void;
  notice(message: string, annotation?: Annotation): void;
  warning(message: string, annotation?: Annotation): void;
  error(message: string, annotation?: Annotation): void;
  /** Puts everything that is logged in the meantime into a fold of the job log. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** From now on the runner shows the value as `***`. */
  mask(secret: string): void;
}

/** The certificate authorities that this process trusts, as PEM. */
export interface Authorities {
  /** From here on these too: by calls, load and downloads. False where it cannot be done. */
  trust(pem: string): boolean;
  /** All of them, for children. */
  all(): string;
}

/** What the gate needs of an answer. */
export interface FetchAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export interface FetchRequest {
  readonly method?: string;
  readonly redirect?: 'manual' | 'follow' | 'error';
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One HTTP call, through whatever proxies the environment names. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>;

export interface Clock {
  now(): Date;
  /** Milliseconds on a clock that is never set back. */
  monotonic(): Milliseconds;
  /** @throws the signal's reason when it is aborted first. */
  sleep(duration: Milliseconds, signal?: AbortSignal): Promise<void>;
}

/** What the step tells the job: outputs, summary, red or green. */
export interface StepResult {
  setOutput(name: string, value: string): void;
  writeSummary(markdown: string): Promise<void>;
  fail(): void;
}

/** Values that main leaves for post. Never secrets. */
export interface StepState {
  /** @throws when it cannot be written: then what post would have to undo must not be done. */
  save(name: string, value: string): void;
  /** Takes a value back. When that cannot be written, post looks once more, and finds nothing to do. */
  clear(name: string): void;
  read(name: string): string;
}

export interface UploadedArtifact {
  readonly id: string;
  readonly url: string;
}

export interface ArtifactStore {
  /** @throws when the service refuses or is not there (GHES). */
  upload(artifact: {
    name: string;
    directory: string;
    files: readonly string[];
    retentionDays?: number;
  }): Promise<UploadedArtifact>;
}

export interface ToolCache {
  /** The folder of a tool that was cached before, or undefined. */
  find(tool: string, version: string): string | undefined;
  /** Downloads to a temporary file and gives its path. */
  download(url: string): Promise<string>;
  extract(archive: string, kind: 'tar.gz' | 'zip'): Promise<string>;
  store(directory: string, tool: string, version: string): Promise<string>;
}

export interface ShortCommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs commands that end by themselves in a moment (`coder version`), without a shell. */
export type RunShortCommand = (
  executable: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
) => Promise<ShortCommandResult>;
