import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server whose latencies are known: it draws them from a seed and keeps its own record of every answer. */

export interface ServerRecord {
  /** The number that the request carried. */
  readonly n: number;
  /** Milliseconds since 1970, with a fraction. */
  readonly receivedAt: number;
  readonly answeredAt: number;
}

export interface KnownServer {
  readonly url: string;
  readonly records: ServerRecord[];
  /** The most connections that were open at one time. */
  peakConnections(): number;
  /** Holds back every answer for so long, as a stopped process does. */
  stall(milliseconds: number): void;
  close(): Promise<void>;
}

const MEDIAN_MS = 8;
const SIGMA = 0.6;

const epochNow = (): number => performance.timeOrigin + performance.now();

/** Log-normal around 8 ms (P95 about 21 ms, P99 about 32 ms), drawn from the request's number alone. */
export function serviceTime(n: number): number {
  const uniform = (salt: number): number => {
    let mixed = Math.imul((n + 1) ^ salt, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = Math.sqrt(-2 * Math.log(1 - uniform(0x51ed27))) * Math.cos(2 * Math.PI * uniform(0x2545f4));
  return MEDIAN_MS * Math.exp(SIGMA * normal);
}

/** Without a delay it answers at once, to find out how fast it can be asked. */
export async function startKnownServer({ delays = true } = {}): Promise<KnownServer> {
  const records: ServerRecord[] = [];
  let stalledUntil = 0;
  let connections = 0;
  let peak = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const receivedAt = epochNow();
    const n = Number(/[?&]n=(\d+)/.exec(request.url ?? '')?.[1] ?? Number.NaN);
    const finish = (): void => {
      const wait = stalledUntil - epochNow();
      if (wait > 0) {
        setTimeout(finish, wait);
        return;
      }
      response.setHeader('Content-Type', 'application/json');
      response.end('{}');
      if (!Number.isNaN(n)) records.push({ n, receivedAt, answeredAt: epochNow() });
    };
    if (delays && !Number.isNaN(n)) setTimeout(finish, serviceTime(n));
    else finish();
  };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/records') {
      response.end(JSON.stringify(records));
      return;
    }
    if (request.url === '/forget') records.length = 0;
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    peak = Math.max(peak, connections);
    socket.once('close', () => (connections -= 1));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    records,
    peakConnections: () => peak,
    stall: (milliseconds) => (stalledUntil = epochNow() + milliseconds),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
