import { alreadyInUse, type Answer, ApiError, created, notFound, ok } from '../answers.js';
import { type Call, findUser, jsonBody, param, textField } from '../calls.js';
import { now } from '../clock.js';
import type { Deployment } from '../deployment.js';
import type { Router } from '../router.js';
import type { Token, User } from '../state.js';
import { tokenJson } from '../wire/users.js';

const NANOSECONDS = 1e9;
const DEFAULT_LIFETIME_SECONDS = 168 * 3600;
/** About a hundred years, as Go counts them. */
export const MAX_LIFETIME_SECONDS = 876_600 * 3600;
const MAX_LIFETIME_NANOSECONDS_TEXT = '3155760000000000000';
const OLD_OWNER_DEFAULT_SECONDS = 168 * 3600;

/** What a token of this user may live at most; owners are held shorter since v2.24. */
function lifetimeLimit(deployment: Deployment, user: User): number {
  const { traits, options } = deployment;
  return traits.adminTokenLimit && deployment.isOwner(user)
    ? options.maxAdminTokenLifetimeSeconds
    : MAX_LIFETIME_SECONDS;
}

function goHours(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours > 0) return `${hours}h${minutes}m${seconds % 60}s`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

function requestedLifetime(deployment: Deployment, user: User, body: Record<string, unknown>): number {
  const nanoseconds = typeof body.lifetime === 'number' ? body.lifetime : 0;
  const limit = lifetimeLimit(deployment, user);
  if (nanoseconds === 0) return Math.min(DEFAULT_LIFETIME_SECONDS, limit);
  const refuse = (detail: string): ApiError =>
    new ApiError(400, 'Failed to validate create API key request.', detail);
  if (nanoseconds < 0) throw refuse('lifetime must be positive number greater than 0');
  const seconds = nanoseconds / NANOSECONDS;
  if (seconds > limit) {
    const text = deployment.traits.adminTokenLimit ? goHours(limit) : MAX_LIFETIME_NANOSECONDS_TEXT;
    throw refuse(`lifetime must be less than ${text}`);
  }
  return seconds;
}

function tokensOf(deployment: Deployment, user: User): Token[] {
  return [...deployment.state.tokens.values()].filter(
    (token) => token.userId === user.id && token.loginType === 'token',
  );
}

function createToken(call: Call): Answer {
  const { deployment } = call;
  const user = findUser(call, param(call, 'user'));
  const body = jsonBody(call);
  const lifetimeSeconds = requestedLifetime(deployment, user, body);
  const name = textField(body, 'token_name');
  const scope = textField(body, 'scope');
  if (!['', 'all', 'application_connect'].includes(scope)) {
    throw new ApiError(
      deployment.traits.modernKeys ? 400 : 500,
      'Failed to create API key.',
      `invalid API key scope: "${scope}"`,
    );
  }
  if (name !== '' && tokensOf(deployment, user).some((token) => token.name === name)) {
    throw alreadyInUse(`A token with name "${name}" already exists.`);
  }
  const token = deployment.addToken({
    userId: user.id,
    name: name === '' ? `hopeful_${deployment.random.alphanumeric(6).toLowerCase()}` : name,
    loginType: 'token',
    lifetimeSeconds,
  });
  return created({ key: `${token.id}-${token.secret}` });
}

function listTokens(call: Call): Answer {
  const { deployment, caller } = call;
  const user = findUser(call, param(call, 'user'));
  const everybody = call.query.get('include_all') === 'true' && deployment.isOwner(caller.user);
  const withExpired = !deployment.traits.hidesExpiredTokens || call.query.get('include_expired') === 'true';
  const owners = everybody ? [...deployment.state.users.values()] : [user];
  const rows = owners.flatMap((owner) =>
    tokensOf(deployment, owner)
      .filter((token) => withExpired || deployment.expiryOf(token) > now())
      .map((token) => ({ ...tokenJson(deployment, token), username: owner.username })),
  );
  return ok(rows.length === 0 ? null : rows);
}

function readTokenByName(call: Call): Answer {
  const user = findUser(call, param(call, 'user'));
  const name = param(call, 'keyname');
  const token = tokensOf(call.deployment, user).find((candidate) => candidate.name === name);
  if (token === undefined) throw notFound();
  return ok(tokenJson(call.deployment, token));
}

function findKey(call: Call): Token {
  findUser(call, param(call, 'user'));
  const { deployment, caller } = call;
  const token = deployment.state.tokens.get(param(call, 'keyid'));
  const mayKnow = token !== undefined && (token.userId === caller.user.id || deployment.isOwner(caller.user));
  if (!mayKnow) throw notFound();
  return token;
}

function deleteKey(call: Call): Answer {
  call.deployment.state.tokens.delete(findKey(call).id);
  return { status: 204 };
}

function expireKey(call: Call): Answer {
  const token = findKey(call);
  token.expiresAt = Math.min(token.expiresAt, now());
  return { status: 204 };
}

function tokenConfig(call: Call): Answer {
  const user = findUser(call, param(call, 'user'));
  return ok({ max_token_lifetime: lifetimeLimit(call.deployment, user) * NANOSECONDS });
}

/** `POST …/keys`: a key like that of a session, but of seven days. */
function createSessionKey(call: Call): Answer {
  const user = findUser(call, param(call, 'user'));
  const token = call.deployment.addToken({
    userId: user.id,
    name: '',
    loginType: 'password',
    lifetimeSeconds: OLD_OWNER_DEFAULT_SECONDS,
  });
  return created({ key: `${token.id}-${token.secret}` });
}

export function addTokenRoutes(router: Router): void {
  const keys = '/api/v2/users/{user}/keys';
  router.add(`POST ${keys}`, createSessionKey, { slash: true });
  router.add(`GET ${keys}/tokens`, listTokens, { slash: true });
  router.add(`POST ${keys}/tokens`, createToken, { slash: true });
  router.add(`GET ${keys}/tokens/tokenconfig`, tokenConfig);
  router.add(`GET ${keys}/tokens/{keyname}`, readTokenByName, { slash: true });
  router.add(`GET ${keys}/{keyid}`, (call) => ok(tokenJson(call.deployment, findKey(call))), { slash: true });
  router.add(`DELETE ${keys}/{keyid}`, deleteKey, { slash: true });
  router.add(`PUT ${keys}/{keyid}/expire`, expireKey);
}
