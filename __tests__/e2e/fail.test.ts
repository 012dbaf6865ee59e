import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';
import type { ActionRun } from '../../simulator/runner/runner.js';
import type { SimulatedWorld } from '../../simulator/simulated-world.js';
import {
  annotationsOf,
  configFile,
  errorTexts,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  reasonOf,
  resultsOf,
  spread,
  summaryOf,
} from './support.js';

describe.concurrent('a deployment that misses its criteria', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('fails by name: 14.6 in summary, annotation and failed-criteria, and still cleans up', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { startSeconds: spread(2.5) } } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 1, podLimit: '2s' }));
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['14.6-pod-workspaces']);
      expect(reasonOf(run)).toMatch(
        /^14\.6-pod-workspaces failed: max [2-9].* s \(n = 2\), expected max < 2s$/,
      );
      expect(annotationsOf(run, 'error').map(({ title }) => title)).toEqual([
        'Scale test: fail',
        '14.6-pod-workspaces: fail',
      ]);
      expect(errorTexts(run)).toContain('Provisioning time of pod_workspaces: max');
      expect(summaryOf(run)).toMatch(/^### Scale test failed\n/);
      expect(summaryOf(run)).toMatch(/\| 14\.6 \| Provisioning time of pod\\_workspaces.*\*\*fail\*\* \|/);
      expect(summaryOf(run)).toMatch(/\| 14\.7 \| Provisioning time of ec2\\_workspaces.*\| pass \|/);
      expect(summaryOf(run)).toMatch(/pod\\_workspaces: \d+ % of the P95 was the build itself \(/);
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, verdict: 'fail' });
      expect(world.artifacts.artifacts).toHaveLength(1);
    }));
});

const TOKEN_SHAPE = /(?<![A-Za-z0-9])[A-Za-z0-9]{10}-[A-Za-z0-9]{22}(?![A-Za-z0-9])/g;

/** Everything that a run leaves where somebody may read it. */
function textsOf(run: ActionRun, world: SimulatedWorld): Map<string, string> {
  const texts = new Map<string, string>([
    ['log', logOf(run)],
    ['outputs', JSON.stringify(run.outputs)],
    ['state', JSON.stringify(run.state)],
    ['summary of main', run.main.summary],
    ['summary of post', run.post?.summary ?? ''],
  ]);
  for (const [name, step] of [['main', run.main] as const, ['post', run.post] as const]) {
    const printed = (step?.rawOutput ?? '').split('\n').filter((line) => !line.startsWith('::add-mask::'));
    texts.set(`what ${name} printed`, printed.join('\n'));
  }
  for (const folder of [run.workspace, run.temp, run.home]) {
    for (const name of filesBelow(folder)) {
      const file = path.join(folder, name);
      if (path.basename(file) !== 'coder') texts.set(file, readFileSync(file, 'utf8'));
    }
  }
  for (const artifact of world.artifacts.artifacts) {
    for (const [name, content] of artifact.entries()) texts.set(`artifact ${name}`, content.toString('utf8'));
  }
  return texts;
}

function secretsIn(text: string, world: SimulatedWorld): string[] {
  const { state, ownerToken } = world.coder;
  const known = [
    ownerToken,
    ownerToken.split('-')[1] ?? '',
    ...[...state.users.values()].map(({ password }) => password),
    ...[...state.tokens.values()].map(({ secret }) => secret),
  ];
  return [...known.filter((secret) => text.includes(secret)), ...(text.match(TOKEN_SHAPE) ?? [])];
}

function expectNoSecrets(run: ActionRun, world: SimulatedWorld, leastTexts = 25): void {
  const texts = textsOf(run, world);
  expect(texts.size).toBeGreaterThan(leastTexts);
  const found = [...texts].flatMap(([place, text]) => {
    const secrets = secretsIn(text, world);
    return secrets.length === 0 ? [] : [`${place}: ${secrets.join(', ')}`];
  });
  expect(found).toEqual([]);
}

/** The CLI, but after each of its runs these lines of a shell are run with its arguments. */
async function wrappedCli(folder: string, version: string, lines: readonly string[]): Promise<string> {
  const real = await buildCoderExecutable(path.join(folder, 'real'), { version });
  const cli = path.join(folder, 'coder');
  const script = ['#!/bin/sh', `"${real}" "$@"`, 'code=$?', ...lines, 'exit $code', ''].join('\n');
  writeFileSync(cli, script, { mode: 0o755 });
  return cli;
}

/** What it wrote as its result is kept in a folder, so that a test can look at it. */
async function keepingCli(folder: string, version: string): Promise<{ cli: string; kept: string }> {
  const kept = path.join(folder, 'kept');
  const cli = await wrappedCli(folder, version, [
    `mkdir -p "${kept}"`,
    `for a in "$@"; do case "$a" in --output=json:*) cp "\${a#--output=json:}" "${kept}/$$.json";; esac; done`,
  ]);
  return { cli, kept };
}

/** It tells its token in the errors of its result and on stderr. */
const tellingCli = (folder: string, version: string): Promise<string> =>
  wrappedCli(folder, version, [
    'for a in "$@"; do case "$a" in --output=json:*) f="${a#--output=json:}"',
    String.raw`sed "s/\"error\": *\"/&told\\\\n$CODER_SESSION_TOKEN\\\\n/g" "$f" >"$f.told"; mv "$f.told" "$f";; esac; done`,
    String.raw`printf '{"told":"\\t%s"}\n' "$CODER_SESSION_TOKEN" >&2`,
  ]);

function expectFailedBuilds(run: ActionRun, world: SimulatedWorld): void {
  expectOutcome(run, 'fail', 1);
  expectNothingLeft(world);
  expect(failedCriteria(run)).toEqual([
    '14.7-ec2-workspaces',
    'create-workspaces-success-rate',
    '14.11-alive-at-once',
  ]);
  expect(summaryOf(run)).toMatch(
    /\*\*Why runs failed\*\*[\s\S]*\| 2 \| ec2\\_workspaces \| `.*InsufficientInstanceCapacity: no capacity in eu-west-1a.*` \|/,
  );
  expect(summaryOf(run)).toContain('60 %');
  const failed = readJson(run, 'evidence/failed-runs.json') as {
    group: string;
    cause: { message: string; logErrors: string[] };
  }[];
  expect(failed.map(({ group }) => group)).toEqual(['ec2_workspaces', 'ec2_workspaces']);
  for (const { cause } of failed) {
    expect(cause.message).toContain('terraform apply: exit status 1');
    expect(cause.logErrors.join('\n')).toContain('InsufficientInstanceCapacity');
  }
  // The guide's `// 0` would turn a group without a P95 into a pass: its file is not written.
  expect(existsSync(path.join(resultsOf(run), 'pod-workspaces.json'))).toBe(true);
  expect(existsSync(path.join(resultsOf(run), 'ec2-workspaces.json'))).toBe(false);
}

describe.concurrent('failing builds', { timeout: LONGEST_SCENARIO_MS }, () => {
  const failing = { templateOverrides: { 'ec2-datasci': { failingShare: 1 } } };

  it('fails with the causes from the build log, and no secret anywhere (driver "cli")', () =>
    inWorld(failing, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'keeping-cli-'));
      try {
        const { cli, kept } = await keepingCli(folder, 'v2.36.0');
        const run = await world.gate(configFile({ pods: 3, ec2: 2 }), { inputs: { 'coder-path': cli } });
        expectFailedBuilds(run, world);
        const raw = readdirSync(kept)
          .map((name) => readFileSync(path.join(kept, name), 'utf8'))
          .join('\n');
        // The CLI's own files hold each password, or the search below would prove nothing.
        expect(secretsIn(raw, world).length).toBeGreaterThanOrEqual(5);
        expectNoSecrets(run, world);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('takes the secrets out of short logs, which are kept whole', () =>
    inWorld({ statusOverride: { 'POST /api/v2/users/{user}/workspaces': 500 } }, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'keeping-cli-'));
      try {
        const { cli, kept } = await keepingCli(folder, 'v2.36.0');
        const run = await world.gate(configFile({ pods: 3, ec2: 0 }), { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'fail', 1);
        expectNothingLeft(world);
        const raw = readdirSync(kept).map((name) => readFileSync(path.join(kept, name), 'utf8'));
        const document = JSON.parse(raw[0] ?? '') as { runs: Record<string, { logs: string }> };
        const tails = Object.values(document.runs).map(({ logs }) => logs.slice(-4096));
        for (const tail of tails) expect(secretsIn(tail, world).length).toBeGreaterThan(0);
        const failed = readJson(run, 'evidence/failed-runs.json') as { logTail: string }[];
        expect(failed).toHaveLength(3);
        for (const { logTail } of failed) expect(logTail).toContain(String.raw`\"password\":\"***\"`);
        expectNoSecrets(run, world, 15);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('takes the token out where an escaped line break stands directly before it', () =>
    inWorld(failing, async (world) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'telling-cli-'));
      try {
        const cli = await tellingCli(folder, 'v2.36.0');
        const run = await world.gate(configFile({ pods: 3, ec2: 2 }), { inputs: { 'coder-path': cli } });
        expectOutcome(run, 'fail', 1);
        const results = filesBelow(resultsOf(run)).filter((name) => /create-workspaces.*\.json$/.test(name));
        const texts = results.map((name) => readFileSync(path.join(resultsOf(run), name), 'utf8'));
        expect(texts.join('')).toContain(String.raw`told\n***\n`);
        expectNoSecrets(run, world);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));

  it('fails in the same way with the driver "api"', () =>
    inWorld({ ...failing, disableRateLimits: false }, async (world) => {
      const run = await world.gate(configFile({ pods: 3, ec2: 2 }));
      expectFailedBuilds(run, world);
      expectNoSecrets(run, world);
    }));

  it('F13: counts a retried build as a success, and its first attempt apart', () =>
    inWorld({ templateOverrides: { 'pod-swdev': { failingShare: 0.5 } }, seed: 3 }, async (world) => {
      const config = configFile({
        pods: 6,
        ec2: 0,
        podGroup: ['retry: 12'],
        more: [
          'criteria:',
          '  - id: first-attempts',
          '    metric: create_workspaces.pod_workspaces.first_attempt_success_rate',
          '    expect: ">= 99%"',
        ],
      });
      const run = await world.gate(config);
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['first-attempts']);
      expect(summaryOf(run)).toMatch(
        /The build of \d workspaces had to be tried again, and \d of them succeeded then; .* The builds before failed with: terraform apply: exit status 1 \(\d+\)\./,
      );
    }));
});

describe.concurrent('too few samples to decide', { timeout: LONGEST_SCENARIO_MS }, () => {
  // Six builds on four provisioners: the median waits for nothing, but the bound of six samples is the slowest.
  const scarce = {
    provisionerSlots: 4,
    templateOverrides: { 'pod-swdev': { startSeconds: spread(3), dryRunSeconds: spread(0.05) } },
  };
  const config = configFile({
    pods: 6,
    ec2: 0,
    more: [
      'criteria:',
      '  - id: median-queue',
      '    metric: create_workspaces.pod_workspaces.queue',
      '    expect: "p50 < 2s"',
    ],
  });

  it.each([
    { onInconclusive: 'fail', exitCode: 1, level: 'error' },
    { onInconclusive: 'warn', exitCode: 0, level: 'warning' },
  ] as const)('is inconclusive: $onInconclusive', ({ onInconclusive, exitCode, level }) =>
    inWorld(scarce, async (world) => {
      const run = await world.gate(config, { inputs: { 'on-inconclusive': onInconclusive } });
      expectOutcome(run, 'inconclusive', exitCode);
      expectNothingLeft(world);
      expect(JSON.parse(run.outputs['inconclusive-criteria'] ?? '')).toEqual(['median-queue']);
      expect(failedCriteria(run)).toEqual([]);
      expect(reasonOf(run)).toMatch(/^median-queue could not be decided: P50 .*at 95 % confidence it may be/);
      expect(annotationsOf(run, level).map(({ title }) => title)).toEqual([
        'Scale test: inconclusive',
        'median-queue: inconclusive',
      ]);
      expect(annotationsOf(run, level === 'error' ? 'warning' : 'error')).toEqual([]);
      expect(summaryOf(run)).toMatch(/^### Scale test is inconclusive\n/);
      expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false });
    }),
  );

  it('refuses a criterion that its plan cannot decide, with the number that it needs', () =>
    inWorld({}, async (world) => {
      const run = await world.run(configFile({ pods: 10, ec2: 0 }));
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toMatch(
        /"14\.6-pod-workspaces" \(p95 < 1m\) cannot be decided with 10 workspaces: a P95 needs 59, so it needs 49 more workspaces/,
      );
      expect(world.coder.state.workspaces.size).toBe(0);
    }));
});
