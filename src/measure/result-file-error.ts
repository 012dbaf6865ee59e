/** A result file that cannot be read; `truncated` tells a file that ends in the middle from one that is something else. */
export class ResultFileError extends Error {
  constructor(
    message: string,
    readonly truncated = false,
  ) {
    super(message);
  }
}
