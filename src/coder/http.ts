import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { Clock, Fetch, FetchAnswer } from '../ports.js';
import { milliseconds, type Milliseconds } from '../units.js';
import { parseUrl } from '../url.js';
import { RatePacer } from './rate-pacer.js';

const REQUEST_TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 15_000;
const LONGEST_RETRY_AFTER_MS = 90_000;
/** What OpenSSL calls a certificate that nobody known has signed. */
const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
const RETRIED_STATUSES = new Set([429, 500, 502, 503, 504]);

export type Method = 'GET' | 'POST' | 'DELETE' | 'PATCH' | 'PUT';

export interface Request {
  readonly method: Method;
  /** Below the deployment's address, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Another token than the client's own. `null`: none. */
  readonly token?: string | null;
  readonly signal?: AbortSignal;
  /** Statuses that are answers to the caller, not failures. */
  readonly accept?: readonly number[];
}

export interface Response {
  readonly status: number;
  /** The parsed JSON body; undefined where there is none. */
  readonly body: unknown;
  readonly headers: FetchAnswer['headers'];
}

/** How the deployment is reached. */
export interface Access {
  readonly fetch: Fetch;
  /** Sent to the deployment with each request, for what stands in front of it. */
  readonly headers: Readonly<Record<string, string>>;
}

const DIRECT: Access = { fetch: globalThis.fetch, headers: {} };

export type FailureKind =
  /** No answer: refused, reset, timed out. */
  | 'unreachable'
  /** An answer that is not Coder's: HTML, a redirect, another content type. */
  | 'not-coder'
  /** Coder's own error answer. */
  | 'status';

/** A call that did not succeed, with a sentence for the person who can mend it. */
export class ApiError extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly status?: number,
    /** Coder's own message, without the sentence around it. */
    readonly coderMessage?: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Whether the same call may succeed in a while: the deployment was away, busy or in trouble. */
  get mayPass(): boolean {
    return this.kind === 'unreachable' || (this.status !== undefined && RETRIED_STATUSES.has(this.status));
  }
}

/** An attempt that brought no answer of Coder's. */
interface Failure {
  readonly error: ApiError;
  /** The header, of whatever answered instead. */
  readonly retryAfter?: string | null;
}

const errorBody = z.object({
  message: z.string(),
  detail: z.string().optional(),
  validations: z.array(z.object({ field: z.string(), detail: z.string() })).nullish(),
});

/** Coder's HTTP API: bounded in time, with retries for calls that may be repeated and paced under the rate limits. */
export class CoderHttp {
  readonly #pacer = new RatePacer();

  constructor(
    readonly baseUrl: string,
    private readonly clock: Clock,
    private readonly token: string | null = null,
    readonly access: Access = DIRECT,
  ) {}

  /** The same deployment with another token. */
  withToken(token: string): CoderHttp {
    return new CoderHttp(this.baseUrl, this.clock, token, this.access);
  }

  /** @throws ApiError, or the signal's reason when it is aborted. */
  async send(request: Request): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      request.signal?.throwIfAborted();
      const path = request.path.split('?')[0] ?? request.path;
      await this.clock.sleep(this.#pacer.delay(path, this.clock.monotonic()), request.signal);
      const outcome = await this.#attempt(request);
      if ('headers' in outcome) {
        this.#pacer.observe(path, outcome.headers, this.clock.monotonic());
        if (outcome.status < 400 || request.accept?.includes(outcome.status)) return outcome;
      }
      const retry = attempt < ATTEMPTS ? retryDelay(request, outcome, attempt) : undefined;
      if (retry === undefined)
        throw 'headers' in outcome ? this.#statusError(request, outcome) : outcome.error;
      await this.clock.sleep(retry, request.signal);
    }
  }

  async #attempt(request: Request): Promise<Response | Failure> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
    const token = request.token === undefined ? this.token : request.token;
    try {
      const answer = await this.access.fetch(`${this.baseUrl}${request.path}`, {
        method: request.method,
        // A redirect would carry the token to another host.
        redirect: 'manual',
        signal,
        headers: {
          ...this.access.headers,
          Accept: 'application/json',
          'User-Agent': 'coder-scaletest-gate',
          ...(token !== null && { 'Coder-Session-Token': token }),
          ...(request.body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      });
      const text = await answer.text();
      return this.#read(request, answer, text);
    } catch (thrown) {
      if (request.signal?.aborted) throw thrown;
      const reason = timeout.aborted
        ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`
        : messageOf(thrown).replace(/^fetch failed: /, '') + adviceOn(thrown);
      const sentence = `${this.baseUrl} cannot be reached (${request.method} ${request.path}): ${reason}`;
      return { error: new ApiError('unreachable', sentence) };
    }
  }

  #read(request: Request, answer: FetchAnswer, text: string): Response | Failure {
    const { status, headers } = answer;
    if (text.trim() === '' && (status < 300 || status >= 400)) return { status, body: undefined, headers };
    const isJson = (headers.get('content-type') ?? '').includes('json');
    // The bypass header's 428 is the one plain text that Coder's API answers.
    if (status === 428 && !isJson) return { status, body: { message: text.trim() }, headers };
    try {
      if (isJson && (status < 300 || status >= 400)) return { status, body: JSON.parse(text), headers };
    } catch {
      // Falls through: announced as JSON, but none.
    }
    return {
      error: new ApiError('not-coder', this.#strangerSentence(request, status, headers), status),
      retryAfter: headers.get('retry-after'),
    };
  }

  #strangerSentence(request: Request, status: number, headers: FetchAnswer['headers']): string {
    const call = `${request.method} ${request.path}`;
    const location = headers.get('location');
    if (location !== null) {
      return `${this.baseUrl} answered ${call} with a redirect to ${parseUrl(location, this.baseUrl)?.origin ?? location}: something in front of Coder wants a sign-in (give it what lets the gate through as "extra-headers"), or "coder-url" should be that address`;
    }
    const type = (headers.get('content-type') ?? 'no content type').split(';')[0] ?? '';
    if (status < 400) {
      return `${this.baseUrl} answered ${call} with ${type} instead of JSON: "coder-url" is not a Coder deployment, or a sign-in page stands in front of it (give it what lets the gate through as "extra-headers")`;
    }
    return `${this.baseUrl} answered ${call} with ${status} and ${type}, which is not Coder's: something in front of Coder (a proxy, a firewall, a load balancer) refused the call; if it wants a header of its own, give that as "extra-headers"`;
  }

  #statusError(request: Request, response: Response): ApiError {
    const parsed = errorBody.safeParse(response.body);
    const own = parsed.success
      ? [
          parsed.data.message,
          parsed.data.detail,
          ...(parsed.data.validations ?? []).map(({ field, detail }) => `${field}: ${detail}`),
        ]
          .filter((part, index, all) => part !== undefined && part !== '' && all.indexOf(part) === index)
          .join(' ')
      : 'no message';
    return new ApiError(
      'status',
      `${request.method} ${request.path} answered ${response.status}: ${own}`,
      response.status,
      own,
    );
  }
}

/** What to do about a connection that failed for its certificate, or at a proxy. */
export function adviceOn(thrown: unknown): string {
  const { code, message } = causeOf(thrown);
  if (UNKNOWN_AUTHORITY.has(code)) return '; give the certificate of its authority as "ca-file"';
  if (code === 'CERT_HAS_EXPIRED') return '; its certificate has to be renewed';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return '; its certificate is for another name than "coder-url" has';
  if (message.includes('Tunneling'))
    return '; the proxy of HTTPS_PROXY did not let it through (is the host one for NO_PROXY?)';
  return '';
}

function causeOf(thrown: unknown): { code: string; message: string } {
  let deepest = thrown;
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause;
  const code = deepest instanceof Error && 'code' in deepest ? String(deepest.code) : '';
  return { code, message: deepest instanceof Error ? deepest.message : '' };
}

/** How long to wait before the next attempt; undefined when the call is not to be repeated. */
function retryDelay(
  { method }: Request,
  outcome: Response | Failure,
  attempt: number,
): Milliseconds | undefined {
  const isRepeatable = method === 'GET' || method === 'DELETE' || method === 'PUT';
  const { status, mayPass } =
    'headers' in outcome
      ? { status: outcome.status, mayPass: RETRIED_STATUSES.has(outcome.status) }
      : outcome.error;
  // A throttled call was not carried out, so it may be repeated whatever its method.
  if (!mayPass || (!isRepeatable && status !== 429)) return undefined;
  const seconds = Number('headers' in outcome ? outcome.headers.get('retry-after') : outcome.retryAfter);
  if (seconds > 0) return milliseconds(Math.min(LONGEST_RETRY_AFTER_MS, seconds * 1000));
  const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1)) * (0.5 + Math.random());
  return milliseconds(backoff);
}
