import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { ClientOptions } from './api-client.js';
import { agentFor } from './transport.js';
import { deadlineExceeded, GoError } from './go-errors.js';

export interface ServerLogLine {
  created_at: string;
  log_level: string;
  stage: string;
  output: string;
}

const CLOSE = 8;

/** Takes whole (unmasked) frames of the server off the front of what was received. */
function takeFrame(received: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | null {
  if (received.length < 2) return null;
  const opcode = received.readUInt8(0) & 0x0f;
  const short = received.readUInt8(1) & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (received.length < head) return null;
  const length =
    short < 126 ? short : short === 126 ? received.readUInt16BE(2) : Number(received.readBigUInt64BE(2));
  if (received.length < head + length) return null;
  return { opcode, payload: received.subarray(head, head + length), rest: received.subarray(head + length) };
}

function isLogLine(value: unknown): value is ServerLogLine {
  return typeof value === 'object' && value !== null && 'stage' in value && 'output' in value;
}

/** Follows a job's log until the server closes it; the token goes as a cookie, as with the real CLI. */
export function followLog(
  { origin, token, headers }: Pick<ClientOptions, 'origin' | 'token' | 'headers'>,
  path: string,
  onLine: (line: ServerLogLine) => void,
  signal: AbortSignal,
): Promise<{ reason: string }> {
  const url = new URL(path, origin);
  const module = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(deadlineExceeded());
      return;
    }
    const request = module.request(url, {
      agent: agentFor(url.protocol, { keepAlive: false }),
      headers: {
        ...headers,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
        Cookie: `coder_session_token=${token}`,
      },
    });
    request.on('error', (error) => reject(new GoError(`dial log stream: ${error.message}`)));
    request.on('response', (response) => {
      response.resume();
      reject(new GoError(`dial log stream: unexpected status code ${response.statusCode ?? 0}`));
    });
    request.on('upgrade', (_response, socket: Duplex, head: Buffer) => {
      let received: Buffer = head;
      const abort = (): void => {
        socket.destroy();
        resolve({ reason: '' });
      };
      signal.addEventListener('abort', abort);
      const look = (): void => {
        for (let frame = takeFrame(received); frame !== null; frame = takeFrame(received)) {
          received = frame.rest;
          if (frame.opcode === CLOSE) {
            signal.removeEventListener('abort', abort);
            socket.destroy();
            resolve({ reason: frame.payload.subarray(2).toString('utf8') });
            return;
          }
          const line: unknown = JSON.parse(frame.payload.toString('utf8'));
          if (isLogLine(line)) onLine(line);
        }
      };
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        look();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        resolve({ reason: '' });
      });
      look();
    });
    request.end();
  });
}
