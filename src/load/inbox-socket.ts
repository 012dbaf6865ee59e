import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { addressOf, agentFor, type Deployment } from './exchange.js';

/**
 * A WebSocket that is only held open, as a dashboard holds its inbox: pings are answered, messages are not read. Node's
 * own client takes no certificate authority of ours and shows no status when it is refused, so this speaks the few
 * frames that are needed (RFC 6455, section 5).
 */

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const OPEN_TIMEOUT_MS = 30_000;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

export interface SocketListener {
  opened(): void;
  /** The other side ended it. */
  dropped(reason: string): void;
  /** It could not be opened. */
  refused(reason: string): void;
}

export class InboxSocket {
  #socket: Duplex | undefined;
  #request: http.ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isBegun = false;
  #isClosed = false;

  constructor(
    private readonly deployment: Deployment,
    private readonly path: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly listener: SocketListener,
  ) {}

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** The first time; from then on it is opened again whenever it ends. */
  open(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#connect();
  }

  #connect(): void {
    if (this.#isClosed) return;
    const { url } = this.deployment;
    const options = {
      ...addressOf(url),
      // Browsers do not count WebSockets among their six connections.
      agent: agentFor(this.deployment, { keepAlive: false }),
      path: this.path,
      headers: {
        ...this.headers,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      },
    };
    const request = url.protocol === 'https:' ? https.request(options) : http.request(options);
    this.#request = request;
    let isAnswered = false;
    const refuse = (reason: string): void => {
      if (isAnswered || this.#isClosed) return;
      isAnswered = true;
      request.destroy();
      this.listener.refused(reason);
      this.#again();
    };
    request.setTimeout(OPEN_TIMEOUT_MS, () => refuse(`no answer within ${OPEN_TIMEOUT_MS / 1000} s`));
    request.on('upgrade', (_response, socket, head) => {
      isAnswered = true;
      socket.setTimeout(0);
      this.#hold(socket, head);
    });
    request.on('response', (response) => refuse(`status ${response.statusCode ?? 0}`));
    request.on('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.message));
    request.end();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
    const socket = this.#socket;
    this.#socket = undefined;
    // Its last frame goes out first, but nobody waits for the answer.
    socket?.end(maskedFrame(CLOSE, Buffer.from([0x03, 0xe8])), () => socket.destroy());
  }

  #hold(socket: Duplex, head: Buffer): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#failures = 0;
    this.listener.opened();
    let reason = 'connection ended';
    const reader = new FrameReader((opcode, payload) => {
      if (opcode === PING && socket.writable) socket.write(maskedFrame(PONG, payload));
      if (opcode === CLOSE) {
        reason = payload.length >= 2 ? `closed with ${payload.readUInt16BE(0)}` : 'closed';
        socket.end(maskedFrame(CLOSE, payload.subarray(0, 2)), () => socket.destroy());
      }
    });
    reader.read(head);
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
    socket.on('end', () => socket.end());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    socket.once('close', () => {
      if (this.#isClosed) return;
      this.#socket = undefined;
      this.listener.dropped(reason);
      this.#again();
    });
  }

  #again(): void {
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }
}

/** Finds the control frames among what the server sends. Frames of a server are not masked. */
class FrameReader {
  #held: Buffer = Buffer.alloc(0);
  /** Of a message that nobody reads. */
  #toSkip = 0;

  constructor(private readonly onControl: (opcode: number, payload: Buffer) => void) {}

  read(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const skipped = Math.min(this.#toSkip, this.#held.length);
      this.#toSkip -= skipped;
      this.#held = this.#held.subarray(skipped);
      const header = this.#toSkip === 0 ? headerOf(this.#held) : undefined;
      if (header === undefined) return;
      const { opcode, start, length } = header;
      if (opcode < CLOSE) {
        this.#held = this.#held.subarray(start);
        this.#toSkip = length;
      } else {
        if (this.#held.length < start + length) return;
        this.onControl(opcode, this.#held.subarray(start, start + length));
        this.#held = this.#held.subarray(start + length);
      }
    }
  }
}

function headerOf(bytes: Buffer): { opcode: number; start: number; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes.readUInt8(0) & 0x0f;
  const short = bytes.readUInt8(1) & 0x7f;
  if (short < 126) return { opcode, start: 2, length: short };
  const start = short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  return { opcode, start, length: short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) };
}

/** A control frame as a client sends it: short and masked. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ mask.readUInt8(index % 4));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}
