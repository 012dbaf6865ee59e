import type { Log } from '../ports.js';
import { seconds, type Seconds } from '../units.js';
import { namedToken, newKey, tokenConfig, tokenList, type NamedToken } from './api-schemas.js';
import { ApiError, type CoderHttp } from './http.js';
import { keyIdOf } from './identity.js';
import { typedCall } from './typed-call.js';

const TOKENS = '/api/v2/users/me/keys/tokens';
const NANOSECONDS = 1_000_000_000;

/**
 * API tokens of the signed-in user as marks with a name and an end: they are never used to sign in, so no server
 * prolongs them, and their values are thrown away as soon as they come. Everything throws ApiError.
 */
export class OwnTokens {
  constructor(
    private readonly http: CoderHttp,
    private readonly log: Log,
  ) {}

  /**
   * Makes a token; its name is unique among the user's, also among the expired ones.
   * @returns its key's id, or undefined when the name is taken.
   */
  async create(name: string, lifetime: Seconds, signal?: AbortSignal): Promise<string | undefined> {
    const body = { lifetime: Math.round(lifetime) * NANOSECONDS, scope: 'all', token_name: name };
    try {
      const answer = await typedCall(
        this.http,
        { method: 'POST', path: TOKENS, body, ...(signal && { signal }) },
        newKey,
      );
      this.log.mask(answer.value.key);
      return keyIdOf(answer.value.key);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 409) return undefined;
      throw thrown;
    }
  }

  /** How long a token of this user may live; owners are held shorter since v2.24. */
  async longestLifetime(signal?: AbortSignal): Promise<Seconds> {
    const answer = await typedCall(
      this.http,
      { method: 'GET', path: `${TOKENS}/tokenconfig`, ...(signal && { signal }) },
      tokenConfig,
    );
    return seconds(answer.value.max_token_lifetime / NANOSECONDS);
  }

  /**
   * The tokens, also the expired ones, which newer servers hide unless they are asked for. Of everybody: as far as the
   * user may see them, which an owner may.
   */
  async list(
    whose: 'own' | 'everybody',
    signal?: AbortSignal,
  ): Promise<{ readonly tokens: readonly NamedToken[]; readonly serverTime: Date | undefined }> {
    const query = `include_expired=true${whose === 'everybody' ? '&include_all=true' : ''}`;
    const answer = await typedCall(
      this.http,
      { method: 'GET', path: `${TOKENS}?${query}`, ...(signal && { signal }) },
      tokenList,
    );
    return { tokens: answer.value, serverTime: answer.date };
  }

  /** The id of the key behind a name; undefined when there is none. */
  async idOf(name: string, signal?: AbortSignal): Promise<string | undefined> {
    const path = `${TOKENS}/${encodeURIComponent(name)}`;
    try {
      return (await typedCall(this.http, { method: 'GET', path, ...(signal && { signal }) }, namedToken))
        .value.id;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.kind === 'status' && thrown.status === 404) return undefined;
      throw thrown;
    }
  }

  /** Takes a token back by its key's id; that it is gone already is fine. */
  async revoke(keyId: string, signal?: AbortSignal): Promise<void> {
    const path = `/api/v2/users/me/keys/${encodeURIComponent(keyId)}`;
    await this.http.send({ method: 'DELETE', path, accept: [404], ...(signal && { signal }) });
  }
}
