import type { IncomingMessage } from 'node:http';
import { ApiError } from './answers.js';
import type { Caller } from './calls.js';
import { now, rfc3339 } from './clock.js';
import type { Deployment } from './deployment.js';

const ID_LENGTH = 10;
const SECRET_LENGTH = 22;
const HOUR = 3_600_000;
const COOKIE = 'coder_session_token';

function cookieOf(request: IncomingMessage): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1] ?? '';
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** The token text in the order in which the real server looks for it. */
export function tokenText(request: IncomingMessage, query: URLSearchParams): string {
  const bearer = /^Bearer (.+)$/i.exec(headerOf(request, 'authorization'))?.[1] ?? '';
  const places = [
    cookieOf(request),
    query.get(COOKIE) ?? '',
    headerOf(request, 'coder-session-token'),
    bearer,
    query.get('access_token') ?? '',
  ];
  return places.find((text) => text !== '') ?? '';
}

/** Why a token text is refused, in the server's words; null when it is good. */
function refusal(deployment: Deployment, text: string): string | null {
  if (text === '') return `Cookie "${COOKIE}" or query parameter must be provided.`;
  const parts = text.split('-');
  const [id = '', secret = ''] = parts;
  const wrong = 'Invalid API key format: ';
  if (parts.length !== 2) return `${wrong}incorrect amount of API key parts, expected 2 got ${parts.length}`;
  if (id.length !== ID_LENGTH)
    return `${wrong}invalid API key ID length, expected ${ID_LENGTH} got ${id.length}`;
  if (secret.length !== SECRET_LENGTH) {
    return `${wrong}invalid API key secret length, expected ${SECRET_LENGTH} got ${secret.length}`;
  }
  const token = deployment.state.tokens.get(id);
  if (token === undefined) return 'API key is invalid.';
  if (token.secret !== secret) return 'API key secret is invalid.';
  const expiry = deployment.expiryOf(token);
  if (expiry < now()) {
    return `API key expired at "${rfc3339(expiry).replace('T', ' ').replace('Z', ' +0000 UTC')}".`;
  }
  return null;
}

function signedOut(deployment: Deployment, detail: string): ApiError {
  const resource = `${deployment.url}/.well-known/oauth-protected-resource`;
  const challenge = `Bearer realm="coder", error="invalid_token", error_description="The access token has expired", resource_metadata="${resource}"`;
  return new ApiError(
    401,
    'You are signed out or your session has expired. Please sign in again to continue.',
    detail,
    [],
    deployment.traits.wwwAuthenticate ? { 'Www-Authenticate': challenge } : {},
  );
}

/** Who is calling; an error says why nobody is. Marks the token as used and wakes a dormant user. */
export function authenticate(deployment: Deployment, text: string): Caller | ApiError {
  const detail = refusal(deployment, text);
  if (detail !== null) return signedOut(deployment, detail);
  const token = deployment.state.tokens.get(text.slice(0, ID_LENGTH));
  const user = token === undefined ? undefined : deployment.state.users.get(token.userId);
  if (token === undefined || user === undefined || user.deleted)
    return signedOut(deployment, 'API key is invalid.');
  if (user.status === 'suspended') {
    const contact = 'Contact an admin to reactivate your account.';
    return new ApiError(401, `User is not active (status = "suspended"). ${contact}`);
  }
  touch(deployment, { user, token });
  return { user, token };
}

function touch(deployment: Deployment, { user, token }: Caller): void {
  const time = now();
  if (token.lastUsedAt === null || time - token.lastUsedAt > HOUR) token.lastUsedAt = time;
  const lifetime = token.lifetimeSeconds * 1000;
  const mayProlong = deployment.traits.prolongsTokens || token.loginType === 'password';
  if (mayProlong && lifetime > HOUR && token.expiresAt - time <= lifetime - HOUR) {
    token.expiresAt = time + lifetime;
    token.updatedAt = time;
  }
  if (user.lastSeenAt === null || time - user.lastSeenAt > HOUR || user.status === 'dormant') {
    user.status = 'active';
    user.lastSeenAt = time;
    user.updatedAt = time;
  }
}
