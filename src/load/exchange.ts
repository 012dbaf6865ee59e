import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

/** One request and its answer over a user's own connections, with the times that matter. */

/** What a browser opens to one host over HTTP/1.1. */
export const CONNECTIONS_PER_USER = 6;

export interface Deployment {
  readonly url: URL;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Variables that name proxies; empty: none is used. */
  readonly proxies: Readonly<Record<string, string>>;
  /** PEM of further certificate authorities. */
  readonly ca?: string;
}

export type Outcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly contentType: string;
      /** Of the rate limiter; undefined where it is off. */
      readonly limit?: number;
      readonly remaining?: number;
    }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'network'; readonly code: string };

export interface ExchangeTimes {
  /** When the request had an open connection; undefined when it never had. `performance.now()`. */
  readonly connectedAt: number | undefined;
  readonly endedAt: number;
  readonly resent: boolean;
}

export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body?: string;
  readonly timeoutMs: number;
}

export type Done = (outcome: Outcome, times: ExchangeTimes) => void;

/** The keep-alive connections of one user. */
export class Connections {
  readonly #agent: http.Agent;
  readonly #base: http.RequestOptions;
  readonly #isTls: boolean;

  constructor(deployment: Deployment, maxSockets = CONNECTIONS_PER_USER) {
    this.#isTls = deployment.url.protocol === 'https:';
    this.#agent = agentFor(deployment, { keepAlive: true, maxSockets, maxFreeSockets: maxSockets });
    this.#base = { ...addressOf(deployment.url), agent: this.#agent };
  }

  /** Sends now, or when one of the connections is free. Gives a function that ends it without a word. */
  send(request: ExchangeRequest, done: Done): () => void {
    const { method, path, headers } = request;
    const options = { ...this.#base, method, path, headers };
    const exchange = new Exchange(request, done, () =>
      this.#isTls ? https.request(options) : http.request(options),
    );
    exchange.begin();
    return () => exchange.drop();
  }

  close(): void {
    this.#agent.destroy();
  }
}

class Exchange {
  #request: http.ClientRequest | undefined;
  #connectedAt: number | undefined;
  #isOver = false;
  #resent = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly wanted: ExchangeRequest,
    private readonly done: Done,
    private readonly open: () => http.ClientRequest,
  ) {
    this.#timer = setTimeout(() => this.#end({ kind: 'timeout' }), wanted.timeoutMs);
  }

  begin(): void {
    const request = this.open();
    this.#request = request;
    request.on('socket', (socket) => {
      const connected = (): void => {
        this.#connectedAt = performance.now();
      };
      if (!socket.connecting) connected();
      else socket.once(socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect', connected);
    });
    request.on('response', (response) => this.#read(response));
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#isOver || request !== this.#request) return;
      if (request.reusedSocket && isConnectionLost(error)) {
        // The server closed the idle connection just then. Browsers ask again at once, and so does this. Each time one
        // dead connection fewer is left, so it ends with a new one at the latest.
        this.#resent = true;
        this.begin();
        return;
      }
      this.#end({ kind: 'network', code: error.code ?? error.message });
    });
    request.end(this.wanted.body);
  }

  /** Ends it without telling anyone. */
  drop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  #read(response: http.IncomingMessage): void {
    response.on('end', () => {
      const { statusCode = 0, headers } = response;
      const limit = Number(headers['x-ratelimit-limit'] ?? Number.NaN);
      const remaining = Number(headers['x-ratelimit-remaining'] ?? Number.NaN);
      const hasLimit = limit > 0 && remaining >= 0;
      this.#end({
        kind: 'answer',
        status: statusCode,
        contentType: headers['content-type'] ?? '',
        ...(hasLimit && { limit, remaining }),
      });
    });
    response.on('error', (error: NodeJS.ErrnoException) =>
      this.#end({ kind: 'network', code: error.code ?? error.message }),
    );
    response.resume();
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    const endedAt = performance.now();
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (outcome.kind !== 'answer') this.#request?.destroy();
    this.done(outcome, { connectedAt: this.#connectedAt, endedAt, resent: this.#resent });
  }
}

const isConnectionLost = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'ECONNRESET' || code === 'EPIPE';

export function addressOf(url: URL): http.RequestOptions {
  // A literal IPv6 address stands in brackets in an URL and without them everywhere else.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { protocol: url.protocol, hostname, ...(url.port !== '' && { port: Number(url.port) }) };
}

/** Node's agents go through a proxy since 24.5. */
export function agentFor(deployment: Deployment, options: http.AgentOptions): http.Agent {
  const { proxies, url } = deployment;
  const all = { ...options, ...(Object.keys(proxies).length > 0 && { proxyEnv: proxies }) };
  return url.protocol === 'https:'
    ? new https.Agent({ ...all, ...authorities(deployment) })
    : new http.Agent(all);
}

/** Own authorities beside the usual ones, not instead of them. */
const authorities = ({ ca }: Deployment): https.AgentOptions =>
  ca === undefined ? {} : { ca: [...tls.rootCertificates, ca] };
