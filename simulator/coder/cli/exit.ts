/** How the CLI ends. */

/** Ends the process with a message on stderr, as the real CLI prints it. */
export class CliFailure extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** An error inside of a command's handler: the usual two lines. */
export function commandFailure(path: string, message: string): CliFailure {
  return new CliFailure(
    `Encountered an error running "${path}", see "${path} --help" for more information\nerror: ${message}`,
  );
}
