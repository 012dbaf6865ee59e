/** How the API answers: bodies, errors and their fixed texts. */

export interface Answer {
  status: number;
  /** Sent as JSON; `undefined` sends no body. */
  body?: unknown;
  /** Sent as it is, with `contentType`. */
  text?: string;
  contentType?: string;
  headers?: Record<string, string>;
}

export interface Validation {
  field: string;
  detail: string;
}

/** Thrown by a handler to answer with an error body. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly detail = '',
    readonly validations: Validation[] = [],
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }

  answer(): Answer {
    return {
      status: this.status,
      headers: this.headers,
      body: {
        message: this.message,
        detail: this.detail === '' ? undefined : this.detail,
        validations: this.validations.length === 0 ? undefined : this.validations,
      },
    };
  }
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export function notFound(): ApiError {
  return new ApiError(404, 'Resource not found or you do not have access to this resource');
}

export function routeNotFound(): ApiError {
  return new ApiError(404, 'Route not found.');
}

export function forbidden(): ApiError {
  return new ApiError(
    403,
    'Forbidden.',
    "You don't have permission to view this content. If you believe this is a mistake, please contact your administrator or try signing in with different credentials.",
  );
}

export function alreadyInUse(message: string): ApiError {
  return new ApiError(409, message, '', [
    { field: 'name', detail: 'This value is already in use and should be unique.' },
  ]);
}

export function validationFailed(validations: Validation[]): ApiError {
  return new ApiError(400, 'Validation failed.', '', validations);
}

export function failedTag(field: string, tag: string, value: unknown): Validation {
  return { field, detail: `Validation failed for tag "${tag}" with value: "${String(value)}"` };
}
