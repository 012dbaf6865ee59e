import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  PrivateAuthority,
  startConnectProxy,
  startFront,
  type ConnectProxy,
  type Front,
} from '../support/front.js';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readResult,
  reasonOf,
  resultsOf,
  type E2eWorld,
} from './support.js';

const HEADER = ['X-Front-Key', 'open, "sesame"-8713'] as const;
const PROXY_LOGIN = ['gate', 'proxy-pass-5521'] as const;
const PASSING = { 'extra-headers': HEADER.join(': ') };
const NO_PROXIES = {
  HTTPS_PROXY: '',
  HTTP_PROXY: '',
  NO_PROXY: '',
  https_proxy: '',
  http_proxy: '',
  no_proxy: '',
};

let authority: PrivateAuthority;
beforeAll(() => {
  authority = new PrivateAuthority();
});
afterAll(() => authority.remove());

interface Network {
  readonly world: E2eWorld;
  readonly front: Front;
  readonly proxy: ConnectProxy;
  readonly url: string;
  readonly gate: (
    config: string,
    inputs: Record<string, string>,
    env?: Record<string, string>,
  ) => Promise<ActionRun>;
}

/** A deployment behind TLS of a private authority that wants a header, and a proxy that alone knows its name. */
function inNetwork(scenario: (network: Network) => Promise<void>): Promise<void> {
  return inWorld({}, async (world) => {
    const identity = authority.issue(['coder.test']);
    const front = await startFront(world.coder.url, identity, HEADER);
    const proxy = await startConnectProxy({ 'coder.test': front.port }, PROXY_LOGIN);
    const url = `https://127.0.0.1:${front.port}`;
    try {
      await scenario({
        world,
        front,
        proxy,
        url,
        gate: (config, inputs, env = {}) =>
          world.gate(config, {
            inputs: { 'coder-url': url, 'ca-file': authority.caFile, ...inputs },
            env: { ...NO_PROXIES, ...env },
          }),
      });
    } finally {
      await Promise.all([front.close(), proxy.close()]);
    }
  });
}

const byApi = configFile({ suite: ['driver: api'] });
const byCli = configFile({ suite: ['driver: cli'] });
const USERS = 'dashboard: { concurrency: 3, duration: 5s, browser: never }';
const FEW = 'informational: true';
const withUsers = configFile({
  pods: 2,
  ec2: 0,
  suite: ['driver: api'],
  more: [
    USERS,
    'criteria:',
    `  - { id: 14.6-pod-workspaces, metric: create_workspaces.pod_workspaces.provisioning, expect: "max < 60s" }`,
    `  - { id: 14.9-api-latency-p95, metric: api.latency, expect: "p95 < 5s", ${FEW} }`,
    `  - { id: 14.10-api-latency-p99, metric: api.latency, expect: "p99 < 5s", ${FEW} }`,
  ],
});

describe.concurrent('a network as companies have it', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('with a private authority and a front that wants a header: driver "cli"', () =>
    inNetwork(async ({ world, front, gate }) => {
      const run = await gate(byCli, PASSING);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(front.seen.length).toBeGreaterThan(20);
    }));

  it('with a proxy that alone knows the deployment: control goes through it', () =>
    inNetwork(async ({ world, proxy, gate }) => {
      const run = await gate(
        byApi,
        { ...PASSING, 'coder-url': 'https://coder.test' },
        { HTTPS_PROXY: proxy.url },
      );
      expectOutcome(run, 'pass', 0);
      // Nobody who reads the log could change what a library warns of.
      expect(run.main.rawOutput).not.toMatch(/experimental/i);
      expectNothingLeft(world);
      expect(new Set(proxy.asked)).toEqual(new Set(['coder.test']));
      const texts = [
        ...filesBelow(resultsOf(run)).map((file) => readResult(run, file)),
        JSON.stringify([run.outputs, run.state]),
        run.main.summary,
        ...[run.main, run.post].map((step) =>
          (step?.rawOutput ?? '')
            .split('\n')
            .filter((line) => !line.startsWith('::add-mask::'))
            .join('\n'),
        ),
      ];
      for (const text of texts) {
        expect(text).not.toContain('sesame');
        expect(text).not.toContain(PROXY_LOGIN[1]);
      }
    }));

  it('keeps the measured load off the proxy', () =>
    inNetwork(async ({ world, front, proxy, gate }) => {
      const run = await gate(
        withUsers,
        { ...PASSING, tests: 'create-workspaces,dashboard', profile: '' },
        { HTTPS_PROXY: proxy.url },
      );
      expect(['pass', 'inconclusive', 'error'], logOf(run)).toContain(run.outputs['verdict']);
      const isOwner = ({ token }: { token: string }): boolean => token === world.coder.ownerToken;
      const direct = front.seen.filter(({ port }) => !proxy.ports.has(port));
      expect(front.seen.filter(isOwner).every(({ port }) => proxy.ports.has(port))).toBe(true);
      // The calls of the virtual users, who have tokens of their own.
      expect(direct.filter((one) => !isOwner(one)).length, logOf(run)).toBeGreaterThan(8);
      expect(direct.filter(isOwner)).toEqual([]);
    }));

  it('sends the load through the proxy when the config says so', () =>
    inNetwork(async ({ proxy, front, gate }) => {
      const run = await gate(
        byCli.replace('create_workspaces:', 'load: { proxy: true }\ncreate_workspaces:'),
        { ...PASSING, 'coder-url': 'https://coder.test' },
        { HTTPS_PROXY: proxy.url },
      );
      expectOutcome(run, 'pass', 0);
      expect(front.seen.every(({ port }) => proxy.ports.has(port))).toBe(true);
    }));

  it('goes around the proxy for the hosts of NO_PROXY', () =>
    inNetwork(async ({ proxy, gate }) => {
      const run = await gate(byApi, PASSING, { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' });
      expectOutcome(run, 'pass', 0);
      expect(proxy.asked).toEqual([]);
    }));

  it.each([
    ['the authority', { 'ca-file': '' }, {}, /give the certificate of its authority as "ca-file"/],
    ['the header', {}, {}, /something in front of Coder .* "extra-headers"/],
    [
      'the name',
      { ...PASSING, 'coder-url': 'https://coder.test' },
      {},
      /https:\/\/coder\.test cannot be reached .*ENOTFOUND/,
    ],
  ])('says what is missing: %s', (_what, inputs, env, says) =>
    inNetwork(async ({ gate }) => {
      const run = await gate(byApi, inputs, env);
      expect(run.outputs['verdict']).toBe('error');
      expect(reasonOf(run)).toMatch(says);
    }),
  );

  it('says so when the proxy refuses', () =>
    inNetwork(async ({ proxy, gate }) => {
      const wrong = proxy.url.replace(PROXY_LOGIN[1], 'wrong-password');
      const run = await gate(
        byApi,
        { ...PASSING, 'coder-url': 'https://coder.test' },
        { HTTPS_PROXY: wrong },
      );
      expect(run.outputs['verdict']).toBe('error');
      expect(reasonOf(run)).toMatch(/the proxy of HTTPS_PROXY did not let it through/);
      expect(reasonOf(run)).not.toContain('wrong-password');
    }));
});

describe.concurrent('inputs for networks', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([
    [
      'a line that is no header',
      { 'extra-headers': 'sesame' },
      /input "extra-headers", line 1: write "Name: value"/,
    ],
    [
      'a header of the gate itself',
      { 'extra-headers': 'X-A: long-value\nCoder-Session-Token: sesame-sesame' },
      /input "extra-headers", line 2: "Coder-Session-Token" is one that the gate sets itself/,
    ],
    [
      'a file that is not there',
      { 'ca-file': 'nowhere.pem' },
      /input "ca-file" is "nowhere\.pem": it cannot be read/,
    ],
  ])('refuses %s', (_case, inputs, says) =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile(), { inputs });
      expect(run.outputs['verdict']).toBe('error');
      expect(reasonOf(run)).toMatch(says);
      expect(logOf(run)).not.toContain('sesame');
    }),
  );

  it('refuses a file without a certificate', () =>
    inWorld({}, async (world) => {
      const file = path.join(mkdtempSync(path.join(tmpdir(), 'no-certificate-')), 'empty.pem');
      writeFileSync(file, 'nothing of the kind');
      const run = await world.gate(configFile(), { inputs: { 'ca-file': file } });
      expect(reasonOf(run)).toMatch(/it holds no certificate in PEM form/);
    }));
});
