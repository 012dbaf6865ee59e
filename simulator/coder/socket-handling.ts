import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Answer, ApiError } from './answers.js';
import { authenticate, tokenText } from './authentication.js';
import { baseHeaders, JSON_TYPE, loadDelay, targetOf } from './conventions.js';
import type { Deployment } from './deployment.js';
import { followedBySocket } from './followed-logs.js';
import { goJson } from './go-json.js';
import { applyLimit, type RateLimiter } from './rate-limits.js';
import { acceptWebSocket, isWebSocketRequest } from './websocket.js';

/** Log following and the dashboard's watches: the only WebSockets here. */
export class SocketHandling {
  readonly #deployment: Deployment;
  readonly #apiLimiter: RateLimiter;
  readonly #sockets = new Set<Duplex>();

  constructor(deployment: Deployment, apiLimiter: RateLimiter) {
    this.#deployment = deployment;
    this.#apiLimiter = apiLimiter;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const { options, state } = this.#deployment;
    if (options.apiDown || !isWebSocketRequest(request)) {
      socket.destroy();
      return;
    }
    await loadDelay(this.#deployment);
    const target = targetOf(request);
    const caller = authenticate(this.#deployment, tokenText(request, target.query));
    // Opening counts once against the limit.
    const limit = applyLimit(this.#apiLimiter, options.apiRateLimit, {
      deployment: this.#deployment,
      request,
      path: target.path,
      caller: caller instanceof ApiError ? null : caller,
    });
    if ('refused' in limit) {
      this.#refuse(socket, limit.refused);
      return;
    }
    const found = caller instanceof ApiError ? caller : followedBySocket(this.#deployment, target);
    if (found instanceof ApiError) {
      this.#refuse(socket, found.answer());
      return;
    }
    const begin = performance.now();
    const { metrics } = this.#deployment.replicas.of(request.socket);
    metrics.openSocket(found.route);
    const name = `GET ${found.route}`;
    state.requestCounts.set(name, (state.requestCounts.get(name) ?? 0) + 1);
    const open = acceptWebSocket(request, socket, { ...baseHeaders(this.#deployment), ...limit.headers });
    open.onClose(() => metrics.closeSocket(found.route, (performance.now() - begin) / 1000));
    found.follow(open);
  }

  #refuse(socket: Duplex, answer: Answer): void {
    const body = answer.text ?? `${goJson(answer.body)}\n`;
    const headers = {
      ...baseHeaders(this.#deployment),
      ...answer.headers,
      'Content-Type': answer.contentType ?? JSON_TYPE,
      'Content-Length': String(Buffer.byteLength(body)),
      Connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${answer.status} Refused\r\n${lines.join('')}\r\n${body}`);
  }
}
