import type { Credential } from '../inputs.js';
import type { Log } from '../ports.js';
import type { CoderApi } from './api.js';
import { ApiError } from './http.js';

/** A signed-in user: the API with its token, and the token for the children. */
export interface Identity {
  readonly api: CoderApi;
  readonly token: string;
  /** The id of the session that this run began, which is no secret; absent with a given token. */
  readonly sessionId?: string;
  /** Ends that session; a given token stays. */
  signOut(signal?: AbortSignal): Promise<void>;
}

/**
 * Takes the given token, or signs in afresh.
 * @throws ApiError with what to do.
 */
export async function establishIdentity(
  anonymous: CoderApi,
  credential: Credential,
  log: Log,
): Promise<Identity> {
  if (credential.kind === 'token') {
    log.mask(credential.token);
    return {
      api: anonymous.withToken(credential.token),
      token: credential.token,
      signOut: () => Promise.resolve(),
    };
  }
  log.mask(credential.password);
  const token = await signIn(anonymous, credential);
  log.mask(token);
  const api = anonymous.withToken(token);
  return { api, token, sessionId: keyIdOf(token), signOut: (signal) => api.signOut(signal) };
}

async function signIn(anonymous: CoderApi, credential: { email: string; password: string }): Promise<string> {
  try {
    return await anonymous.signIn(credential.email, credential.password);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.kind !== 'status') throw thrown;
    throw new ApiError(
      'status',
      `signing in with "coder-email" and "coder-password" failed: ${thrown.coderMessage ?? thrown.message} Give an owner's password login, or a token`,
      thrown.status,
    );
  }
}

/** The id of the key behind a token. */
export const keyIdOf = (token: string): string => token.slice(0, 10);
