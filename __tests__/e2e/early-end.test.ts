import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun } from '../../simulator/runner/runner.js';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  readResult,
  reasonOf,
  resultsOf,
  spread,
  summaryOf,
} from './support.js';

/** One group takes longer than any test, so only an end before its time ends the load at all. */
const endless: Partial<DeploymentOptions> = {
  templateOverrides: { 'ec2-datasci': { startSeconds: spread(300) } },
};
/** Long enough to be looked at more than once. */
const lasting: Partial<DeploymentOptions> = {
  templateOverrides: { 'ec2-datasci': { startSeconds: spread(8) } },
};
const failing = (...more: string[]): string => configFile({ pods: 2, ec2: 1, podTemplate: 'tpl-fail', more });
const criteria = (...entries: string[]): string[] => ['criteria:', ...entries.map((entry) => `  - ${entry}`)];

interface Result {
  verdict: string;
  sentence: string;
  criterion: { id: string };
}
const resultsIn = (run: ActionRun): Record<string, Result> =>
  Object.fromEntries(
    (readJson(run, 'verdict.json') as { results: Result[] }).results.map((result) => [
      result.criterion.id,
      result,
    ]),
  );

function expectEndedEarly(run: ActionRun, ...ids: string[]): void {
  expectOutcome(run, 'fail', 1);
  expect(failedCriteria(run)).toEqual(ids);
  expect(reasonOf(run)).toMatch(/; the load was ended early, after \d+ s/);
  expect(summaryOf(run)).toMatch(/^### Scale test failed\n/);
  for (const id of ids)
    expect(summaryOf(run)).toMatch(new RegExp(`\\*\\*Ended early\\*\\*, after \\d+ s of [^]*- \`${id}\` `));
  expect(logOf(run)).toContain(`The load is ended early by ${ids[0] ?? ''}: `);
  // Nothing of what was cut off is green.
  const cutOff = Object.values(resultsIn(run)).filter(({ criterion: { id } }) => !id.startsWith('cleanup-'));
  expect(cutOff.filter(({ verdict }) => !['fail', 'error', 'skipped'].includes(verdict))).toEqual([]);
  expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: false, verdict: 'fail' });
}

describe.concurrent('abort_early', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([
    ['cli', true],
    ['api', false],
  ] as const)(
    'ends the load when the success rate is lost, cleans up and fails: driver %s',
    (driver, limitsOff) =>
      inWorld({ ...endless, disableRateLimits: limitsOff }, async (world) => {
        const run = await world.gate(failing('abort_early: true'));
        expectEndedEarly(run, '14.6-pod-workspaces', 'create-workspaces-success-rate');
        expectNothingLeft(world);
        expect(readJson(run, 'readiness.json')).toMatchObject({ driver: { driver } });
        expect(reasonOf(run)).toMatch(
          /^14\.6-pod-workspaces failed: [12] of 2 workspaces failed or took longer than 1 m; max < 1m allows none;/,
        );
        const results = resultsIn(run);
        expect(results['create-workspaces-success-rate']?.sentence).toMatch(
          /^[12] of 3 workspaces failed, so at most \d+(\.\d+)?\s% can succeed, expected >= 99%;/,
        );
        expect(results['14.7-ec2-workspaces']).toMatchObject({ verdict: 'error' });
        expect(results['14.7-ec2-workspaces']?.sentence).toContain('was ended early without a result file');
        expect(summaryOf(run)).toMatch(/\nCut short: [^.]*ec2\\_workspaces\.\n/);
        expect(results['cleanup-leftover-workspaces']).toMatchObject({ verdict: 'pass' });
        expect(summaryOf(run)).toMatch(/3 workspaces and 3 users were removed/);
        expect(filesBelow(resultsOf(run))).not.toContain('ec2-workspaces.json');
        const again = await world.run(undefined, {
          inputs: { mode: 'judge', from: resultsOf(run), tests: '' },
        });
        expect(again.outputs['verdict']).toBe('fail');
        for (const name of ['verdict.json', 'summary.md', 'scale-test-report.json'])
          expect(readResult(again, name)).toBe(readResult(run, name));
        // What ended the load is no criterion any more, and the rest was cut off: no verdict, and no pass.
        const others = await world.run(
          configFile({ pods: 2, ec2: 1, podTemplate: 'tpl-fail', podLimit: '2m' }),
          {
            inputs: {
              mode: 'judge',
              from: resultsOf(run),
              tests: '',
              config: 'scaletest-config.yaml',
            },
          },
        );
        expect(others.outputs['verdict']).toMatch(/^(fail|error)$/);
      }),
  );

  it('does not end a load that can still pass', () =>
    inWorld(lasting, async (world) => {
      const config = configFile({
        pods: 1,
        ec2: 2,
        podTemplate: 'tpl-fail',
        suite: ['success_rate: "60%"'],
        more: [
          'abort_early: true',
          ...criteria('{ id: 14.6-pod-workspaces, disabled: true, reason: broken }'),
        ],
      });
      const run = await world.gate(config);
      expectOutcome(run, 'pass', 0);
      expect(logOf(run)).not.toContain('ended early');
      expect(readJson(run, 'run.json')).not.toHaveProperty('endedEarly');
    }));

  it('is off by default: a load that cannot pass goes on to its end', () =>
    inWorld(lasting, async (world) => {
      const run = await world.gate(failing());
      expectOutcome(run, 'fail', 1);
      expect(logOf(run)).not.toContain('ended early');
      expect(filesBelow(resultsOf(run))).toContain('ec2-workspaces.json');
      expect(resultsIn(run)).toMatchObject({ '14.7-ec2-workspaces': { verdict: 'pass' } });
    }));

  it('is not moved by what only informs', () =>
    inWorld(lasting, async (world) => {
      const config = configFile({
        pods: 1,
        ec2: 1,
        more: [
          'abort_early: true',
          ...criteria(
            '{ id: quick, metric: create_workspaces.ec2_workspaces.provisioning, expect: "max < 1s", informational: true }',
          ),
        ],
      });
      const run = await world.gate(config);
      expectOutcome(run, 'pass', 0);
      expect(resultsIn(run)).toMatchObject({ quick: { verdict: 'fail' } });
    }));
});

describe.concurrent('a criterion with "abort: true"', { timeout: LONGEST_SCENARIO_MS }, () => {
  const slow = criteria(
    '{ id: quick, metric: create_workspaces.ec2_workspaces.provisioning, expect: "max < 2s", abort: true }',
  );

  it.each(['gate', 'run'])('ends the load when a build takes too long: red in mode %s', (mode) =>
    inWorld(endless, async (world) => {
      const run = await world.gate(configFile({ pods: 1, ec2: 1, more: slow }), { inputs: { mode } });
      expectOutcome(run, 'fail', 1);
      expect(failedCriteria(run)).toEqual(['quick']);
      expectNothingLeft(world);
      expect(reasonOf(run)).toMatch(
        /^quick failed: 1 of 1 workspace failed or took longer than 2 s; max < 2s allows none; the load was ended early, after \d+ s/,
      );
      expect(summaryOf(run)).toContain('**Ended early**');
    }),
  );

  it('says what was not run at all', () =>
    inWorld(endless, async (world) => {
      const traffic = 'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 3s }';
      const run = await world.gate(configFile({ pods: 1, ec2: 1, more: [traffic, ...slow] }), {
        inputs: { tests: 'create-workspaces, workspace-traffic' },
      });
      expectOutcome(run, 'fail', 1);
      expect(summaryOf(run)).toMatch(/\nCut short: ec2\\_workspaces\. Not run: workspace\\?-traffic\.\n/);
      expectNothingLeft(world);
    }));

  it('does not end it for another criterion that is lost', () =>
    inWorld(lasting, async (world) => {
      const never = criteria(
        '{ id: quick, metric: create_workspaces.ec2_workspaces.provisioning, expect: "max < 5m", abort: true }',
      );
      const run = await world.gate(failing(...never));
      expectOutcome(run, 'fail', 1);
      expect(logOf(run)).not.toContain('ended early');
    }));

  it('ends the load of virtual users by what they measured so far', () =>
    inWorld({ latencySeconds: 1.2 }, async (world) => {
      const config = [
        'dashboard: { concurrency: 5, duration: 5m }',
        'api_probe: { rate: 20, routes: ["/api/v2/templates", "/api/v2/users/me"] }',
        ...criteria('{ id: answers, metric: api.latency, expect: "p95 < 500ms", abort: true }'),
      ].join('\n');
      const run = await world.gate(config, { inputs: { tests: 'all', profile: '' } });
      expectEndedEarly(run, 'answers');
      expectNothingLeft(world);
      expect(resultsIn(run)['api-success-rate']).toMatchObject({ verdict: 'error' });
      const left = [...world.coder.state.tokens.values()].filter(({ name }) =>
        name.startsWith('scaletest-load'),
      );
      expect(left).toEqual([]);
    }));
});
