import type { z } from 'zod';
import { ApiError, type CoderHttp, type Request } from './http.js';

export interface TypedAnswer<T> {
  readonly value: T;
  readonly status: number;
  /** The server's clock, to whole seconds. */
  readonly date: Date | undefined;
}

/** A call whose answer has to have Coder's shape. Throws ApiError. */
export async function typedCall<T>(
  http: CoderHttp,
  request: Request,
  schema: z.ZodType<T>,
): Promise<TypedAnswer<T>> {
  const response = await http.send(request);
  const parsed = schema.safeParse(response.body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where =
      issue && issue.path.length > 0 ? ` (at ${issue.path.map(String).join('.')}: ${issue.message})` : '';
    throw new ApiError(
      'not-coder',
      `${request.method} ${request.path} answered something that is not Coder's shape${where}`,
      response.status,
    );
  }
  const date = response.headers.get('date');
  return { value: parsed.data, status: response.status, date: date === null ? undefined : new Date(date) };
}
