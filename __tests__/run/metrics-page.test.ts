import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, PageReader } from '../../src/run/metrics-page.js';
import { milliseconds } from '../../src/units.js';
import { hurriedClock } from '../support/fakes.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<number> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return (started.address() as AddressInfo).port;
}

/** Pages that begin with "page" are the suite's. */
function readerAt(port: number, isOver = false): { reader: PageReader; pages: string[] } {
  const pages: string[] = [];
  const reader = new PageReader({
    port,
    interval: milliseconds(3000),
    describe: (text) => (text.startsWith('page') ? text : undefined),
    onPage: (description) => pages.push(description),
    clock: hurriedClock(150),
    isOver: () => Promise.resolve(isOver),
  });
  return { reader, pages };
}
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readFor(milliseconds: number, port: number, isOver = false) {
  const { reader, pages } = readerAt(port, isOver);
  const running = reader.run();
  await pause(milliseconds);
  const page = await reader.stop();
  await running;
  return { page, pages };
}

describe('PageReader', () => {
  it('reads again and again, and keeps the last page', async () => {
    let count = 0;
    const port = await serve((_, response) => response.end(`page ${(count += 1)}`));
    const { page, pages } = await readFor(300, port);
    expect(pages.length).toBeGreaterThan(2);
    expect(page).toEqual({ text: pages.at(-1), isFinal: false, readAt: expect.any(Date) as unknown });
  });

  it('keeps the last good page when the suite is gone, or something else answers', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      count += 1;
      if (count <= 2) response.end(`page ${count}`);
      else if (count === 3) response.writeHead(500).end('page of an error');
      else if (count === 4) response.end('something else');
      else request.socket.destroy();
    });
    expect((await readFor(400, port)).page).toMatchObject({ text: 'page 2', isFinal: false });
  });

  it('reads at once when the load is over, and knows that page to be the final one', async () => {
    const port = await serve((_, response) => response.end('page'));
    const { reader, pages } = readerAt(port);
    reader.readFinal();
    expect(await reader.stop()).toMatchObject({ text: 'page', isFinal: true });
    expect(pages).toEqual(['page']);
  });

  it('knows by the result file as well that the load is over', async () => {
    const port = await serve((_, response) => response.end('page'));
    expect((await readFor(150, port, true)).page).toMatchObject({ isFinal: true });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an error', (_, response) => response.writeHead(404).end('page'), /answered with status 404/],
    ['something else', (_, response) => response.end('hello'), /no metrics page of the suite/],
    ['a closed connection', (request) => request.socket.destroy(), /could not be read: .+/],
    ['a redirect', (_, response) => response.writeHead(302, { Location: '/x' }).end(), /could not be read/],
  ])('says why there is no page after %s', async (_, listener, problem) => {
    const port = await serve(listener);
    const { reader } = readerAt(port);
    reader.readFinal();
    expect(await reader.stop()).toEqual({ problem: expect.stringMatching(problem) as unknown });
  });

  it('says what answered wrongly, also when nobody answers any more', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      count += 1;
      if (count === 1) response.end('hello');
      else request.socket.destroy();
    });
    const { reader } = readerAt(port);
    reader.readFinal();
    reader.readFinal();
    expect(await reader.stop()).toEqual({ problem: 'what answers there is no metrics page of the suite' });
    expect(count).toBe(2);
  });

  it('does not wait long for an answer that is under way when the suite has ended', async () => {
    const port = await serve(() => undefined);
    const { reader } = readerAt(port);
    reader.readFinal();
    const began = performance.now();
    expect(await reader.stop()).toEqual({
      problem: expect.stringMatching(/could not be read/) as unknown,
    });
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('says so when nothing listens there', async () => {
    const { reader } = readerAt(await freePort());
    reader.readFinal();
    expect(await reader.stop()).toEqual({ problem: expect.stringMatching(/ECONNREFUSED/) as unknown });
  });

  it('says so when it was stopped before the first read', async () => {
    const { reader } = readerAt(await freePort());
    expect(await reader.stop()).toEqual({ problem: 'it was never there to be read' });
  });
});

it('freePort gives one that can be listened on', async () => {
  const port = await freePort();
  const listener = createSocketServer();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  listener.close();
  expect(port).toBeGreaterThan(1023);
});
