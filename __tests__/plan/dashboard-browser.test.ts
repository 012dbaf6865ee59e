import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { browserAtMetricsPort, withoutBrowsers } from '../../src/plan/dashboard-browser.js';
import { makePlan } from '../../src/plan/plan.js';
import type { DashboardBrowserStep, Plan } from '../../src/plan/plan-types.js';
import { browserStepOf, dashboardStepOf, evidenceName, stepName } from '../../src/plan/steps.js';
import { stepCeiling } from '../../src/plan/time.js';
import { minutes, seconds } from '../../src/units.js';
import { messagesOf } from '../support/mistakes.js';
import { browserStepWith, planOf, stepOf, withBrowsers, withTraffic } from '../support/plans.js';

interface Parts {
  readonly dashboard?: string;
  readonly owner?: string;
  readonly criteria?: string;
}

function plan({ dashboard = '', owner = '', criteria = '' }: Parts = {}): Plan {
  const config = `create_workspaces:
  count: 100
  ${owner}
  templates:
    pods: { template: pod-swdev, count: 100, concurrency: 10, expected_p95: 2m }
dashboard: { concurrency: 50, duration: 5m${dashboard} }
criteria: [${criteria}]
`;
  return makePlan(loadConfig('config.yaml', config), {
    tests: 'all',
    maxDuration: minutes(300),
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
  });
}

function browsersOf(made: Plan): DashboardBrowserStep {
  const step = browserStepOf(made);
  if (step === undefined) throw new Error('no browsers are planned');
  return step;
}

describe('the browsers of the dashboard', () => {
  it('click beside the virtual users, unless the config wants none', () => {
    const made = plan();
    expect(made.phases.map(({ steps }) => steps.map(({ suite }) => suite))).toEqual([
      ['create-workspaces'],
      ['dashboard', 'dashboard-browser'],
    ]);
    expect(browsersOf(made).wanted).toBe('auto');
    expect(browsersOf(plan({ dashboard: ', browser: always' })).wanted).toBe('always');
    const never = plan({ dashboard: ', browser: never' });
    expect(browserStepOf(never)).toBeUndefined();
    expect(never.phases[1]?.steps).toEqual([dashboardStepOf(made)]);
  });

  it('are the CLI’s command, with its own flags', () => {
    expect(browsersOf(plan()).command).toEqual([
      'coder',
      'exp',
      'scaletest',
      'dashboard',
      '--target-users=0:3',
      '--concurrency=0',
      '--interval=10s',
      '--jitter=5s',
      '--timeout=5m',
      '--job-timeout=5m30s',
      '--scaletest-prometheus-address=127.0.0.1:21112',
      '--scaletest-prometheus-wait=0s',
      '--output=json:/tmp/raw/dashboard-browser.json',
    ]);
  });

  it('are a few, and no more than there are virtual users', () => {
    expect(browsersOf(plan()).users).toBe(3);
    const few = plan({ dashboard: ', browser: auto', owner: 'owner: token-user' });
    // Without owners of workspaces the virtual users are made before the first phase.
    expect(dashboardStepOf(few)?.usersWithoutWorkspace).toBe(50);
    expect(browsersOf(few).users).toBe(3);
  });

  it('bring metrics, and no criterion of their own', () => {
    const without = plan({ dashboard: ', browser: never' });
    expect(plan().criteria).toEqual(without.criteria);
    const asked = [
      '{ id: a, metric: dashboard.actions, expect: ">= 100" }',
      '{ id: b, metric: dashboard.action_duration, expect: "p95 < 5s" }',
      '{ id: c, metric: dashboard.action_error_rate, expect: "< 20%" }',
    ].join(', ');
    expect(plan({ criteria: asked }).criteria.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['a', 'b', 'c']),
    );
    expect(messagesOf(() => plan({ criteria: asked, dashboard: ', browser: never' }))).toEqual(
      ['actions', 'action_duration', 'action_error_rate'].map(
        (name) =>
          expect.stringMatching(
            new RegExp(
              `"dashboard.${name}" is one of the browsers of the suite "dashboard".*without "dashboard.browser: never"`,
            ),
          ) as unknown,
      ),
    );
  });

  it('are moved to another port before they start, and stay the same else', () => {
    const step = browserStepWith();
    const moved = browserAtMetricsPort(step, 40_001);
    expect(moved.command).toContain('--scaletest-prometheus-address=127.0.0.1:40001');
    expect(moved.command.filter((part, index) => part !== step.command[index])).toHaveLength(1);
  });

  it('have time to start and to end', () => {
    expect(stepCeiling(browserStepWith({ timeout: seconds(60) }))).toBeGreaterThanOrEqual(60 + 45);
  });

  it('have names for the log and the evidence', () => {
    const step = browserStepWith();
    expect([stepName(step), evidenceName(step)]).toEqual(['dashboard-browser', 'dashboard-browser']);
  });
});

describe('a plan without its browsers', () => {
  it('keeps everything else, and no phase without steps', () => {
    const base = withTraffic(planOf([stepOf()]));
    expect(withoutBrowsers(withBrowsers(base))).toEqual(base);
    const made = plan();
    expect(withoutBrowsers(made).phases).toEqual(plan({ dashboard: ', browser: never' }).phases);
  });
});
