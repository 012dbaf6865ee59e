import { z } from 'zod';
import type { CoderApi } from './api.js';
import type { Method } from './http.js';

export interface AskedRoute {
  readonly id: string;
  readonly method: Method;
  /** With `{template}` and `{templateVersion}`. */
  readonly pattern: string;
}

/** What a router of Coder says of a path that it does not have; of an object that is not there it says something else. */
const UNKNOWN = z.object({ message: z.literal('Route not found.') });
/** Nothing is asked that could change anything, so refusals are answers too. */
const ANSWERS = [400, 403, 404, 405];
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** The ids of the routes that the server does not know: those of newer releases. */
export async function unknownRoutes(
  api: CoderApi,
  routes: readonly AskedRoute[],
  template: { readonly id: string; readonly active_version_id: string } | undefined,
): Promise<readonly string[]> {
  const unknown: string[] = [];
  for (const { id, method, pattern } of routes) {
    // Below a template that is not there every path is one that is not found, known or not.
    if (template === undefined && pattern.includes('{')) continue;
    const path = pattern
      .replace('{template}', template?.id ?? NOBODY)
      .replace('{templateVersion}', template?.active_version_id ?? NOBODY);
    const answer = await api.http.send({
      method,
      path,
      accept: ANSWERS,
      ...(method === 'POST' && { body: { checks: {} } }),
    });
    if (answer.status === 404 && UNKNOWN.safeParse(answer.body).success) unknown.push(id);
  }
  return unknown;
}
