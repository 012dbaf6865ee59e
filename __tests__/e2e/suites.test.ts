import { describe, expect, it } from 'vitest';
import type { CliBehaviour, DeploymentOptions } from '../../simulator/coder/options.js';
import {
  configFile,
  errorTexts,
  expectNothingLeft,
  expectOutcome,
  expectRefusal,
  failedCriteria,
  filesBelow,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  reasonOf,
  resultsOf,
  summaryOf,
} from './support.js';
import { licensed, metricsOf, NOTIFICATIONS, PREBUILDS, suites, type SuiteRunOptions } from './suite-runs.js';

const UPDATES = `suites:
  workspace-updates: { workspace-count: 4, power-user-workspaces: 2, template: ec2-datasci, parameter: "size=large" }
`;
const AUTOSTART = 'suites:\n  autostart: { workspace-count: 2, template: pod-swdev, autostart-delay: 2m }\n';
const experiment: Partial<DeploymentOptions> = { experiments: ['workspace-build-updates'] };

describe.concurrent('any other suite of the CLI', { timeout: LONGEST_SCENARIO_MS }, () => {
  it('passes with its own numbers in metrics.json and a sentence in the summary', () =>
    suites(
      `${UPDATES}  notifications: { user-count: 5, template-admin-percentage: 40 }
criteria:
  - { id: updates, metric: workspace-updates.workspace_updates_latency_seconds, expect: "max < 1m" }
  - { id: receipts, metric: notifications.notification_websocket_receipt_time, expect: "== 2" }
  - { id: delivery, metric: notifications.notification_delivery_latency_seconds, expect: "p90 < 250ms", informational: true }
`,
      {},
      (run, world) => {
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(metricsOf(run)).toMatchObject({
          'workspace-updates.success_rate': { good: 3, total: 3 },
          'workspace-updates.duration': {
            unit: 'seconds',
            n: 3,
            source: 'cli-result',
            phase: 'workspace-updates',
          },
          // Four workspaces, each named in the map of its run.
          'workspace-updates.workspace_updates_latency_seconds': {
            unit: 'seconds',
            n: 4,
            evidence: ['evidence/workspace-updates.json'],
          },
          'notifications.success_rate': { good: 5, total: 5 },
          'notifications.notification_delivery_latency_seconds': {
            shape: 'buckets',
            source: 'cli-prometheus',
            evidence: ['evidence/notifications.metrics.txt'],
          },
        });
        const flat = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
        expect(flat['workspace-updates.success_rate.value']).toBe(1);
        expect(summaryOf(run)).toMatch(
          /\*\*Other suites\*\*\s+- workspace-updates: 3 of 3 runs passed; the P95 of duration was .*\n- notifications: 5 of 5/,
        );
        const plan = readJson(run, 'plan.json') as {
          effects: unknown;
          phases: { steps: { command: string[] }[] }[];
        };
        expect(plan.effects).toMatchObject({ workspaces: 4, users: 8 });
        // The template's other parameter is added, or the CLI would ask for it.
        expect(plan.phases[0]?.steps[0]?.command).toEqual(
          expect.arrayContaining(['--parameter=size=large', '--parameter=region=eu-west-1', '--no-cleanup']),
        );
        expect(filesBelow(resultsOf(run))).toEqual(
          expect.arrayContaining(['evidence/notifications.json', 'evidence/workspace-updates.stderr.txt']),
        );
      },
    ));

  it('leaves the numbers of the groups alone, although its workspaces are of the same template', () =>
    suites(
      configFile({
        pods: 3,
        ec2: 0,
        more: [
          'suites:',
          '  workspace-updates: { workspace-count: 4, power-user-workspaces: 2, template: pod-swdev }',
        ],
      }),
      { inputs: { profile: 'smoke' } },
      (run, world) => {
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(metricsOf(run)).toMatchObject({
          'create_workspaces.all.peak_alive': { value: 3 },
          'create_workspaces.pod_workspaces.queue': { n: 3 },
          'workspace-updates.success_rate': { good: 3, total: 3 },
        });
      },
    ));

  it('fails when runs failed, with the cause, and counts these as infinitely slow', () =>
    suites(
      `${NOTIFICATIONS}criteria:\n  - { id: slowest, metric: notifications.duration, expect: "max < 10m" }\n`,
      { cli: { failingShare: 0.4 } },
      (run, world) => {
        expectOutcome(run, 'fail', 1);
        expectNothingLeft(world);
        expect(failedCriteria(run)).toEqual(['notifications-success-rate', 'slowest']);
        expect(reasonOf(run)).toMatch(/60 % \(3 of 5\), expected >= 99%/);
        expect(summaryOf(run)).toContain('the run failed by order');
      },
    ));

  it('fails although the CLI exits with 0 when runs failed, and removes the template that it left', () =>
    suites(
      'suites:\n  dynamic-parameters: { concurrent-evaluations: 6 }\n',
      { cli: { failingShare: 0.5 } },
      (run, world) => {
        expectOutcome(run, 'fail', 1);
        expect(failedCriteria(run)).toEqual(['dynamic-parameters-success-rate']);
        expect(metricsOf(run)).toMatchObject({ 'dynamic-parameters.success_rate': { good: 3, total: 6 } });
        expect(logOf(run)).toContain('dynamic-parameters: done after');
        expect(logOf(run)).toMatch(/exit code 0/);
        expect([...world.coder.state.templates.values()].map(({ options }) => options.name)).not.toContain(
          'scaletest-dynamic-parameters',
        );
      },
    ));

  it.each<[string, Partial<CliBehaviour>, RegExp]>([
    ['runs nothing', { zeroRuns: true }, /notifications: the suite did zero runs of 5 planned/],
    ['loses runs', { dropRuns: 2 }, /notifications: only 3 of 5 planned runs were done/],
    [
      'writes no result file',
      { noJson: true },
      /notifications: the suite exited with 0 without a result file/,
    ],
    ['writes half a result file', { truncateJson: true }, /notifications: the result file is truncated/],
  ])('is an error when it %s and exits with 0', (_, cli, reason) =>
    suites(NOTIFICATIONS, { cli }, (run, world) => {
      expectOutcome(run, 'error', 1);
      expectNothingLeft(world);
      expect(reasonOf(run)).toMatch(reason);
    }),
  );

  it('is an error where a metric is asked for that turns out absent', () =>
    suites(
      `${NOTIFICATIONS}criteria:\n  - { id: absent, metric: notifications.no_such_seconds, expect: "p95 < 1s" }\n`,
      {},
      (run) => {
        expectOutcome(run, 'error', 1);
        expect(reasonOf(run)).toContain('notifications.no_such_seconds was not measured');
      },
    ));

  it('is an error where what it measured is of another kind than the expectation', () =>
    suites(
      `suites:
  bridge: { concurrent-users: 2, provider: completions, request-count: 3, upstream-url: "http://127.0.0.1:9" }
criteria:
  - { id: average, metric: bridge.avg_duration, expect: "max < 1ms" }
  - { id: tokens, metric: bridge.total_tokens, expect: "min >= 45" }
  - { id: wrong, metric: bridge.request_count, expect: "max < 1s" }
`,
      {},
      (run) => {
        expectOutcome(run, 'error', 1);
        expect(reasonOf(run)).toMatch(
          /wrong could not be judged: "max < 1s" compares with a quantity of another kind/,
        );
        // Go's durations are times: 673.833 µs.
        expect(metricsOf(run)['bridge.avg_duration']).toMatchObject({ samples: [0.000673833, 0.000673833] });
      },
    ));

  it('R3: has no duration where the CLI writes zero times: autostart', () =>
    suites(
      `${AUTOSTART}criteria:
  - { id: start, metric: autostart.trigger_to_completion_seconds, expect: "max < 1m" }
  - { id: zero, metric: autostart.duration, expect: "max < 1s" }
`,
      { deployment: experiment },
      (run, world) => {
        expectOutcome(run, 'error', 1);
        expectNothingLeft(world);
        expect(reasonOf(run)).toMatch(
          /zero could not be judged: autostart: the CLI writes no times of these runs/,
        );
        expect(metricsOf(run)).toMatchObject({
          'autostart.duration': { shape: 'missing' },
          'autostart.trigger_to_completion_seconds': { n: 2, failed: 0 },
        });
        const flat = JSON.parse(run.outputs['metrics'] ?? '') as Record<string, number>;
        expect(Object.keys(flat).filter((name) => name.startsWith('autostart.duration'))).toEqual([]);
      },
    ));

  it('whose file is lost when a run failed is an error: autostart', () =>
    suites(AUTOSTART, { deployment: experiment, cli: { failingShare: 0.5 } }, (run, world) => {
      expectOutcome(run, 'error', 1);
      expectNothingLeft(world);
      expect(reasonOf(run)).toMatch(
        /autostart: the suite exited with 1 without a result file: .*load test failed/,
      );
    }));
});

describe.concurrent('a suite that cannot run', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each<[string, string, RegExp]>([
    [
      'of an unknown name',
      'suites:\n  notification: {}\n',
      /scaletest-config\.yaml:2:3: suites: there is no suite "notification"; did you mean "notifications"\?/,
    ],
    [
      'with a misspelled flag',
      'suites:\n  notifications: { user-cuont: 5 }\n',
      /scaletest-config\.yaml:2:20: suites\.notifications\.user-cuont: the suite "notifications" has no such flag; did you mean "user-count"\?/,
    ],
    [
      'without a flag that it needs',
      'suites:\n  autostart: { template: pod-swdev }\n',
      /suites\.autostart needs "workspace-count"/,
    ],
    [
      'with a flag that is the gate’s own',
      'suites:\n  notifications: { user-count: 5, output: json }\n',
      /suites\.notifications\.output: this flag cannot be set: the gate names the result file/,
    ],
    [
      'with too short a delay',
      AUTOSTART.replace('2m', '30s'),
      /suites\.autostart\.autostart-delay: at least 2m is needed/,
    ],
    [
      'that is a stand-in server',
      'suites:\n  smtp: {}\n',
      /suites: "smtp" cannot be run here: it is a stand-in server/,
    ],
    [
      'that has to be named',
      PREBUILDS,
      /nothing is selected: prebuilds runs only when input "tests" names it/,
    ],
  ])('is refused at once: %s', (_, config, reason) =>
    suites(config, { inputs: { mode: 'plan' } }, (run) => {
      expectOutcome(run, 'error', 1);
      expect(`${errorTexts(run)} ${reasonOf(run)}`).toMatch(reason);
    }),
  );

  it.each<[string, string, SuiteRunOptions, RegExp]>([
    [
      'with a flag that the installed CLI does not have',
      'suites:\n  notifications:\n    user-count: 5\n    frobnicate: true\n',
      {},
      /scaletest-config\.yaml:4:5: the suite "notifications" of the Coder CLI v2\.36\.0\S* has no flag "frobnicate"/,
    ],
    [
      'with a CLI that is too old for it',
      NOTIFICATIONS,
      { deployment: { version: 'v2.21.3' } },
      /has no "exp scaletest notifications"/,
    ],
    [
      'without its licence',
      PREBUILDS,
      { inputs: { tests: 'prebuilds' } },
      /the suite "prebuilds" needs the licensed feature "workspace_prebuilds"/,
    ],
    [
      'without its experiment',
      AUTOSTART,
      {},
      /start the server with CODER_EXPERIMENTS=workspace-build-updates/,
    ],
    [
      'without its template',
      UPDATES.replace('ec2-datasci', 'ec2-datasi'),
      {},
      /the template "ec2-datasi" \(suites\.workspace-updates\.template\) does not exist; did you mean "ec2-datasci"\?/,
    ],
    [
      'with a parameter that its template does not have',
      UPDATES.replace('size=', 'siize='),
      {},
      /the template "ec2-datasci" has no parameter "siize" \(suites\.workspace-updates\.parameter\)/,
    ],
    [
      'while rate limits would refuse every run',
      UPDATES,
      { deployment: { disableRateLimits: false } },
      /every run of "workspace-updates" with the CLI 2\.36\.0 is answered 428/,
    ],
  ])('is refused before the load: %s', (_, config, options, reason) =>
    suites(config, options, (run, world) => expectRefusal(run, world, reason)),
  );

  it('is refused where somebody has paused prebuilt workspaces on purpose', () =>
    inWorld(licensed, async (world) => {
      world.coder.state.reconciliationPaused = true;
      const run = await world.run(PREBUILDS, { inputs: { tests: 'prebuilds' } });
      expectRefusal(
        run,
        world,
        /the reconciler of prebuilt workspaces is paused, and "prebuilds" would let it go on/,
      );
      expect(world.coder.state.reconciliationPaused).toBe(true);
    }));

  it('is refused above the ceiling of workspaces', () =>
    suites(UPDATES, { inputs: { mode: 'plan', 'max-workspaces': '3' } }, (run) => {
      expectOutcome(run, 'error', 1);
      expect(reasonOf(run)).toContain('the plan has 4 workspaces, above the ceiling of 3');
    }));
});
