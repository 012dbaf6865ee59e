import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import {
  browserAtMetricsPort,
  planDashboardBrowser,
  withoutBrowser,
  type DashboardBrowserPlan,
} from '../../src/plan/dashboard-browser.js';
import { browserStepOf, evidenceName, stepName } from '../../src/plan/steps.js';
import { stepCeiling } from '../../src/plan/time.js';
import { minutes, seconds } from '../../src/units.js';
import { browserStepWith, planOf, stepOf, withBrowsers, withTraffic } from '../support/plans.js';

const dashboard = (browser: 'auto' | 'always' | 'never' = 'auto', concurrency = 50) => ({
  browser,
  concurrency,
  duration: minutes(5),
});
function planned(browser: 'auto' | 'always' = 'auto', concurrency = 50, users = 1000): DashboardBrowserPlan {
  const found = planDashboardBrowser(dashboard(browser, concurrency), users, '/tmp/raw');
  if (found === undefined) throw new Error('no browsers are planned');
  return found;
}

describe('the browsers of the dashboard', () => {
  it('are planned unless the config wants none', () => {
    expect(planDashboardBrowser(dashboard('never'), 1000, '/tmp/raw')).toBeUndefined();
    expect(planned('auto').step.wanted).toBe('auto');
    expect(planned('always').step.wanted).toBe('always');
    const config =
      'create_workspaces: { count: 1, templates: { a: { template: t, count: 1, concurrency: 1, expected_p95: 1m } } }\n';
    const { config: read } = loadConfig('c.yaml', `${config}dashboard: { concurrency: 5, duration: 1m }\n`);
    expect(read.dashboard?.browser).toBe('auto');
  });

  it('are the CLI’s command, with its own flags', () => {
    expect(planned().step.command).toEqual([
      'coder',
      'exp',
      'scaletest',
      'dashboard',
      '--target-users=0:5',
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

  it.each([
    ['a few of many users', 50, 1000, 5],
    ['no more than the config has users', 3, 1000, 3],
    ['no more than there are users', 50, 2, 2],
    ['none without users', 50, 0, 0],
  ])('are %s', (_, concurrency, users, browsers) => {
    expect(planned('auto', concurrency, users).step.users).toBe(browsers);
  });

  it('bring their metrics, and no criterion', () => {
    expect(planned().metrics.map(({ name, shape }) => `${name}: ${shape}`)).toEqual([
      'dashboard.actions: count',
      'dashboard.action_duration: buckets',
      'dashboard.action_error_rate: ratio',
    ]);
    expect(planned().criteria).toEqual([]);
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
    const plan = withBrowsers(base);
    expect(browserStepOf(plan)).toEqual(browserStepWith());
    expect(withoutBrowser(plan)).toEqual(base);
    const [phase] = base.phases.slice(1);
    if (phase === undefined) throw new Error('no phase of traffic');
    const shared = { ...base, phases: [{ ...phase, steps: [...phase.steps, browserStepWith()] }] };
    expect(withoutBrowser(shared).phases).toEqual([phase]);
  });
});
