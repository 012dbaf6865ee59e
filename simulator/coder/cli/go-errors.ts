/** Errors as Go prints them with all detail: a message, where it was wrapped, and what it wraps. */

export interface Frame {
  /** `scaletest/createworkspaces.(*Runner).Run` */
  caller: string;
  /** `scaletest/createworkspaces/run.go:98` */
  place: string;
}

const MODULE = 'github.com/coder/coder/v2/';
const SOURCES = '/home/runner/work/coder/coder/';

/** An error of the CLI. The first in a chain is the outermost. */
export class GoError extends Error {
  constructor(
    message: string,
    readonly frame: Frame | null = null,
    readonly wrapped: GoError | null = null,
  ) {
    super(message);
  }

  /** `%v`: the messages in one line. */
  short(): string {
    return this.wrapped === null ? this.message : `${this.message}: ${this.wrapped.short()}`;
  }

  /** `%+v`: each message with its frame, separated by `  - `. */
  long(): string {
    const head =
      this.frame === null
        ? this.message
        : `${this.message}:\n    ${MODULE}${this.frame.caller}\n        ${SOURCES}${this.frame.place}`;
    return this.wrapped === null ? head : `${head}\n  - ${this.wrapped.long()}`;
  }
}

/** An answer of the server that is not what was asked for. */
export class ApiAnswerError extends GoError {
  constructor(
    readonly status: number,
    /** The server's own sentence. */
    readonly sentence: string,
    readonly helper: string,
    text: string,
  ) {
    super(text);
  }
}

export function deadlineExceeded(): GoError {
  return new GoError('context deadline exceeded');
}

export function asGoError(error: unknown): GoError {
  if (error instanceof GoError) return error;
  return new GoError(error instanceof Error ? error.message : String(error));
}
