import { createServer, type Server } from 'node:http';
import { text } from './answers.js';
import type { TrafficRunner } from './traffic-runner.js';

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Reads mostly wait for the next tick; writes only hand over. As recorded. */
const READ_SHARES = [0.1, 0.1, 0.1, 0.1, 0.55, 1, 1, 1, 1, 1, 1];
const READ_MEAN_S = 0.08;
const WRITE_MEAN_S = 0.0001;

type Family = (runner: TrafficRunner, labels: string) => string[];

/** The page of the CLI's own metrics: counters and two histograms a workspace, each with the artificial first sample of 0 s. */
export function trafficPage(runners: TrafficRunner[]): string {
  const connected = runners.filter(({ isConnected }) => isConnected);
  return [
    family('bytes_read_total', 'counter', connected, (runner, labels) => [
      counter('bytes_read_total', labels, runner.bytes().read),
    ]),
    family('bytes_written_total', 'counter', connected, (runner, labels) => [
      counter('bytes_written_total', labels, runner.bytes().written),
    ]),
    family('read_errors_total', 'counter', connected, (runner, labels) => [
      counter('read_errors_total', labels, runner.hasReadErrors ? 1 : 0),
    ]),
    family('read_latency_seconds', 'histogram', connected, (runner, labels) => {
      const reads = runner.isStalled ? 0 : runner.ticks();
      return histogram('read_latency_seconds', labels, reads, READ_SHARES, READ_MEAN_S);
    }),
    family('write_errors_total', 'counter', connected, (_, labels) => [
      counter('write_errors_total', labels, 0),
    ]),
    family('write_latency_seconds', 'histogram', connected, (runner, labels) =>
      histogram(
        'write_latency_seconds',
        labels,
        runner.ticks(),
        BOUNDS.map(() => 1),
        WRITE_MEAN_S,
      ),
    ),
  ].join('');
}

function family(name: string, type: string, runners: TrafficRunner[], lines: Family): string {
  if (runners.length === 0) return '';
  const head = `# HELP coderd_scaletest_${name} \n# TYPE coderd_scaletest_${name} ${type}\n`;
  const sorted = runners
    .map((runner): [string, TrafficRunner] => [labelsOf(runner), runner])
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `${head}${sorted.flatMap(([labels, runner]) => lines(runner, labels)).join('')}`;
}

function labelsOf({ target: { workspace, agent } }: TrafficRunner): string {
  return `agent_name="${text(agent, 'name')}",username="${text(workspace, 'owner_name')}",workspace_name="${text(workspace, 'name')}"`;
}

const counter = (name: string, labels: string, value: number): string =>
  `coderd_scaletest_${name}{${labels}} ${value}\n`;

function histogram(name: string, labels: string, n: number, shares: number[], mean: number): string[] {
  const line = (suffix: string, value: number, more = ''): string =>
    `coderd_scaletest_${name}_${suffix}{${labels}${more}} ${value}\n`;
  return [
    ...BOUNDS.map((bound, index) =>
      line('bucket', Math.floor(n * (shares[index] ?? 1)) + 1, `,le="${bound}"`),
    ),
    line('bucket', n + 1, ',le="+Inf"'),
    line('sum', n * mean),
    line('count', n + 1),
  ];
}

/** Serves the page on any path. A port that is taken is no failure: the CLI goes on without. */
export function servePage(address: string, page: () => string): Promise<Server | null> {
  const at = address.lastIndexOf(':');
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores');
    response.end(page());
  });
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(Number(address.slice(at + 1)), address.slice(0, at), () => resolve(server));
  });
}
