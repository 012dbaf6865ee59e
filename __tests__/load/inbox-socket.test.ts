import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { InboxSocket } from '../../src/load/inbox-socket.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server that accepts each WebSocket and hands over its connection. */
async function accepting(
  onSocket: (socket: Duplex, request: IncomingMessage, count: number) => void,
): Promise<string> {
  const sockets = new Set<Duplex>();
  let count = 0;
  const server = createServer((_request, response) => response.writeHead(403).end());
  server.on('upgrade', (request, socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    onSocket(socket, request, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function opened(url: string): {
  events: string[];
  socket: InboxSocket;
  until: (event: string) => Promise<void>;
} {
  const events: string[] = [];
  let notify: () => void = () => undefined;
  const note = (event: string): void => {
    events.push(event);
    notify();
  };
  const socket = new InboxSocket(
    { url: new URL(url), headers: {}, proxies: {} },
    '/watch',
    { 'Coder-Session-Token': 't' },
    {
      opened: () => note('opened'),
      dropped: (reason) => note(`dropped: ${reason}`),
      refused: (reason) => note(`refused: ${reason}`),
    },
  );
  closing.push(() => socket.close());
  socket.open();
  const until = async (event: string): Promise<void> => {
    while (!events.includes(event)) await new Promise<void>((resolve) => (notify = resolve));
  };
  return { events, socket, until };
}

/** What a client sent in one short masked frame. */
function unmasked(frame: Buffer): { opcode: number; payload: string } {
  const length = frame.readUInt8(1) & 0x7f;
  const mask = frame.subarray(2, 6);
  const payload = frame.subarray(6, 6 + length).map((byte, index) => byte ^ mask.readUInt8(index % 4));
  return { opcode: frame.readUInt8(0) & 0x0f, payload: Buffer.from(payload).toString() };
}

describe('the inbox WebSocket', () => {
  it('sends the token as a header, answers pings between messages of any length, and says goodbye', async () => {
    const received: Buffer[] = [];
    let token: unknown;
    const url = await accepting((socket, request) => {
      token = request.headers['coder-session-token'];
      const medium = Buffer.concat([Buffer.from([0x81, 126, 0x01, 0x2c]), Buffer.alloc(300, 'x')]);
      const long = Buffer.concat([
        Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        Buffer.alloc(70_000, 'y'),
      ]);
      const ping = Buffer.concat([Buffer.from([0x89, 4]), Buffer.from('beat')]);
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      for (const part of [
        medium,
        long.subarray(0, 5),
        long.subarray(5),
        ping.subarray(0, 3),
        ping.subarray(3),
      ]) {
        socket.write(part);
      }
    });
    const { socket, until, events } = opened(url);
    await until('opened');
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(token).toBe('t');
    expect(unmasked(received[0] ?? Buffer.alloc(0))).toEqual({ opcode: 0xa, payload: 'beat' });
    expect(socket.isOpen).toBe(true);
    socket.close();
    while (received.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(unmasked(received[1] ?? Buffer.alloc(0)).opcode).toBe(0x8);
    expect(events).toEqual(['opened']);
  });

  it('counts what the server ends as a drop, and opens it again', async () => {
    const url = await accepting((socket, _request, count) => {
      if (count === 1) socket.write(Buffer.from([0x88, 2, 0x03, 0xe9]));
      if (count === 2) socket.destroy();
    });
    const { events, until } = opened(url);
    await until('dropped: closed with 1001');
    while (events.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(events.slice(0, 3)).toEqual(['opened', 'dropped: closed with 1001', 'opened']);
    expect(events[3]).toMatch(/^dropped: /);
  });

  it('counts an answer that is no WebSocket as refused', async () => {
    const server = createServer((_request, response) => response.end());
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => void server.close());
    const { events, until } = opened(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await until('refused: status 401');
    expect(events).toEqual(['refused: status 401']);
  });

  it('counts a server that is not there as refused', async () => {
    const { until } = opened('http://127.0.0.1:1');
    await until('refused: ECONNREFUSED');
  });
});
