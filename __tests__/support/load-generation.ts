import type { ServerResponse } from 'node:http';
import { afterEach } from 'vitest';
import { LoadGenerator, type LoadOptions, type VirtualUser } from '../../src/load/generator.js';
import type { LoadResult } from '../../src/load/load-types.js';
import type { Call } from '../../src/load/mix.js';
import type { Arrival, Schedule } from '../../src/load/schedule.js';
import { milliseconds } from '../../src/units.js';
import { serve, type SeenRequest, type TestServer } from './http-server.js';

/** Ended after the test that started them. */
export const closing: { close: () => Promise<void> }[] = [];
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const one of closing.splice(0)) await one.close();
  });
}

export const serving = async (
  handler: (request: SeenRequest, response: ServerResponse, count: number) => void,
): Promise<TestServer> => {
  const server = await serve(handler);
  closing.push(server);
  return server;
};

export const usersOf = (count: number): VirtualUser[] =>
  Array.from({ length: count }, (_none, index) => ({ token: `token-${index}`, values: {} }));

/** Batches of user 0, each with calls to one route. */
export function scheduleOf(
  batches: readonly { atMs: number; calls: readonly Partial<Call>[] }[],
  durationMs = 500,
): Schedule {
  const arrivals = batches.map(({ atMs, calls }): Arrival => ({
    atMs,
    user: 0,
    warmUp: false,
    batch: {
      afterMs: 0,
      calls: calls.map((call) => ({ route: 'work', path: '/api/v2/work', waitsFor: [], ...call })),
    },
  }));
  return {
    version: 'test',
    seed: 1,
    users: 1,
    durationMs: milliseconds(durationMs),
    routes: [{ id: 'work', method: 'GET', pattern: '/api/v2/work', pool: true }],
    arrivals,
  };
}

export const generate = (
  url: string,
  schedule: Schedule,
  more: Partial<LoadOptions> = {},
): { generator: LoadGenerator; done: Promise<LoadResult> } => {
  const generator = new LoadGenerator({
    baseUrl: url,
    schedule,
    users: usersOf(schedule.users),
    phase: 'only',
    ...more,
  });
  return { generator, done: generator.run() };
};
