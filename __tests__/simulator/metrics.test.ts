import { afterEach, describe, expect, it } from 'vitest';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { Asker, startQuickServer } from './api-scenario.js';
import { explainSkip, hasRecordings, sharedText } from './golden.js';

explainSkip('metrics');

const FAMILIES = [
  'coderd_api_concurrent_requests',
  'coderd_api_request_latencies_seconds',
  'coderd_api_requests_processed_total',
];

let deployment: CoderDeployment | null = null;
afterEach(async () => {
  await deployment?.close();
  deployment = null;
});

interface Family {
  help: string;
  type: string;
  labels: string[];
  bounds: string[];
}

/** What a page says about a family: its help, type, label names and bucket bounds. */
function familyOf(page: string, name: string): Family {
  const lines = page.split('\n');
  const samples = lines.filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?\\{`).test(line));
  const labels = [...(/\{(.*)\}/.exec(samples[0] ?? '')?.[1] ?? '').matchAll(/(\w+)="/g)].map(
    ([, label]) => label ?? '',
  );
  const bounds = samples.flatMap((line) => /le="([^"]+)"/.exec(line)?.[1] ?? []);
  return {
    help: lines.find((line) => line.startsWith(`# HELP ${name} `)) ?? '',
    type: lines.find((line) => line.startsWith(`# TYPE ${name} `)) ?? '',
    labels,
    bounds: [...new Set(bounds)],
  };
}

function sample(page: string, start: string): number {
  const line = page.split('\n').find((one) => one.startsWith(start));
  return Number(line?.split(' ').at(-1) ?? NaN);
}

async function metricsPage(asker: Asker): Promise<string> {
  return String((await asker.ask('', 'GET /api/v2/debug/metrics')).body);
}

describe('metrics page', () => {
  it.runIf(hasRecordings)('has the recorded families', async () => {
    deployment = await startQuickServer('v2.36.0', false);
    const asker = new Asker(deployment);
    await metricsPage(asker);
    const page = await metricsPage(asker);
    const recorded = sharedText('golden/v2.36.0/debug-metrics.txt');
    for (const name of FAMILIES) expect(familyOf(page, name)).toEqual(familyOf(recorded, name));
    expect(page.endsWith('\n')).toBe(true);
  });

  it('counts its own requests by route and code', async () => {
    deployment = await startQuickServer('v2.36.0', false);
    const asker = new Asker(deployment);
    for (let count = 0; count < 5; count += 1) await asker.ask('', 'GET /api/v2/users/me');
    await asker.ask('', 'GET /api/v2/users/nobody');
    await asker.ask('', 'GET /api/v2/nothing');
    const page = await metricsPage(asker);
    const processed = 'coderd_api_requests_processed_total';
    expect(sample(page, `${processed}{code="200",method="GET",path="/api/v2/users/{user}"}`)).toBe(5);
    expect(sample(page, `${processed}{code="404",method="GET",path="/api/v2/users/{user}"}`)).toBe(1);
    expect(sample(page, `${processed}{code="404",method="GET",path="UNKNOWN"}`)).toBe(1);
    const latencies = 'coderd_api_request_latencies_seconds';
    expect(sample(page, `${latencies}_count{method="GET",path="/api/v2/users/{user}"}`)).toBe(6);
    expect(sample(page, `${latencies}_bucket{method="GET",path="/api/v2/users/{user}",le="+Inf"}`)).toBe(6);
  });

  it('counts each replica by itself, and anew after a restart', async () => {
    deployment = await startQuickServer('v2.36.0', false);
    deployment.options.replicas = 2;
    const pages = await deployment.openMetricsPages();
    const asker = new Asker(deployment);
    for (let count = 0; count < 6; count += 1) await asker.ask('', 'GET /api/v2/users/me');
    const read = async (index: number): Promise<string> => (await fetch(pages[index]?.url ?? '')).text();
    const counted = (page: string): number =>
      sample(
        page,
        'coderd_api_requests_processed_total{code="200",method="GET",path="/api/v2/users/{user}"}',
      ) || 0;
    const before = [await read(0), await read(1)];
    expect(before.map(counted).reduce((sum, count) => sum + count)).toBe(6);
    const starts = before.map((page) => sample(page, 'process_start_time_seconds '));
    expect(starts[0]).not.toBe(starts[1]);
    const ids = async () =>
      ((await asker.ask('', 'GET /api/v2/replicas')).body as { id: string }[]).map(({ id }) => id);
    const [first, second] = await ids();
    deployment.restart(0);
    const after = await read(0);
    expect(counted(after)).toBe(0);
    expect(sample(after, 'process_start_time_seconds ')).toBeGreaterThan(starts[0] ?? Infinity);
    const [renewed, same] = await ids();
    expect(renewed).not.toBe(first);
    expect(same).toBe(second);
  });

  it('shows the start of the process with Prometheus on only', async () => {
    deployment = await startQuickServer('v2.36.0', false);
    const asker = new Asker(deployment);
    const start = sample(await metricsPage(asker), 'process_start_time_seconds ');
    expect(Math.abs(start - Date.now() / 1000)).toBeLessThan(60);
    deployment.options.prometheusEnabled = false;
    const page = await metricsPage(asker);
    expect(page).not.toContain('process_start_time_seconds');
    expect(page).toContain('coderd_api_requests_processed_total');
  });
});
