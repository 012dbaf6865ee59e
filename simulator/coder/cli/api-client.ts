import http from 'node:http';
import https from 'node:https';
import { agentFor } from './transport.js';
import { ApiAnswerError, GoError } from './go-errors.js';
import { instantNow, logTime } from './go-format.js';

/** Where the lines of the client's debug log go. */
export interface LogSink {
  write: (text: string) => void;
}

export interface ClientOptions {
  /** Scheme, host and port: the real client ignores a path. */
  origin: string;
  token: string;
  bypassLimits: boolean;
  headers: Record<string, string>;
  /** Null: nothing is logged. */
  sink: LogSink | null;
  /** v2.21.3 writes `status` before `body`, and an empty body too. */
  oldLogFormat: boolean;
}

interface Received {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** Go's names for the verbs of its client errors. */
function goVerb(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}

function causeText(error: NodeJS.ErrnoException, url: URL): string {
  const address = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
  if (error.code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`;
  if (error.code === 'ENOTFOUND') return `dial tcp: lookup ${url.hostname}: no such host`;
  if (error.code === 'ECONNRESET') return 'EOF';
  return error.message;
}

export class ApiClient {
  readonly #agent: http.Agent;
  /** The version that the server last called itself. */
  serverVersion = '';

  constructor(readonly options: ClientOptions) {
    this.#agent = agentFor(new URL(options.origin).protocol, { keepAlive: true });
  }

  with(changes: Partial<ClientOptions>): ApiClient {
    return new ApiClient({ ...this.options, ...changes });
  }

  close(): void {
    this.#agent.destroy();
  }

  get(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.call('GET', path, undefined, signal);
  }

  /** The parsed answer; anything but success is thrown with the text of Coder's own client. */
  async call(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    const url = new URL(path, this.options.origin);
    // Logins are logged without bodies.
    const secret = path.endsWith('/users/login');
    const sent = body === undefined ? '' : `${JSON.stringify(body)}\n`;
    this.#log('sdk request', [['method', method], ['url', url.href], ...this.#bodyField(sent, secret)]);
    const received = await this.#send(method, url, sent, signal);
    const version = received.headers['x-coder-build-version'];
    if (typeof version === 'string') this.serverVersion = version;
    this.#logResponse(method, url, received, secret);
    if (received.status < 200 || received.status > 299) throw answerError(method, url, received);
    if (received.text === '') return null;
    try {
      return JSON.parse(received.text);
    } catch {
      throw answerError(method, url, received);
    }
  }

  #send(method: string, url: URL, body: string, signal?: AbortSignal): Promise<Received> {
    const failed = (why: string): GoError => new GoError(`${goVerb(method)} "${url.href}": ${why}`);
    if (signal?.aborted === true) return Promise.reject(failed('context deadline exceeded'));
    const module = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const request = module.request(url, {
        method,
        agent: this.#agent,
        headers: this.#headers(body),
        ...(signal && { signal }),
      });
      request.on('error', (error) => {
        reject(failed(signal?.aborted === true ? 'context deadline exceeded' : causeText(error, url)));
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () =>
          reject(failed(signal?.aborted === true ? 'context deadline exceeded' : 'unexpected EOF')),
        );
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      request.end(body === '' ? undefined : body);
    });
  }

  #headers(body: string): Record<string, string> {
    const { token, bypassLimits, headers } = this.options;
    return {
      ...headers,
      ...(token !== '' && { 'Coder-Session-Token': token }),
      ...(bypassLimits && { 'X-Coder-Bypass-Ratelimit': 'true' }),
      ...(body !== '' && {
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
      }),
    };
  }

  #bodyField(body: string, secret: boolean): [string, string][] {
    if (secret) return [];
    if (body === '' && !this.options.oldLogFormat) return [];
    return [['body', JSON.stringify(body)]];
  }

  #logResponse(method: string, url: URL, { status, text }: Received, secret: boolean): void {
    const body = this.#bodyField(text, secret);
    const outcome: [string, string][] = [['status', String(status)]];
    this.#log('sdk response', [
      ['method', method],
      ['url', url.href],
      ...(this.options.oldLogFormat ? [...outcome, ...body] : [...body, ...outcome]),
      ['trace_id', '""'],
      ['span_id', '""'],
    ]);
  }

  /** One line of the debug log. */
  log(message: string, fields: [string, string][]): void {
    this.#log(message, fields);
  }

  #log(message: string, fields: [string, string][]): void {
    const text = fields.map(([name, value]) => `  ${name}=${value}`).join('');
    this.options.sink?.write(`${logTime(instantNow())} [debu]  ${message}${text}\n`);
  }
}

function field(value: unknown, name: string): string {
  if (typeof value !== 'object' || value === null || !(name in value)) return '';
  const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof found === 'string' ? found : '';
}

function validationLines(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('validations' in value)) return '';
  const rows: unknown[] = Array.isArray(value.validations) ? value.validations : [];
  return rows.map((row) => `\n\t${field(row, 'field')}: ${field(row, 'detail')}`).join('');
}

/** As codersdk words it. */
function answerError(method: string, url: URL, { status, headers, text }: Received): ApiAnswerError {
  const type = headers['content-type'] ?? '';
  const begin = `${method} ${url.href}: unexpected status code ${status}: `;
  if (!type.startsWith('application/json')) {
    const sentence = `unexpected non-JSON response "${type}"`;
    const detail = text === '' ? '' : `\n\tError: ${text.slice(0, 2048)}`;
    return new ApiAnswerError(status, sentence, '', `${begin}${sentence}${detail}`);
  }
  const body: unknown = JSON.parse(text);
  const sentence = field(body, 'message');
  const detail = field(body, 'detail');
  const helper = status === 401 ? "Try logging in using 'coder login'." : '';
  const words = `${sentence}${helper === '' ? '' : `: ${helper}`}`;
  return new ApiAnswerError(
    status,
    sentence,
    helper,
    `${begin}${words}${detail === '' ? '' : `\n\tError: ${detail}`}${validationLines(body)}`,
  );
}
