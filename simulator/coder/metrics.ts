import type { Deployment } from './deployment.js';
import { jobStatus, latestBuild } from './state.js';

const LATENCY_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10, 30];
/** The content type of a metrics page. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
const WEBSOCKET_BUCKETS = [0.001, 1, 60, 3600, 54_000, 108_000];

class Histogram {
  readonly #bounds: number[];
  readonly #series = new Map<string, { buckets: number[]; sum: number; count: number }>();

  constructor(bounds: number[]) {
    this.#bounds = bounds;
  }

  observe(labels: string, seconds: number): void {
    const known = this.#series.get(labels);
    const series = known ?? { buckets: this.#bounds.map(() => 0), sum: 0, count: 0 };
    if (known === undefined) this.#series.set(labels, series);
    this.#bounds.forEach((bound, index) => {
      if (seconds <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    });
    series.sum += seconds;
    series.count += 1;
  }

  lines(name: string): string[] {
    return sorted(this.#series).flatMap(([labels, { buckets, sum, count }]) => [
      ...this.#bounds.map((bound, index) => `${name}_bucket{${labels},le="${bound}"} ${buckets[index] ?? 0}`),
      `${name}_bucket{${labels},le="+Inf"} ${count}`,
      `${name}_sum{${labels}} ${sum}`,
      `${name}_count{${labels}} ${count}`,
    ]);
  }
}

function sorted<Value>(series: Map<string, Value>): [string, Value][] {
  return [...series].sort(([left], [right]) => (left < right ? -1 : 1));
}

function addTo(series: Map<string, number>, labels: string, step: number): void {
  series.set(labels, (series.get(labels) ?? 0) + step);
}

function family(name: string, help: string, type: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

/** Go prints large numbers in its own short form. */
function goFloat(value: number): string {
  return Math.abs(value) >= 1e21 || (value !== 0 && Math.abs(value) >= 1e6)
    ? value
        .toExponential()
        .replace(/e\+?(-?)(\d)$/, 'e$1+0$2')
        .replace('e-+', 'e-')
        .replace(/e\+?(\d\d)/, 'e+$1')
    : String(value);
}

/** What the deployment counts about its own requests. */
export class RequestMetrics {
  readonly #latencies = new Histogram(LATENCY_BUCKETS);
  readonly #websockets = new Histogram(WEBSOCKET_BUCKETS);
  readonly #processed = new Map<string, number>();
  readonly #concurrent = new Map<string, number>();
  readonly #openSockets = new Map<string, number>();

  begin(method: string, route: string): void {
    addTo(this.#concurrent, `method="${method}",path="${route}"`, 1);
  }

  end(method: string, route: string, status: number, seconds: number): void {
    addTo(this.#concurrent, `method="${method}",path="${route}"`, -1);
    addTo(this.#processed, `code="${status}",method="${method}",path="${route}"`, 1);
    this.#latencies.observe(`method="${method}",path="${route}"`, seconds);
  }

  openSocket(route: string): void {
    addTo(this.#openSockets, `path="${route}"`, 1);
  }

  closeSocket(route: string, seconds: number): void {
    addTo(this.#openSockets, `path="${route}"`, -1);
    addTo(this.#processed, `code="101",method="GET",path="${route}"`, 1);
    this.#websockets.observe(`path="${route}"`, seconds);
  }

  #plain(name: string, series: Map<string, number>): string[] {
    return sorted(series).map(([labels, value]) => `${name}{${labels}} ${value}`);
  }

  /** @param startedAt when the process began, which counts here. */
  text(deployment: Deployment, startedAt: number): string {
    const concurrent = 'coderd_api_concurrent_requests';
    const sockets = 'coderd_api_concurrent_websockets';
    const latencies = 'coderd_api_request_latencies_seconds';
    const processed = 'coderd_api_requests_processed_total';
    const durations = 'coderd_api_websocket_durations_seconds';
    const lines = [
      ...(deployment.options.prometheusEnabled ? activeUsers(deployment) : []),
      ...family(
        concurrent,
        'The number of concurrent API requests.',
        'gauge',
        this.#plain(concurrent, this.#concurrent),
      ),
      ...family(
        sockets,
        'The total number of concurrent API websockets.',
        'gauge',
        this.#plain(sockets, this.#openSockets),
      ),
      ...family(
        latencies,
        'Latency distribution of requests in seconds.',
        'histogram',
        this.#latencies.lines(latencies),
      ),
      ...family(
        processed,
        'The total number of processed API requests',
        'counter',
        this.#plain(processed, this.#processed),
      ),
      ...family(
        durations,
        'Websocket duration distribution of requests in seconds.',
        'histogram',
        this.#websockets.lines(durations),
      ),
      ...(deployment.options.prometheusEnabled ? prometheusOnly(deployment, startedAt) : []),
    ];
    return `${lines.join('\n')}\n`;
  }
}

/** Served with Prometheus on also by a process that has not answered anything yet. */
function activeUsers({ state }: Deployment): string[] {
  const name = 'coderd_api_active_users_duration_hour';
  const active = state.liveUsers().filter(({ status }) => status === 'active').length;
  return family(name, 'The number of users that have been active within the last hour.', 'gauge', [
    `${name} ${active}`,
  ]);
}

/** Families that are only served with Prometheus switched on; a few of the many. */
function prometheusOnly(deployment: Deployment, startedAt: number): string[] {
  const { state, provisioning } = deployment;
  const running = provisioning.daemons.filter((daemon) => daemon.job !== null).length;
  const statuses = new Map<string, number>();
  for (const workspace of state.liveWorkspaces()) {
    const { job, transition } = latestBuild(workspace);
    const owner = state.users.get(workspace.ownerId)?.username ?? '';
    const template = state.templates.get(workspace.templateId);
    addTo(
      statuses,
      `status="${jobStatus(job)}",template_name="${template?.options.name ?? ''}",template_version="${template?.versionName ?? ''}",workspace_owner="${owner}",workspace_transition="${transition.toUpperCase()}"`,
      1,
    );
  }
  const daemons = 'coderd_provisionerd_num_daemons';
  const jobs = 'coderd_provisionerd_jobs_current';
  const latest = 'coderd_workspace_latest_build_status';
  const start = 'process_start_time_seconds';
  return [
    ...family(jobs, 'The number of currently running provisioner jobs.', 'gauge', [
      `${jobs}{provisioner="terraform"} ${running}`,
    ]),
    ...family(daemons, 'The number of provisioner daemons.', 'gauge', [
      `${daemons} ${provisioning.daemons.length}`,
    ]),
    ...family(
      latest,
      'The current workspace statuses by template, transition, and owner.',
      'gauge',
      sorted(statuses).map(([labels, value]) => `${latest}{${labels}} ${value}`),
    ),
    ...family(start, 'Start time of the process since unix epoch in seconds.', 'gauge', [
      `${start} ${goFloat(Math.round(startedAt / 10) / 100)}`,
    ]),
  ];
}
