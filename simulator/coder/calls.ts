import type { IncomingMessage } from 'node:http';
import { type Answer, ApiError, notFound, validationFailed } from './answers.js';
import type { Deployment } from './deployment.js';
import type { Token, User } from './state.js';

export interface Caller {
  user: User;
  token: Token;
}

/** One request on its way through a handler. */
export interface Call {
  deployment: Deployment;
  request: IncomingMessage;
  method: string;
  path: string;
  query: URLSearchParams;
  params: Record<string, string>;
  /** The route's pattern: the label of the metrics. */
  route: string;
  rawBody: string;
  caller: Caller;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`route ${call.route} has no parameter ${name}`);
  return value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

export function uuidParam(call: Call, name: string): string {
  const value = param(call, name);
  if (isUuid(value)) return value.toLowerCase();
  const why = value.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${value.length}`;
  throw new ApiError(400, `Invalid UUID "${value}".`, why);
}

/** What Go's decoder says about text that is no JSON; the cases that callers produce. */
function goSyntaxError(text: string): string {
  const trimmed = text.trimStart();
  const first = trimmed.charAt(0);
  if (first === '') return 'EOF';
  if (first === '{') {
    const next = trimmed.slice(1).trimStart().charAt(0);
    if (next === '') return 'unexpected EOF';
    if (next !== '"') return `invalid character '${next}' looking for beginning of object key string`;
    return 'unexpected EOF';
  }
  return `invalid character '${first}' looking for beginning of value`;
}

export function jsonBody(call: Call): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(call.rawBody);
  } catch {
    throw new ApiError(400, 'Request body must be valid JSON.', goSyntaxError(call.rawBody));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ApiError(400, 'Request body must be valid JSON.', 'json: cannot unmarshal into Go value');
  }
  return { ...parsed };
}

export function textField(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw new ApiError(
    400,
    'Request body must be valid JSON.',
    `json: cannot unmarshal ${typeof value} into Go struct field .${name} of type string`,
  );
}

export function requireFields(body: Record<string, unknown>, names: string[]): void {
  const missing = names.filter((name) => textField(body, name) === '');
  if (missing.length === 0) return;
  throw validationFailed(
    missing.map((field) => ({ field, detail: `Validation failed for tag "required" with value: ""` })),
  );
}

/** `limit` and `offset` of a listing; 0 means everything. */
export function paging(call: Call, defaultLimit = 0): { limit: number; offset: number } {
  const read = (name: string, fallback: number): number => {
    const text = call.query.get(name);
    if (text === null || text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    const why = Number.isInteger(value)
      ? 'value is negative'
      : `strconv.ParseInt: parsing "${text}": invalid syntax`;
    throw new ApiError(400, 'Query parameters have invalid values.', '', [
      { field: name, detail: `Query param "${name}" must be a valid 32-bit positive integer: ${why}` },
    ]);
  };
  return { limit: read('limit', defaultLimit), offset: read('offset', 0) };
}

export function page<Item>(items: Item[], { limit, offset }: { limit: number; offset: number }): Item[] {
  return items.slice(offset, limit === 0 ? undefined : offset + limit);
}

/** Resolves `me`, an id or a name, as far as the caller may know. */
export function findUser(call: Call, text: string): User {
  const { deployment, caller } = call;
  const { state } = deployment;
  const found =
    text === 'me' ? caller.user : isUuid(text) ? state.users.get(text.toLowerCase()) : state.userByName(text);
  if (found !== undefined && (found.id === caller.user.id || deployment.isOwner(caller.user))) return found;
  if (deployment.traits.unknownUserIs404) throw notFound();
  throw unknownUser(text);
}

export function unknownUser(text: string): ApiError {
  return new ApiError(400, '"user" must be an existing uuid or username.', `queried user="${text}"`);
}

/** The only organization answers to its id, its name and `default`. */
export function requireOrganization(call: Call, text: string): void {
  const { organization, options } = call.deployment;
  const known = [organization.id, options.organizationName.toLowerCase(), 'default'];
  if (!known.includes(text.toLowerCase())) throw notFound();
}
