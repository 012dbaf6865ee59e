import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The server's half of a WebSocket, as much as log following and the inbox need: text out, pings answered. */

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export interface ServerSocket {
  send(text: string): void;
  close(reason: string): void;
  onClose(listener: () => void): void;
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

function closeFrame(reason: string): Buffer {
  const normalClosure = Buffer.from([0x03, 0xe8]);
  return frame(CLOSE, Buffer.concat([normalClosure, Buffer.from(reason)]));
}

export function isWebSocketRequest(request: IncomingMessage): boolean {
  return (
    request.headers.upgrade?.toLowerCase() === 'websocket' &&
    request.headers['sec-websocket-key'] !== undefined
  );
}

export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  headers: Record<string, string>,
): ServerSocket {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const lines = Object.entries({
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': accept,
    ...headers,
  });
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    received = answerFrames(received, socket);
  });
  socket.on('error', () => socket.destroy());
  return {
    send: (text) => {
      if (socket.writable) socket.write(frame(TEXT, Buffer.from(text)));
    },
    close: (reason) => {
      if (socket.writable) socket.end(closeFrame(reason));
    },
    onClose: (listener) => {
      socket.once('close', listener);
    },
  };
}

/** Answers pings and closes of the (masked) frames of the client; gives back what is not yet a whole frame. */
function answerFrames(received: Buffer, socket: Duplex): Buffer {
  let rest = received;
  while (rest.length >= 6) {
    const opcode = rest.readUInt8(0) & 0x0f;
    const length = rest.readUInt8(1) & 0x7f;
    // Longer messages from a client mean nothing here.
    if (length > 125 || rest.length < 6 + length) return length > 125 ? Buffer.alloc(0) : rest;
    const mask = rest.subarray(2, 6);
    const payload = Buffer.from(
      rest.subarray(6, 6 + length).map((byte, index) => byte ^ mask.readUInt8(index % 4)),
    );
    rest = rest.subarray(6 + length);
    if (opcode === PING && socket.writable) socket.write(frame(PONG, payload));
    if (opcode === CLOSE && socket.writable) socket.end(closeFrame(''));
  }
  return rest;
}
