import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, ApiError, routeNotFound } from './answers.js';
import { authenticate, tokenText } from './authentication.js';
import { type Call, type Caller } from './calls.js';
import type { Deployment } from './deployment.js';
import { goJson } from './go-json.js';
import { defaultCliBehaviour } from './options.js';
import { applyLimit, type LimitedRequest, RateLimiter } from './rate-limits.js';
import type { Router } from './router.js';
import { baseHeaders, JSON_TYPE, loadDelay, type Target, targetOf } from './conventions.js';
import { SocketHandling } from './socket-handling.js';
import { apiRoutes } from './routes/all.js';

const SITE =
  '<!doctype html><html><head><title>Coder</title></head><body><div id="root"></div></body></html>\n';
const PROXY_PAGE =
  '<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>\n';
const HTML = 'text/html; charset=utf-8';
const API = /^\/api\/(v2|experimental)(\/|$)/;
export const BEHAVIOUR_PATH = '/simulator/cli-behaviour';

/** 502, 503 and 504 come from load balancers, as pages; the rest from Coder. */
function orderedAnswer(status: number): Answer {
  if ([502, 503, 504].includes(status)) {
    return { status, text: `<html><body><h1>${status}</h1></body></html>\n`, contentType: HTML };
  }
  const message = status >= 500 ? 'An internal server error occurred.' : `Status ${status} by order.`;
  return { status, body: { message } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The way of a request: switches, latency, limits, route, authentication, handler, answer. */
export class RequestHandling {
  readonly #deployment: Deployment;
  readonly #apiLimiter = new RateLimiter();
  readonly #loginLimiter = new RateLimiter();
  readonly #router: Router;
  readonly sockets: SocketHandling;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#router = apiRoutes(deployment.options.version);
    this.sockets = new SocketHandling(deployment, this.#apiLimiter);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request);
    if (target.path === BEHAVIOUR_PATH) {
      this.#send(
        response,
        { status: 200, body: { ...defaultCliBehaviour, ...this.#deployment.options.cli } },
        {},
      );
      return;
    }
    const body = await readBody(request).catch(() => null);
    if (body === null || this.#deployment.options.apiDown) {
      request.socket.destroy();
      return;
    }
    await this.#measured(request, response, target, body);
  }

  async #measured(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    body: string,
  ): Promise<void> {
    const { state } = this.#deployment;
    const { method } = target;
    const route = this.#routeLabel(target);
    const begin = performance.now();
    const { metrics } = this.#deployment.replicas.of(request.socket);
    metrics.begin(method, route);
    state.requestCounts.set(`${method} ${route}`, (state.requestCounts.get(`${method} ${route}`) ?? 0) + 1);
    const restartIsDue = this.#isLastBeforeRestart(`${method} ${route}`);
    state.inFlight += 1;
    state.peakInFlight = Math.max(state.peakInFlight, state.inFlight);
    let result: { answer: Answer; headers: Record<string, string> };
    try {
      await loadDelay(this.#deployment);
      result = await this.#produce(request, target, body, route);
    } finally {
      state.inFlight -= 1;
    }
    const { status } = result.answer;
    const answered = `${method} ${route} ${status}`;
    state.answerCounts.set(answered, (state.answerCounts.get(answered) ?? 0) + 1);
    metrics.end(method, route, status, (performance.now() - begin) / 1000);
    if (restartIsDue) this.#deployment.replicas.restart();
    this.#send(response, result.answer, result.headers);
  }

  /** Of the request that has just come. */
  #isLastBeforeRestart(request: string): boolean {
    const { options, state } = this.#deployment;
    const due = options.restartAfter;
    return request === due?.request && state.requestCounts.get(request) === due.count;
  }

  #routeLabel({ method, path }: Target): string {
    if (path === '/healthz' || path === '/latency-check') return path;
    if (!API.test(path)) return 'STATIC';
    const lookup = this.#router.lookup(method, path);
    if (lookup === null) return 'UNKNOWN';
    return 'found' in lookup ? lookup.found.route.pattern : 'UNKNOWN';
  }

  async #produce(
    request: IncomingMessage,
    target: Target,
    body: string,
    route: string,
  ): Promise<{ answer: Answer; headers: Record<string, string> }> {
    const { options } = this.#deployment;
    if (options.answerHtml) return { answer: { status: 200, text: SITE, contentType: HTML }, headers: {} };
    if (options.forbidAll)
      return { answer: { status: 403, text: PROXY_PAGE, contentType: HTML }, headers: {} };
    const overridden =
      options.statusOverride[`${target.method} ${route}`] ??
      options.statusOverride[`${target.method} ${target.path}`] ??
      options.statusOverride['*'];
    if (overridden !== undefined) {
      return { answer: orderedAnswer(overridden), headers: {} };
    }
    if (target.path === '/healthz' || target.path === '/latency-check') {
      return { answer: { status: 200, text: 'OK', contentType: 'text/plain; charset=utf-8' }, headers: {} };
    }
    if (!API.test(target.path))
      return { answer: { status: 200, text: SITE, contentType: HTML }, headers: {} };
    return this.#api(request, target, body);
  }

  async #api(
    request: IncomingMessage,
    target: Target,
    body: string,
  ): Promise<{ answer: Answer; headers: Record<string, string> }> {
    const { options } = this.#deployment;
    const token = tokenText(request, target.query);
    const caller = authenticate(this.#deployment, token);
    const limited: LimitedRequest = {
      deployment: this.#deployment,
      request,
      path: target.path,
      caller: caller instanceof ApiError ? null : caller,
    };
    const limit = applyLimit(this.#apiLimiter, options.apiRateLimit, limited);
    if ('refused' in limit) return { answer: limit.refused, headers: {} };
    const lookup = this.#router.lookup(target.method, target.path);
    if (lookup === null) return { answer: routeNotFound().answer(), headers: limit.headers };
    if (!('found' in lookup)) {
      return {
        answer: { status: 405, headers: { Allow: lookup.allowed.join(', ') } },
        headers: limit.headers,
      };
    }
    const { route, params } = lookup.found;
    let { headers } = limit;
    if (route.login) {
      const inner = applyLimit(this.#loginLimiter, options.loginRateLimit, limited);
      if ('refused' in inner) return { answer: inner.refused, headers: {} };
      headers = { ...headers, ...inner.headers };
    }
    try {
      const known = this.#requireCaller(route.open, caller);
      const call: Call = {
        deployment: this.#deployment,
        request,
        method: target.method,
        path: target.path,
        query: target.query,
        params,
        route: route.pattern,
        rawBody: body,
        caller: known,
      };
      return { answer: await route.handler(call), headers };
    } catch (error) {
      if (error instanceof ApiError) return { answer: error.answer(), headers };
      // A fault of the simulator itself: tests look for it here.
      this.#deployment.state.internalErrors.push(error);
      return { answer: { status: 500, body: { message: 'An internal server error occurred.' } }, headers };
    }
  }

  /** Open routes do not look at the caller, so anybody stands in for nobody. */
  #requireCaller(open: boolean, caller: Caller | ApiError): Caller {
    if (!(caller instanceof ApiError)) return caller;
    if (!open) throw caller;
    const [user] = this.#deployment.state.users.values();
    const [token] = this.#deployment.state.tokens.values();
    if (user === undefined || token === undefined) throw caller;
    return { user, token };
  }

  #send(response: ServerResponse, answer: Answer, headers: Record<string, string>): void {
    if (response.destroyed) return;
    const byProxy = this.#deployment.options.forbidAll || this.#deployment.options.answerHtml;
    const all: Record<string, string> = {
      ...(byProxy ? {} : baseHeaders(this.#deployment)),
      ...headers,
      ...answer.headers,
    };
    const content = answer.text ?? (answer.body === undefined ? '' : `${goJson(answer.body)}\n`);
    if (answer.text !== undefined) all['Content-Type'] = answer.contentType ?? 'text/plain; charset=utf-8';
    else if (answer.body !== undefined) all['Content-Type'] = JSON_TYPE;
    if (answer.status !== 204) all['Content-Length'] = String(Buffer.byteLength(content));
    response.writeHead(answer.status, all);
    response.end(content);
  }
}
