import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A private certificate authority, and what it has signed. Made with openssl. */
export class PrivateAuthority {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'authority-'));
  readonly caFile = path.join(this.#folder, 'ca.pem');

  constructor() {
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=Private authority', '-keyout', this.#file('ca.key'), '-out', this.caFile); // prettier-ignore
  }

  /** A key and a certificate for 127.0.0.1 and these names. */
  issue(names: readonly string[]): { key: Buffer; cert: Buffer } {
    const extensions = this.#file('extensions');
    writeFileSync(
      extensions,
      `subjectAltName=IP:127.0.0.1,${names.map((name) => `DNS:${name}`).join(',')}\n`,
    );
    this.#openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=front',
      '-keyout', this.#file('front.key'), '-out', this.#file('front.csr')); // prettier-ignore
    this.#openssl('x509', '-req', '-in', this.#file('front.csr'), '-CA', this.caFile, '-CAkey', this.#file('ca.key'),
      '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', this.#file('front.pem')); // prettier-ignore
    return { key: readFileSync(this.#file('front.key')), cert: readFileSync(this.#file('front.pem')) };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

export interface Front {
  readonly port: number;
  /** Of each request that was let through: the token, and the local port of whoever sent it. */
  readonly seen: { readonly token: string; readonly port: number }[];
  close(): Promise<void>;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function closing(server: Server, sockets: ReadonlySet<Socket>): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}

const remembering = (server: Server): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  return sockets;
};

/** TLS in front of a server, which lets only those through who send a header. */
export async function startFront(
  target: string,
  identity: { key: Buffer; cert: Buffer },
  [name, value]: readonly [string, string],
): Promise<Front> {
  const to = new URL(target);
  const seen: Front['seen'] = [];
  const isLetThrough = (request: IncomingMessage): boolean => request.headers[name.toLowerCase()] === value;
  const note = (request: IncomingMessage): void => {
    const { 'coder-session-token': token = '' } = request.headers;
    seen.push({ token: String(token), port: request.socket.remotePort ?? 0 });
  };
  const server = https.createServer(identity, (request, response) => {
    if (!isLetThrough(request)) {
      response.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Access denied</h1>');
      return;
    }
    note(request);
    const forwarded = http.request(
      {
        host: to.hostname,
        port: to.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('upgrade', (request, socket, head) => {
    if (!isLetThrough(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    note(request);
    const onward = connect(Number(to.port), to.hostname, () => {
      const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
      for (let index = 0; index < request.rawHeaders.length; index += 2)
        lines.push(`${request.rawHeaders[index] ?? ''}: ${request.rawHeaders[index + 1] ?? ''}`);
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  const sockets = remembering(server);
  return { port: await listen(server), seen, close: closing(server, sockets) };
}

export interface ConnectProxy {
  readonly url: string;
  /** The hosts that were asked for, in order. */
  readonly asked: string[];
  /** The local ports of its own connections: by them a server knows who came through it. */
  readonly ports: ReadonlySet<number>;
  close(): Promise<void>;
}

/** A proxy for CONNECT with a password, which knows names that no resolver knows. */
export async function startConnectProxy(
  names: Readonly<Record<string, number>>,
  [user, password]: readonly [string, string],
): Promise<ConnectProxy> {
  const asked: string[] = [];
  const ports = new Set<number>();
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = http.createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket, head) => {
    socket.on('error', () => undefined);
    if (request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      return;
    }
    const [host = '', port = '443'] = (request.url ?? '').split(':');
    asked.push(host);
    const onward = connect(names[host] ?? Number(port), '127.0.0.1', () => {
      ports.add(onward.localPort ?? 0);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  const sockets = remembering(server);
  const url = `http://${user}:${password}@127.0.0.1:${await listen(server)}`;
  return { url, asked, ports, close: closing(server, sockets) };
}
