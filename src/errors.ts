/** A place in a file of the user's, 1-based, for annotations. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One mistake of the person who configures the gate: a sentence that says what to do. */
export interface Mistake {
  readonly message: string;
  readonly location?: SourceLocation;
}

/** Inputs or config that cannot be used. Carries every mistake that was found, not only the first. */
export class ConfigurationError extends Error {
  constructor(readonly mistakes: readonly Mistake[]) {
    super(mistakes.map((mistake) => mistake.message).join('\n'));
    this.name = 'ConfigurationError';
  }
}

/** The job was cancelled, by a signal of the runner. After SIGTERM it kills in 2.5 seconds, after SIGINT in 10. */
export class Cancelled extends Error {
  constructor(readonly signal: 'SIGINT' | 'SIGTERM') {
    super(`the job was cancelled (${signal})`);
    this.name = 'Cancelled';
  }
}

/** The text of anything that was thrown, with the causes that it names. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // Some libraries leave the message empty.
  const message = thrown.message === '' ? thrown.name : thrown.message;
  const cause = thrown.cause === undefined ? '' : causeText(thrown.cause);
  return cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node reports a refused connection to a name with several addresses as an AggregateError without a message.
  if (cause instanceof AggregateError && cause.message === '') return messageOf(cause.errors[0]);
  return messageOf(cause);
}
