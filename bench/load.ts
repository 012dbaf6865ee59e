import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { LoadGenerator } from '../src/load/generator.js';
import type { LoadResult } from '../src/load/load-types.js';
import { Distribution } from '../src/load/recorder.js';
import { CPU_SHARE_LIMIT } from '../src/load/self-watch.js';
import type { ServerRecord } from './known-server.js';
import { closedLoop, numberedProbe, quantileOf, serverLatencies } from './open-and-closed.js';

const PROBE_RATE = 50;
const PROBE_MS = 15_000;
const USERS = 50;
const STALL_AFTER_MS = 5_000;
const STALL_MS = 5_000;
/** Numbers of the closed loop's calls, apart from those of the schedule. */
const CLOSED_FROM = 1_000_000;
const STEP_MS = 3_000;
/**
 * Other processes of the machine take the core away now and then. The generator's own lag is that of the windows in which
 * the kernel let it wait for a core for less than this (and of the windows after them).
 */
const WINDOW_MS = 50;
const UNDISTURBED_MS = 0.5;
const WARM_UP_WINDOWS = 10;
/** Fewer calls decide no P99; then the step is tried once more. */
const ENOUGH_CALLS = 299;
const RATES = [500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000];
/** The error that is allowed to the generator itself. */
const OWN_ERROR_MS = 1;

interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
}

async function startServer(...args: string[]): Promise<ServerProcess> {
  const file = path.join(import.meta.dirname, 'known-server-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { url, child };
}

const users = Array.from({ length: USERS }, (_none, index) => ({ token: `token-${index}`, values: {} }));

function measured({ series }: LoadResult): Distribution {
  return Distribution.merged(series.filter(({ warmUp }) => !warmUp).map(({ latency }) => latency));
}

/** How near the probe comes to what the server itself recorded, and how far a closed loop beside it stays. */
async function accuracy(stalls: boolean): Promise<readonly string[]> {
  const server = await startServer();
  try {
    const load = { rate: PROBE_RATE, durationMs: PROBE_MS, users: USERS, seed: 1 };
    const schedule = numberedProbe(load);
    const generator = new LoadGenerator({ baseUrl: server.url, schedule, users, phase: 'bench' });
    // A stopped process neither accepts nor answers, as one that hangs.
    const stop = setTimeout(() => stalls && server.child.kill('SIGSTOP'), STALL_AFTER_MS);
    const resume = setTimeout(() => server.child.kill('SIGCONT'), STALL_AFTER_MS + STALL_MS);
    const waitedBefore = waitedForCore();
    const [result, closed] = await Promise.all([
      generator.run(),
      closedLoop({
        url: server.url,
        rate: PROBE_RATE,
        durationMs: PROBE_MS,
        workers: 2,
        firstNumber: CLOSED_FROM,
      }),
    ]);
    const waited = (waitedForCore() - waitedBefore) / result.elapsedMs;
    clearTimeout(stop);
    clearTimeout(resume);
    const records = (await (await fetch(`${server.url}/records`)).json()) as ServerRecord[];
    const own = serverLatencies(
      schedule,
      records.filter(({ n }) => n < CLOSED_FROM),
    );
    const ours = measured(result);
    const rows = [0.5, 0.95, 0.99].map((q) => {
      const truth = quantileOf(own, q);
      const error = ours.quantile(q) - truth;
      return `  P${q * 100}: server ${truth.toFixed(1)} ms, ours ${ours.quantile(q).toFixed(1)} ms (${signed(error)} ms, ${signed((100 * error) / truth)} %), closed loop ${quantileOf(closed, q).toFixed(1)} ms`;
    });
    const title = stalls ? `with a stall of ${STALL_MS / 1000} s` : 'undisturbed';
    return [
      `Probe accuracy, ${title}: ${own.length} calls at ${PROBE_RATE}/s from ${USERS} users, closed loop of ${closed.length} calls beside it; own send lag P99 ${result.health.sendLagP99Ms.toFixed(2)} ms, ${Math.round(waited * 100)} % of the time spent waiting for a core:`,
      ...rows,
    ];
  } finally {
    server.child.kill('SIGCONT');
    server.child.kill();
  }
}

/** The highest rate at which the generator's own delay stays small. */
async function highestRate(): Promise<readonly string[]> {
  const server = await startServer('instant');
  const rows: string[] = [];
  let highest = 0;
  try {
    for (const rate of RATES) {
      const first = await step(server.url, rate);
      const { result, own, share } = first.own.count >= ENOUGH_CALLS ? first : await step(server.url, rate);
      await fetch(`${server.url}/forget`);
      const { health, calls, elapsedMs } = result;
      const isMeasured = own.count >= ENOUGH_CALLS;
      const lag = isMeasured
        ? `own send lag P50 ${own.quantile(0.5).toFixed(2)}, P99 ${own.quantile(0.99).toFixed(2)} ms`
        : 'never undisturbed for long enough';
      rows.push(
        `  ${rate}/s: ${((calls.ok * 1000) / elapsedMs).toFixed(0)}/s answered, ${lag} (${own.count} calls in the ${Math.round(share * 100)} % of the time that was undisturbed; P99 over all ${health.sendLagP99Ms.toFixed(1)} ms), ${Math.round(health.cpuShare * 100)} % of one core, ${((health.cpuShare * elapsedMs * 1000) / calls.ok).toFixed(0)} µs a call`,
      );
      if (isMeasured && own.quantile(0.99) < OWN_ERROR_MS) highest = rate;
      if (health.cpuShare > CPU_SHARE_LIMIT) break;
    }
  } finally {
    server.child.kill();
  }
  return [
    `Rate of one core, ${USERS} users against a server that answers at once, ${STEP_MS / 1000} s a step; own lag: in windows of ${WINDOW_MS} ms that waited less than ${UNDISTURBED_MS} ms for a core:`,
    ...rows,
    `  highest rate with under ${OWN_ERROR_MS} ms of own send lag: ${highest}/s`,
  ];
}

interface Step {
  readonly result: LoadResult;
  /** Send lag in undisturbed windows. */
  readonly own: Distribution;
  /** Of the windows that were undisturbed. */
  readonly share: number;
}

async function step(url: string, rate: number): Promise<Step> {
  const schedule = numberedProbe({ rate, durationMs: STEP_MS, users: USERS, seed: rate });
  const generator = new LoadGenerator({ baseUrl: url, schedule, users, phase: '0' });
  const waits: number[] = [];
  let before = waitedForCore();
  const timer = setInterval(() => {
    const now = waitedForCore();
    waits.push(now - before);
    before = now;
    generator.phase(String(waits.length));
  }, WINDOW_MS);
  const result = await generator.run().finally(() => clearInterval(timer));
  const isQuiet = (window: number): boolean => (waits[window] ?? Infinity) < UNDISTURBED_MS;
  const own = new Distribution();
  const quiet = waits.filter(
    (_wait, window) => window >= WARM_UP_WINDOWS && isQuiet(window) && isQuiet(window - 1),
  );
  for (const { warmUp, phase, sendLag } of result.series) {
    const window = Number(phase);
    if (!warmUp && window >= WARM_UP_WINDOWS && isQuiet(window) && isQuiet(window - 1))
      own.mergeData(sendLag);
  }
  return { result, own, share: quiet.length / Math.max(1, waits.length - WARM_UP_WINDOWS) };
}

/** Milliseconds that this thread was ready to run and did not (Linux; elsewhere nothing is known, and 0). */
function waitedForCore(): number {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
    return Number(text.split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(1)}`;

/** The load generator: how true its latencies are, and how much it can send. */
export async function benchLoad(): Promise<readonly string[]> {
  return [...(await accuracy(false)), ...(await accuracy(true)), ...(await highestRate())];
}
