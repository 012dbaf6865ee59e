import { formatQuantity } from '../judge/format.js';
import type { LatencySummary, LoadSummary } from '../measure/load-summary.js';
import { milliseconds, seconds, type Milliseconds } from '../units.js';
import { capitalized, cell, code, details, sections, table } from './markdown.js';
import type { RunReport } from './run-report.js';

const SLOWEST = 3;
/** Of what the limiter allows a minute. */
const LOW_SHARE = 0.1;
/** Of fewer calls, the P95 is the one slowest call. */
const TELLING_CALLS = 20;
/** As the phases of a plan are called, in the words of a sentence. */
const PHASE_TEXT: Readonly<Record<string, string>> = {
  create: 'while workspaces were being created',
  dashboard: 'with nothing else going on',
  traffic: 'during the workspace traffic',
};

const count = (value: number): string => formatQuantity(value, 'count');
const time = (value: Milliseconds): string =>
  Number.isFinite(value) ? formatQuantity(seconds(value / 1000), 'seconds') : 'never';

/** What the API load showed, in a few sentences; undefined where there was none. */
export function apiLoadSentences({ load }: Pick<RunReport, 'load'>): readonly string[] {
  if (load?.all === undefined) return [];
  const { all, users, lasted, phases, baseline } = load;
  const byPhase = phases.map(
    ({ phase, p95, n }) => `${time(p95)} ${PHASE_TEXT[phase] ?? phase} (n = ${count(n)})`,
  );
  return [
    `${count(users)} virtual users made ${count(all.n)} API calls in ${formatQuantity(lasted, 'seconds')}: P50 ${time(all.p50)}, P95 ${time(all.p95)}, P99 ${time(all.p99)}${baseline === undefined ? '' : `, where the network and the router alone (buildinfo) take ${time(baseline.p95)} at the P95`}.`,
    ...(byPhase.length > 1 ? [`The P95 was ${byPhase.join(', ')}.`] : []),
    slowestText(load),
    ...troubleText(load),
    `The first visit of each user (${count(load.warmUpCalls)} calls) is left out, since it opens the connections.`,
  ];
}

function slowestText({ routes }: LoadSummary): string {
  const telling = routes.filter(({ n }) => n >= TELLING_CALLS);
  const slowest = (telling.length > 0 ? telling : routes)
    .slice(0, SLOWEST)
    .map(({ route, p95, n }) => `${route} (P95 ${time(p95)}, n = ${count(n)})`);
  return `Slowest routes: ${slowest.join(', ')}.`;
}

function troubleText(load: LoadSummary): string[] {
  const { calls, sockets, health, failures, all, closestLimit } = load;
  const [worst] = failures;
  return [
    ...(all !== undefined && all.failed > 0 && worst !== undefined
      ? [`${count(all.failed)} calls failed, most often ${worst.reason} (${count(worst.count)} times).`]
      : []),
    ...(calls.throttled > 0
      ? [`${count(calls.throttled)} calls were refused by the rate limiter and have no latency.`]
      : []),
    ...(closestLimit !== undefined && closestLimit.leastRemaining < closestLimit.limit * LOW_SHARE
      ? [
          `The rate limiter came close: of ${count(closestLimit.limit)} calls a minute to ${closestLimit.route}, ${count(closestLimit.leastRemaining)} were left.`,
        ]
      : []),
    ...(calls.leftOut > 0
      ? [`${count(calls.leftOut)} calls were left out, since their user or workspace was not there yet.`]
      : []),
    ...(sockets.drops + sockets.refused > 0
      ? [
          `${count(sockets.drops)} inbox connections were ended by the other side and ${count(sockets.refused)} were refused.`,
        ]
      : []),
    ...(health.saturated === undefined ? [] : [`${capitalized(health.saturated)}.`]),
  ];
}

/** The tables of phases and routes, folded; undefined where there was no load. */
export function apiLoadDetails({ load }: Pick<RunReport, 'load'>): string | undefined {
  if (load?.all === undefined) return undefined;
  const phases = load.phases.map((phase) => [cell(phase.phase), ...numbers(phase)]);
  const routes = [...load.routes, ...(load.baseline ? [load.baseline] : [])].map((route) => [
    cell(route.route),
    code(`${route.method} ${route.pattern}`),
    ...numbers(route),
  ]);
  const columns = ['n', 'P50', 'P95', 'P99', 'Max', 'Failed', 'Throttled'];
  const right = columns.map((): 'right' => 'right');
  return details(
    'API latency by phase and route',
    sections([
      table(['Phase', ...columns], phases, ['left', ...right]),
      table(['Route', 'Call', ...columns], routes, ['left', 'left', ...right]),
      `Measured from the intended start of each call to the last byte of its answer, waits for one of the user's six connections included. Failed calls count as infinitely slow, throttled ones are apart. Mix: ${code(load.mix)}. The generator itself was late by ${time(milliseconds(load.health.sendLagP99Ms))} at the P99 and used ${Math.round(load.health.cpuShare * 100)} % of one core.`,
    ]),
  );
}

const numbers = ({ n, p50, p95, p99, max, failed, throttled }: LatencySummary): string[] => [
  count(n),
  time(p50),
  time(p95),
  time(p99),
  time(max),
  count(failed),
  count(throttled),
];

/** The file dashboard-results.json; undefined where a value of it was not measured, so that no reader takes it for 0. */
export function apiLoadResult({ load }: Pick<RunReport, 'load'>): Record<string, unknown> | undefined {
  const all = load?.all;
  if (load === undefined || all === undefined) return undefined;
  if (![all.p50, all.p95, all.p99].every(Number.isFinite)) return undefined;
  return {
    users: load.users,
    duration_seconds: load.lasted,
    total_calls: all.n,
    failed_calls: all.failed,
    throttled_calls: load.calls.throttled,
    success_rate: (all.n - all.failed) / all.n,
    latency: { p50_ms: all.p50, p95_ms: all.p95, p99_ms: all.p99, samples: all.n },
    latency_p95_ms: wholeMilliseconds(all.p95),
    latency_p99_ms: wholeMilliseconds(all.p99),
    phases: Object.fromEntries(
      load.phases
        .filter(({ p99 }) => Number.isFinite(p99))
        .map(({ phase, n, p50, p95, p99 }) => [phase, { p50_ms: p50, p95_ms: p95, p99_ms: p99, samples: n }]),
    ),
  };
}

/** Upwards, so that the guide's whole-number comparison never flatters. */
const wholeMilliseconds = (value: Milliseconds): number => Math.ceil(value - 1e-6);
