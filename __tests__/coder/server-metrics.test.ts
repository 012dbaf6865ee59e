import { afterEach, describe, expect, it } from 'vitest';
import { takeSnapshot, type ServerSource } from '../../src/coder/server-metrics.js';
import { isUnavailable, type ServerPage, type ServerSnapshot } from '../../src/server-evidence.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock } from '../support/fakes.js';
import { answerJson, serve, type Handler, type TestServer } from '../support/http-server.js';
import { pageText } from '../support/server-pages.js';

stopDeploymentsAfterEach();
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function page(handler: Handler): Promise<TestServer> {
  const server = await serve(handler);
  servers.push(server);
  return server;
}

const clock = hurriedClock(1000);
const sourceOf = (deployment: CoderDeployment, pages: readonly string[] = []): ServerSource => ({
  http: ownerApi(deployment, clock).http,
  token: deployment.ownerToken,
  pages,
  clock,
});
const look = (deployment: CoderDeployment, pages?: readonly string[]): Promise<ServerSnapshot> =>
  takeSnapshot(sourceOf(deployment, pages));

function pagesOf({ pages }: ServerSnapshot): readonly ServerPage[] {
  if (isUnavailable(pages)) throw new Error(pages.reason);
  return pages;
}
function whyNot({ pages }: ServerSnapshot): { unavailable: string; reason: string } {
  if (!isUnavailable(pages)) throw new Error('the pages are there');
  return pages;
}

describe('the deployment’s own page', () => {
  it('is reduced to the families that are measured by, and tells its process', async () => {
    const [only] = pagesOf(await look(await startDeployment()));
    expect(only?.source).toBe('GET /api/v2/debug/metrics');
    expect(Math.abs((only?.processStart ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(Math.abs(Date.parse(only?.answeredAt ?? '') - Date.now())).toBeLessThan(5000);
    const names = (only?.text ?? '')
      .split('\n')
      .map((line) => line.replace(/^# (HELP|TYPE) /, '').split(/[{ ]/)[0]);
    expect(names.filter((name) => !/^(coderd_api_.*|process_start_time_seconds|)$/.test(name ?? ''))).toEqual(
      [],
    );
    expect(only?.text).toContain(
      'coderd_api_requests_processed_total{code="200",method="GET",path="/api/v2/replicas"} 1',
    );
  });

  it('does not tell its process while Prometheus is off, and is enough of one replica', async () => {
    const [only] = pagesOf(await look(await startDeployment({ prometheusEnabled: false })));
    expect(only).not.toHaveProperty('processStart');
    expect(only?.text).toContain('coderd_api_request_latencies_seconds_bucket');
  });

  it('is enough of an AGPL build, which has no list of replicas', async () => {
    const seen = await look(await startDeployment({ version: 'v2.31.0', agpl: true }));
    expect(seen.replicas).toEqual({ kind: 'single' });
    expect(pagesOf(seen)).toHaveLength(1);
  });

  it('is skipped on servers that have none, which list their replicas all the same', async () => {
    const seen = await look(await startDeployment({ version: 'v2.21.3' }));
    expect(seen.replicas).toMatchObject({ kind: 'listed', replicas: [{ hostname: 'vm-0' }] });
    expect(whyNot(seen)).toEqual({
      unavailable: 'skipped',
      reason: 'the server has no GET /api/v2/debug/metrics, which came with Coder v2.28',
    });
  });

  it('is asked until every replica has answered', async () => {
    const pages = pagesOf(await look(await startDeployment({ replicas: 4 })));
    expect(new Set(pages.map(({ processStart }) => processStart)).size).toBe(4);
  });

  it('is skipped when several replicas cannot be told apart', async () => {
    const seen = await look(await startDeployment({ replicas: 3, prometheusEnabled: false }));
    expect(whyNot(seen)).toMatchObject({ unavailable: 'skipped' });
    expect(whyNot(seen).reason).toMatch(/^3 replicas answer at one address, and while Prometheus is off/);
  });

  it('is skipped when a balancer keeps us at one of several replicas, and is not asked for ever', async () => {
    const deployment = await startDeployment({ replicas: 2, balancerIsSticky: true });
    const seen = await look(deployment);
    expect(whyNot(seen)).toMatchObject({ unavailable: 'skipped' });
    expect(whyNot(seen).reason).toMatch(/^only 1 of 2 replicas answered in 20 requests/);
    expect(deployment.state.requestCounts.get('GET /api/v2/debug/metrics')).toBe(20);
  });

  it.each([
    [403, 'skipped', /answered 403/],
    [404, 'skipped', /has no GET/],
    [401, 'failed', /answered 401/],
    [500, 'failed', /answered 500/],
    [502, 'failed', /answered 502/],
  ])('that answers %i is %s', async (status, unavailable, reason) => {
    const deployment = await startDeployment({ statusOverride: { 'GET /api/v2/debug/metrics': status } });
    const why = whyNot(await look(deployment));
    expect(why).toMatchObject({ unavailable });
    expect(why.reason).toMatch(reason);
    // What may pass is asked again.
    expect(deployment.state.requestCounts.get('GET /api/v2/debug/metrics')).toBe(
      unavailable === 'failed' ? 3 : 1,
    );
  });

  it('fails together with the list when the deployment is down', async () => {
    const seen = await look(await startDeployment({ apiDown: true }));
    expect(seen.replicas).toMatchObject({ unavailable: 'failed' });
    expect(whyNot(seen)).toMatchObject({ unavailable: 'failed' });
  });

  it('says nothing while the number of replicas is not known', async () => {
    const seen = await look(await startDeployment({ statusOverride: { 'GET /api/v2/replicas': 500 } }));
    expect(whyNot(seen).reason).toMatch(/^the replicas are not known: .*answered 500/);
  });

  it('ends with the signal', async () => {
    const deployment = await startDeployment();
    await expect(takeSnapshot(sourceOf(deployment), AbortSignal.abort(new Error('over')))).rejects.toThrow(
      'over',
    );
  });
});

describe('pages that the user named', () => {
  it('are all read, and never told the token', async () => {
    const deployment = await startDeployment({ replicas: 2, prometheusEnabled: true });
    const opened = await deployment.openMetricsPages();
    const pages = pagesOf(
      await look(
        deployment,
        opened.map(({ url }) => url),
      ),
    );
    expect(pages.map(({ source }) => source)).toEqual(opened.map(({ url }) => url));
    for (const { seen } of opened) {
      expect(seen).toHaveLength(1);
      expect(JSON.stringify(seen)).not.toContain(deployment.ownerToken.slice(0, 10));
      expect(seen[0]).not.toHaveProperty('coder-session-token');
    }
    expect(deployment.state.requestCounts.get('GET /api/v2/debug/metrics')).toBeUndefined();
  });

  it('are skipped when replicas are missing among them', async () => {
    const deployment = await startDeployment({ replicas: 3 });
    const [first] = await deployment.openMetricsPages();
    expect(whyNot(await look(deployment, [first?.url ?? ''])).reason).toBe(
      '"prometheus-url" names 1 of the metrics pages of 3 replicas',
    );
  });

  const PROMETHEUS: readonly (readonly [string, Handler])[] = [
    ['a Prometheus server’s site', (_, response) => response.writeHead(302, { Location: '/graph' }).end()],
    ['its API', (_, response) => answerJson(response, 200, { status: 'success', data: {} })],
    ['a page of HTML', (_, response) => response.end('<html>'.repeat(10))],
    ['the page of another program', (_, response) => response.end('prometheus_build_info 1\n')],
    ['nothing there', (_, response) => response.writeHead(404).end()],
    [
      'what a Prometheus collected',
      (_, response) =>
        response.end(
          'coderd_api_requests_processed_total{code="200",instance="a:2112",method="GET"} 1 1700000000000\n',
        ),
    ],
  ];
  it.each(PROMETHEUS)('are not supported: %s', async (_, handler) => {
    const server = await page(handler);
    const why = whyNot(await look(await startDeployment(), [`${server.url}/metrics?token=secret`]));
    expect(why).toMatchObject({ unavailable: 'skipped' });
    expect(why.reason).toMatch(/^not supported: http:\/\/127\.0\.0\.1:\d+\/metrics .*one for each replica$/);
    expect(why.reason).not.toContain('secret');
  });

  const BROKEN: readonly (readonly [string, Handler, RegExp])[] = [
    ['an error', (_, response) => response.writeHead(503).end(), /answered 503$/],
    [
      'a page that is cut',
      (_, response) => response.end('coderd_api_requests_processed_total{code="200"} 1\ncoderd_ap'),
      /ends in the middle of a line/,
    ],
    [
      'a line without end',
      (_, response) => response.end('x'.repeat(2_000_000)),
      /lines that no metrics page has/,
    ],
    [
      'a start that is none',
      (_, response) =>
        response.end(`${pageText([{ path: '/x', latencies: [1] }])}process_start_time_seconds NaN\n`),
      /the start of the process is "NaN"/,
    ],
    ['a connection that is cut', (_, response) => response.destroy(), /could not be read/],
  ];
  it.each(BROKEN)('fail with %s, after three attempts', async (_, handler, reason) => {
    const server = await page(handler);
    const why = whyNot(await look(await startDeployment(), [server.url]));
    expect(why).toMatchObject({ unavailable: 'failed' });
    expect(why.reason).toMatch(reason);
    expect(server.seen).toHaveLength(3);
  });

  it('are read again when an attempt failed', async () => {
    const server = await page((_, response, count) => {
      if (count === 1) response.writeHead(503).end();
      else response.end(pageText([{ path: '/x', latencies: [1] }]));
    });
    expect(pagesOf(await look(await startDeployment(), [server.url]))).toHaveLength(1);
  });

  it('are refused when they are longer than any page, without being kept in memory', async () => {
    const server = await page((_, response) => {
      const line = `coderd_api_x{a="${'y'.repeat(1000)}"} 1\n`.repeat(1000);
      let sent = 0;
      const more = (): void => {
        while (sent < 40 && !response.destroyed) {
          sent += 1;
          if (!response.write(line)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const why = whyNot(await look(await startDeployment(), [server.url]));
    expect(why.reason).toMatch(/its coderd_api metrics have more than 33554432 bytes/);
  });
});
