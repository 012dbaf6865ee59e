import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { restartMetric } from '../../src/measure/restarts.js';
import { serverDelta } from '../../src/measure/server-latency.js';
import { Redactor } from '../../src/redact/redactor.js';
import { ServerWatch } from '../../src/run/server-watch.js';
import type { Clock } from '../../src/ports.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock } from '../support/fakes.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

stopDeploymentsAfterEach();
explainSkip('evidence of a recorded metrics page');

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function watchOf(
  deployment: CoderDeployment,
  { signal = new AbortController().signal, directory = '', onLongPause = (): void => undefined } = {},
) {
  const folder = mkdtempSync(path.join(tmpdir(), 'server-watch-'));
  folders.push(folder);
  const hurried = hurriedClock(1000);
  const clock: Clock = {
    ...hurried,
    sleep: async (duration, pauseSignal) => {
      if (duration > 20_000) onLongPause();
      else await hurried.sleep(duration, pauseSignal);
    },
  };
  const source = { http: ownerApi(deployment, clock).http, token: deployment.ownerToken, pages: [], clock };
  const context = { evidenceDirectory: path.join(folder, directory), redactor: new Redactor(), signal };
  return { watch: new ServerWatch(source, context), folder };
}

const ask = (deployment: CoderDeployment, times: number): Promise<unknown> =>
  Promise.all(Array.from({ length: times }, () => ownerApi(deployment).me()));

describe('the watch over coderd', () => {
  it('keeps both looks as evidence, without a token', async () => {
    const deployment = await startDeployment();
    const { watch, folder } = watchOf(deployment);
    await watch.start();
    await ask(deployment, 7);
    const seen = await watch.stop();
    const delta = serverDelta(seen);
    if ('unavailable' in delta) throw new Error(delta.reason);
    expect(delta.routes.find(({ path: name }) => name === '/api/v2/users/{user}')).toMatchObject({
      latency: { total: 7 },
      codes: { 200: 7 },
    });
    expect(restartMetric(seen)).toMatchObject({ value: 0 });
    expect(readdirSync(folder).sort()).toEqual([
      'server-metrics.end.txt',
      'server-metrics.json',
      'server-metrics.start.txt',
    ]);
    const texts = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    expect(texts.join('')).not.toContain(deployment.ownerToken);
    expect(JSON.parse(readFileSync(path.join(folder, 'server-metrics.json'), 'utf8'))).toMatchObject({
      schema: 1,
      start: { replicas: { kind: 'listed' }, pages: [{ file: 'evidence/server-metrics.start.txt' }] },
      end: { pages: [{ source: 'GET /api/v2/debug/metrics', file: 'evidence/server-metrics.end.txt' }] },
    });
  });

  it('keeps a file of each replica', async () => {
    const deployment = await startDeployment({ replicas: 2 });
    const { watch, folder } = watchOf(deployment);
    await watch.start();
    await ask(deployment, 6);
    expect(serverDelta(await watch.stop())).toMatchObject({ processes: 2 });
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining([
        'server-metrics.start.1.txt',
        'server-metrics.start.2.txt',
        'server-metrics.end.2.txt',
      ]),
    );
  });

  it.each([
    ['by its counters and id', { prometheusEnabled: false }],
    ['by its start and id', {}],
    ['by its start, of an AGPL build', { agpl: true }],
    ['by its counters, of an AGPL build', { agpl: true, prometheusEnabled: false }],
    ['by its id, of an old server', { version: 'v2.21.3' }],
    ['by its id, of several that cannot be told apart', { replicas: 3, prometheusEnabled: false }],
  ])('sees that coderd began anew %s', async (_, options) => {
    const deployment = await startDeployment(options);
    await ask(deployment, 1);
    const { watch } = watchOf(deployment);
    await watch.start();
    deployment.restart();
    const seen = await watch.stop();
    expect(restartMetric(seen)).toMatchObject({ shape: 'count', value: 1 });
    expect(serverDelta(seen)).toHaveProperty('reason');
  });

  it('does not take a replica more for a restart', async () => {
    const deployment = await startDeployment({ replicas: 1 });
    const { watch } = watchOf(deployment);
    await watch.start();
    deployment.options.replicas = 2;
    expect(restartMetric(await watch.stop())).toMatchObject({ value: 0 });
  });

  it('looks again before the load when one of several began just now, perhaps in the place of a dead one', async () => {
    const deployment = await startDeployment({ replicas: 2 });
    const { watch } = watchOf(deployment, {
      onLongPause: () => {
        deployment.options.replicas = 1;
      },
    });
    deployment.restart(1);
    await watch.start();
    expect(deployment.state.requestCounts.get('GET /api/v2/replicas')).toBe(2);
    const seen = await watch.stop();
    expect(restartMetric(seen)).toMatchObject({ value: 0 });
    expect(serverDelta(seen)).toMatchObject({ processes: 1 });
  });

  it('looks again after it when a dead replica may still be listed', async () => {
    const deployment = await startDeployment({ replicas: 1, balancerIsSticky: true });
    const { watch } = watchOf(deployment, {
      onLongPause: () => {
        deployment.restart(0);
        deployment.options.replicas = 1;
      },
    });
    await watch.start();
    deployment.options.replicas = 2;
    expect(restartMetric(await watch.stop())).toMatchObject({ value: 1 });
  });

  it('throws nothing when the deployment is gone, and is never green then', async () => {
    const deployment = await startDeployment({ agpl: true });
    const { watch } = watchOf(deployment);
    await watch.start();
    deployment.options.apiDown = true;
    const metric = restartMetric(await watch.stop());
    expect(metric.shape).toBe('missing');
    expect(metric).not.toHaveProperty('skipped');
  });

  it('throws nothing when its evidence cannot be written', async () => {
    const { watch } = watchOf(await startDeployment(), { directory: 'not/there' });
    await watch.start();
    expect(restartMetric(await watch.stop())).toMatchObject({
      shape: 'missing',
      reason: expect.stringMatching(/ENOENT/) as unknown,
    });
  });

  it('is short after a cancel', async () => {
    const controller = new AbortController();
    const deployment = await startDeployment();
    const { watch } = watchOf(deployment, { signal: controller.signal });
    await watch.start();
    const asked = deployment.state.requestCounts.get('GET /api/v2/debug/metrics');
    controller.abort();
    const seen = await watch.stop();
    expect(deployment.state.requestCounts.get('GET /api/v2/debug/metrics')).toBe(asked);
    expect(restartMetric(seen)).toMatchObject({
      reason: expect.stringMatching(/the job was cancelled/) as unknown,
    });
  });

  it('without a first look is missing', async () => {
    const { watch } = watchOf(await startDeployment());
    expect(restartMetric(await watch.stop())).toMatchObject({ shape: 'missing' });
  });

  it.runIf(hasRecordings)('finds nothing to mask on a recorded page', () => {
    const page = sharedText('golden/v2.36.0/debug-metrics.txt')
      .split('\n')
      .filter((line) => /^(# (HELP|TYPE) )?coderd_api_/.test(line))
      .join('\n');
    expect(new Redactor().clean(page)).toBe(page);
  });
});
