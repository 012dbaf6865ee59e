import http from 'node:http';
import type { Arrival, Schedule } from '../src/load/schedule.js';
import { scheduleProbe } from '../src/load/schedule.js';
import { milliseconds } from '../src/units.js';
import type { ServerRecord } from './known-server.js';

/** A schedule of single calls to a known server, each with its number, without a baseline. */
export function numberedProbe(options: {
  rate: number;
  durationMs: number;
  users: number;
  seed: number;
}): Schedule {
  const schedule = scheduleProbe({
    routes: [{ id: 'work', path: '/api/v2/work' }],
    rate: options.rate,
    duration: milliseconds(options.durationMs),
    users: options.users,
    seed: options.seed,
  });
  const numbered = schedule.arrivals
    .filter(({ user }) => user !== undefined)
    .map((arrival, n): Arrival => ({
      ...arrival,
      batch: { afterMs: 0, calls: [{ route: 'work', path: `/api/v2/work?n=${n}`, waitsFor: [] }] },
    }));
  return { ...schedule, arrivals: numbered };
}

/**
 * Latencies from the intended start as the server itself saw them: when it answered, less when the call was due. The
 * beginning of the load on the server's clock is that of the call that came with the least delay.
 */
export function serverLatencies(schedule: Schedule, records: readonly ServerRecord[]): readonly number[] {
  const due = ({ n }: ServerRecord): number => schedule.arrivals[n]?.atMs ?? Number.NaN;
  const begin = records.reduce((least, record) => Math.min(least, record.receivedAt - due(record)), Infinity);
  return records
    .filter(({ n }) => schedule.arrivals[n]?.warmUp === false)
    .map((record) => record.answeredAt - begin - due(record))
    .sort((left, right) => left - right);
}

/** What most probes do: as many workers as users, each asks, waits for the answer, and then for its next turn. */
export async function closedLoop(options: {
  url: string;
  rate: number;
  durationMs: number;
  workers: number;
  firstNumber: number;
}): Promise<readonly number[]> {
  const agent = new http.Agent({ keepAlive: true });
  const period = (1000 * options.workers) / options.rate;
  const end = performance.now() + options.durationMs;
  const latencies: number[] = [];
  let n = options.firstNumber;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = performance.now();
      n += 1;
      await new Promise<void>((resolve, reject) => {
        const request = http.get(`${options.url}/closed?n=${n}`, { agent }, (response) => {
          response.resume().on('end', resolve);
        });
        request.on('error', reject);
      });
      latencies.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + period - performance.now())));
    }
  };
  await Promise.all(Array.from({ length: options.workers }, worker));
  agent.destroy();
  return latencies.sort((left, right) => left - right);
}

/** Nearest rank; the values ascending. */
export const quantileOf = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(1, Math.ceil(q * sorted.length - 1e-9)) - 1] ?? Number.NaN;
