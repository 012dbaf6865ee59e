import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  configFile,
  errorTexts,
  expectOutcome,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  outcomeOf,
  readJson,
  readResult,
  reasonOf,
  resultsOf,
  spread,
  summaryOf,
  type E2eWorld,
} from './support.js';

const ALL_SUITES = [
  'dashboard: { concurrency: 6, duration: 6s }',
  'api_probe: { rate: 40, routes: ["/api/v2/templates", "/api/v2/users/me"] }',
  'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 3s }',
  'suites:',
  '  notifications: { user-count: 5, template-admin-percentage: 40 }',
  'criteria:',
  '  - { id: queue, metric: create_workspaces.all.queue, expect: "max < 5m", warn: "max < 1ms", informational: true }',
];
const config = configFile({ pods: 4, ec2: 2, more: ALL_SUITES });

interface Judging {
  readonly config?: string;
  readonly inputs?: Record<string, string>;
}

/** Judges results without a deployment, in a workspace of its own; the deployment sees nothing of it. */
async function judge(
  world: E2eWorld,
  from: string,
  { config: text, inputs = {} }: Judging = {},
): Promise<ActionRun> {
  const before = new Map(world.coder.state.requestCounts);
  const downloads = world.releases.requests.length;
  const untouched = filesBelow(from).map((name) => contentOf(from, name));
  const run = await world.run(text, {
    inputs: {
      mode: 'judge',
      from,
      tests: '',
      'coder-url': '',
      'coder-session-token': '',
      ...(text !== undefined && { config: 'scaletest-config.yaml' }),
      ...inputs,
    },
  });
  expect(new Map(world.coder.state.requestCounts)).toEqual(before);
  expect(world.releases.requests).toHaveLength(downloads);
  expect(filesBelow(from).map((name) => contentOf(from, name))).toEqual(untouched);
  expect(run.post?.exitCode).toBe(0);
  expect(logOf(run)).toContain('main left nothing to do');
  return run;
}

const contentOf = (directory: string, name: string): string =>
  readFileSync(path.join(directory, name), 'utf8');

/** Everything but the evidence, which stays where it is. */
function reportsOf(run: ActionRun): Record<string, string> {
  const names = filesBelow(resultsOf(run)).filter(
    (name) => !name.startsWith('evidence/') && !['SHA256SUMS', 'leftovers.json'].includes(name),
  );
  return Object.fromEntries(names.map((name) => [name, readResult(run, name)]));
}

function expectSame(again: ActionRun, run: ActionRun): void {
  expect(resultsOf(again)).not.toBe(resultsOf(run));
  expect(reportsOf(again)).toEqual(reportsOf(run));
  expect(again.main.summary).toBe(run.main.summary);
  expect(outcomeOf(again)).toMatchObject({ exitCode: run.main.exitCode, verdict: run.outputs['verdict'] });
  for (const name of ['reason', 'failed-criteria', 'inconclusive-criteria', 'metrics', 'coder-version'])
    expect(again.outputs[name], name).toBe(run.outputs[name]);
}

describe.concurrent('mode judge', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('gives a gate with all suites the same files, byte by byte; also by the same config, and twice', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(config, { inputs: { tests: 'all', subject: 'commit 0123456' } });
      expect(Object.keys(reportsOf(run))).toEqual(
        expect.arrayContaining([
          'dashboard-results.json',
          'pod-scale-results.json',
          'run.json',
          'scale-test-report.json',
          'traffic-results.json',
          'verdict.json',
        ]),
      );
      const again = await judge(world, resultsOf(run));
      expectSame(again, run);
      const byConfig = await judge(world, resultsOf(run), { config });
      expect({ ...reportsOf(byConfig), 'plan.json': '' }).toEqual({ ...reportsOf(run), 'plan.json': '' });
      expect(readJson(byConfig, 'plan.json')).toEqual(readJson(run, 'plan.json'));
      expectSame(await judge(world, resultsOf(again)), run);
    }));

  it('gives a failed run the same files, with its causes', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 1, podTemplate: 'tpl-fail' }));
      expectOutcome(run, 'fail', 1);
      const again = await judge(world, resultsOf(run));
      expectSame(again, run);
      expect(summaryOf(again)).toContain('Why runs failed');
    }));

  it('gives a run without a result file the same error', () =>
    inWorld({ cli: { noJson: true } }, async (world) => {
      const run = await world.gate(configFile());
      expectOutcome(run, 'error', 1);
      expectSame(await judge(world, resultsOf(run)), run);
    }));

  it('gives a cancelled run the same files', () =>
    inWorld({ templateOverrides: { 'ec2-datasci': { startSeconds: spread(300) } } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 2 }), {
        signals: [{ signal: 'SIGINT', whenLogMatches: /pod_workspaces: 2 of 2 built/ }],
      });
      expectOutcome(run, 'cancelled', 1);
      const again = await judge(world, resultsOf(run));
      expectSame(again, run);
      // A config makes no verdict of a part of a load.
      expect(
        (await judge(world, resultsOf(run), { config: configFile({ pods: 2, ec2: 2 }) })).outputs,
      ).toMatchObject({ verdict: 'cancelled' });
    }));

  it('judges what mode run collected by all its criteria', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0, podLimit: '100ms' }), {
        inputs: { mode: 'run' },
      });
      expect(run.outputs['verdict']).toBeUndefined();
      const again = await judge(world, resultsOf(run));
      expectOutcome(again, 'fail', 1);
      expect(failedCriteria(again)).toEqual(['14.6-pod-workspaces']);
      for (const name of ['metrics.json', 'run.json', 'pod-workspaces.json', 'plan.json'])
        expect(readResult(again, name), name).toBe(readResult(run, name));
      expectSame(await judge(world, resultsOf(again)), again);
    }));

  it('judges by other criteria, of which those without data are errors', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 3, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      const strict = await judge(world, resultsOf(run), {
        config: configFile({ pods: 3, ec2: 0, podLimit: '1ms' }),
      });
      expectOutcome(strict, 'fail', 1);
      expect(failedCriteria(strict)).toEqual(['14.6-pod-workspaces']);
      const more = configFile({ pods: 3, ec2: 0, more: ['dashboard: { concurrency: 5, duration: 1m }'] });
      const unmeasured = await judge(world, resultsOf(run), { config: more });
      expectOutcome(unmeasured, 'error', 1);
      expect(reasonOf(unmeasured)).toContain('api.success_rate was not measured');
      const wrong = await judge(world, resultsOf(run), {
        config: configFile({
          pods: 3,
          ec2: 0,
          more: ['criteria: [{ id: a, metric: api.latncy, expect: "max < 1s" }]'],
        }),
      });
      expectOutcome(wrong, 'error', 1);
      expect(errorTexts(wrong)).toContain('scaletest-config.yaml:9:29');
    }));

  it('names a file that was changed, cut or taken away, and never passes', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }));
      const folder = mkdtempSync(path.join(tmpdir(), 'judged-'));
      const damaged = async (damage: (directory: string) => void): Promise<string> => {
        const copy = mkdtempSync(path.join(folder, 'copy-'));
        cpSync(resultsOf(run), copy, { recursive: true });
        damage(copy);
        const again = await judge(world, copy);
        expectOutcome(again, 'error', 1);
        expect(errorTexts(again)).toContain(reasonOf(again));
        expect(again.outputs['results-dir']).toBeUndefined();
        return reasonOf(again);
      };
      const file = (directory: string, name: string): string => path.join(directory, name);
      try {
        expect(await damaged((at) => appendFileSync(file(at, 'metrics.json'), ' '))).toMatch(
          /are not as the run left them: metrics\.json was changed or is not complete; download them again$/,
        );
        expect(await damaged((at) => truncateSync(file(at, 'evidence/workspaces.json'), 40))).toContain(
          'evidence/workspaces.json was changed or is not complete',
        );
        expect(await damaged((at) => rmSync(file(at, 'plan.json')))).toContain('plan.json is missing');
        expect(await damaged((at) => truncateSync(file(at, 'SHA256SUMS'), 30))).toContain(
          'SHA256SUMS is no list of checksums, SHA256SUMS does not list plan.json',
        );
        expect(await damaged((at) => rmSync(file(at, 'SHA256SUMS')))).toContain('since it has no SHA256SUMS');
        expect(await damaged((at) => writeFileSync(file(at, 'SHA256SUMS'), ''))).toContain('is no list');
        // Another version, with sums that are right.
        const other = await damaged((at) => {
          const text = readFileSync(file(at, 'run.json'), 'utf8').replace('"schema": 1', '"schema": 2');
          const sums = readFileSync(file(at, 'SHA256SUMS'), 'utf8');
          const sum = createHash('sha256').update(text).digest('hex');
          writeFileSync(file(at, 'run.json'), text);
          writeFileSync(file(at, 'SHA256SUMS'), sums.replace(/^.* {2}run\.json$/m, `${sum}  run.json`));
        });
        expect(other).toMatch(
          /^run\.json is not of the form that this version of the action writes \(schema: /,
        );
        // What no run left behind.
        for (const foreign of [
          mkdtempSync(path.join(folder, 'empty-')),
          path.join(folder, 'nowhere'),
          import.meta.dirname,
        ])
          expect(reasonOf(await judge(world, foreign))).toContain(
            `"${foreign}" (input "from") is no results directory of a gate or run that came to its end`,
          );
        const inside = await judge(world, resultsOf(run), { inputs: { 'results-dir': '.' } });
        expect(inside.outputs['verdict']).toBe('pass');
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));

  it('does not write into the results that it reads', () =>
    inWorld({}, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 0 }));
      const workspace = mkdtempSync(path.join(tmpdir(), 'judging-'));
      try {
        cpSync(resultsOf(run), path.join(workspace, 'downloaded'), { recursive: true });
        const again = await world.run(undefined, {
          workspace,
          inputs: { mode: 'judge', from: 'downloaded', 'results-dir': 'downloaded/again', tests: '' },
        });
        expectOutcome(again, 'error', 1);
        expect(reasonOf(again)).toContain('which lies inside the results that are judged');
        expect(filesBelow(path.join(workspace, 'downloaded'))).toEqual(filesBelow(resultsOf(run)));
      } finally {
        rmSync(workspace, { recursive: true });
      }
    }));
});
