import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { scheduleOf } from '../../src/plan/load-schedule.js';
import { completePlan, makePlan } from '../../src/plan/plan.js';
import type { DashboardStep, Plan } from '../../src/plan/plan-types.js';
import { dashboardStepOf } from '../../src/plan/steps.js';
import { minutes } from '../../src/units.js';
import { messagesOf, placesOf } from '../support/mistakes.js';

const WORKSPACES = (count: number, more = ''): string => `create_workspaces:
  count: ${count}${more}
  templates:
    pods: { template: pod-swdev, count: ${count}, concurrency: 10, expected_p95: 2m }
`;
const DASHBOARD =
  'dashboard: { concurrency: 50, duration: 5m, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 } }\n';
const TRAFFIC = 'workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 10m }\n';

const plan = (text: string, profile?: string): Plan =>
  makePlan(loadConfig('config.yaml', text, profile), {
    tests: 'all',
    maxDuration: minutes(300),
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
  });

function stepIn(made: Plan): DashboardStep {
  const step = dashboardStepOf(made);
  if (step === undefined) throw new Error('no virtual users are planned');
  return step;
}
const expectations = (made: Plan): Record<string, string> =>
  Object.fromEntries(made.criteria.map(({ id, expect: { text } }) => [id, text]));
const routesOf = (made: Plan): Set<string> =>
  new Set(scheduleOf(stepIn(made)).arrivals.flatMap(({ batch }) => batch.calls.map(({ route }) => route)));

describe('virtual users', () => {
  it('are the owners of workspaces, and come between these and their traffic', () => {
    const made = plan(WORKSPACES(300) + DASHBOARD + TRAFFIC);
    expect(made.phases.map(({ name }) => name)).toEqual(['create', 'dashboard', 'traffic']);
    expect(stepIn(made)).toMatchObject({ users: 50, usersWithoutWorkspace: 0, duration: 300, alone: 60 });
    expect(made.effects).toEqual({ workspaces: 300, users: 300, notificationsPerAdmin: 600 });
    expect(routesOf(made)).toContain('workspace-resolve-autostart');
  });

  it('are made where there are too few owners', () => {
    const made = plan(WORKSPACES(60) + DASHBOARD.replace('50', '80'));
    expect(stepIn(made)).toMatchObject({ users: 80, usersWithoutWorkspace: 20 });
    expect(made.effects.users).toBe(80);
  });

  it('own nothing where the token’s user owns all workspaces', () => {
    const made = plan(WORKSPACES(60, '\n  owner: token-user') + DASHBOARD);
    expect(stepIn(made).usersWithoutWorkspace).toBe(50);
    expect(made.effects).toMatchObject({ workspaces: 60, users: 50 });
    expect(routesOf(made)).not.toContain('workspace-resolve-autostart');
    expect(routesOf(made)).toContain('workspaces');
  });

  it('can be the only suite', () => {
    const made = plan(DASHBOARD);
    expect(made.suites).toEqual(['dashboard']);
    expect(made.effects).toEqual({ workspaces: 0, users: 50, notificationsPerAdmin: 100 });
    expect(stepIn(made)).toMatchObject({ duration: 300, alone: 300 });
  });

  it('are judged by the targets and the success rate, with a warning for every route', () => {
    const made = plan(DASHBOARD);
    expect(expectations(made)).toMatchObject({
      '14.9-api-latency-p95': 'p95 < 500ms',
      '14.10-api-latency-p99': 'p99 < 1000ms',
      'api-success-rate': '>= 99%',
    });
    const p95 = made.criteria.find(({ id }) => id === '14.9-api-latency-p95');
    expect(p95).toMatchObject({ requirement: '14.9', metric: 'api.latency' });
    expect(p95?.parts).toContain('api.latency.workspaces');
    expect(p95?.parts).not.toContain('api.latency.buildinfo');
    expect(p95?.plannedSamples).toBeGreaterThan(299);
  });

  it('have no latency criterion without targets, and the success rate all the same', () => {
    const made = plan('dashboard: { concurrency: 5, duration: 1m }\n');
    expect(Object.keys(expectations(made)).filter((id) => id.includes('api'))).toEqual(['api-success-rate']);
  });

  it('are refused before any load when their calls decide no P99', () => {
    const text = DASHBOARD.replace('5m', '10s');
    expect(messagesOf(() => plan(text))).toEqual([
      expect.stringMatching(
        /"14\.10-api-latency-p99" \(p99 < 1000ms\) cannot be decided with \d+ calls: a P99 needs 299, so it needs \d+ more calls; raise the duration, the concurrency or the rate of the probe/,
      ),
    ]);
    expect(placesOf(() => plan(text))).toEqual(['1:55']);
  });

  it('are refused when a criterion on one route is what cannot be decided, at its own place', () => {
    const criteria =
      'criteria: [{ id: route, metric: api.latency.templates, expect: "p99.9 < 1s" }]\n' +
      'api_probe: { rate: 10, routes: [/api/v2/templates, /api/v2/users/me] }\n';
    expect(messagesOf(() => plan(DASHBOARD + criteria))).toEqual([
      expect.stringMatching(
        /"route" \(p99\.9 < 1s\) cannot be decided with \d+ calls: a P99\.9 needs 2995, so it needs \d+ more calls;/,
      ),
    ]);
    expect(placesOf(() => plan(DASHBOARD + criteria))).toEqual(['2:64']);
    expect(plan(DASHBOARD + criteria.replace('p99.9', 'p95')).criteria.map(({ id }) => id)).toContain(
      'route',
    );
  });

  it('are five for two minutes in the profile smoke, where every call decides if no quantile can', () => {
    const made = plan(WORKSPACES(300) + DASHBOARD, 'smoke');
    expect(stepIn(made)).toMatchObject({ users: 5, duration: 120, usersWithoutWorkspace: 0 });
    expect(expectations(made)['14.10-api-latency-p99']).toMatch(/^(p99|max) < 1000ms$/);
    const few = plan(DASHBOARD.replace('50', '2').replace('5m', '10s'), 'smoke');
    expect(stepIn(few)).toMatchObject({ users: 2, duration: 10 });
    expect(expectations(few)).toMatchObject({
      '14.9-api-latency-p95': 'max < 500ms',
      '14.10-api-latency-p99': 'max < 1000ms',
    });
  });

  it('send the same calls at the same times in every run of a plan', () => {
    const [first, second] = [plan(DASHBOARD), plan(DASHBOARD)].map((made) => scheduleOf(stepIn(made)));
    expect(first).toEqual(second);
  });

  it('go on with the same calls when the load lasts longer than planned', () => {
    const step = stepIn(plan(DASHBOARD));
    const short = scheduleOf(step);
    const long = scheduleOf(step, minutes(20));
    const early = long.arrivals.filter(({ atMs }) => atMs < short.durationMs);
    expect(early).toEqual(short.arrivals);
    expect(long.arrivals.at(-1)?.atMs).toBeGreaterThan(19 * 60_000);
  });

  it('leave out the routes that the server does not have, and count fewer samples', () => {
    const made = plan(WORKSPACES(300) + DASHBOARD);
    const { plan: complete, problems } = completePlan(made, {
      parameters: new Map(),
      unknownRoutes: ['tasks', 'workspace-acl'],
    });
    expect(problems).toEqual([]);
    expect(routesOf(complete)).not.toContain('tasks');
    const planned = (of: Plan): number =>
      of.criteria.find(({ id }) => id === '14.9-api-latency-p95')?.plannedSamples ?? 0;
    expect(planned(complete)).toBeLessThan(planned(made));
  });

  it('are refused in READY when too few calls are left', () => {
    const made = plan(WORKSPACES(300) + DASHBOARD.replace('5m', '30s'));
    const { problems } = completePlan(made, {
      parameters: new Map(),
      unknownRoutes: ['tasks', 'workspaces', 'templates', 'authcheck', 'notifications-inbox'],
    });
    expect(problems).toEqual([expect.stringMatching(/14\.10-api-latency-p99.* cannot be decided with/)]);
  });
});

describe('api_probe', () => {
  const probe = (routes: string): string =>
    `dashboard: { concurrency: 10, duration: 5m, targets: { p95_latency_ms: 500 } }\napi_probe: { rate: 10, routes: ${routes} }\n`;

  it('takes the place of the visits, each route as it is written', () => {
    const made = plan(
      probe(
        '["/api/v2/workspaces?limit=25", "/api/v2/users/me", { path: "/api/v2/users/me", weight: 3 }, { id: check, path: /api/v2/authcheck, method: POST, body: { checks: {} } }]',
      ),
    );
    const { arrivals, routes } = scheduleOf(stepIn(made));
    expect(routes.map(({ id }) => id)).toEqual([
      'workspaces',
      'users-me',
      'users-me-2',
      'check',
      'buildinfo',
    ]);
    const calls = arrivals.flatMap(({ batch }) => batch.calls);
    expect(calls.find(({ route }) => route === 'workspaces')?.path).toBe('/api/v2/workspaces?limit=25');
    expect(calls.find(({ route }) => route === 'check')?.body).toBe('{"checks":{}}');
    const count = (id: string): number => calls.filter(({ route }) => route === id).length;
    expect(count('users-me-2')).toBeGreaterThan(2 * count('users-me'));
    expect(made.criteria.find(({ id }) => id === '14.9-api-latency-p95')?.parts).toEqual([
      'api.latency.workspaces',
      'api.latency.users-me',
      'api.latency.users-me-2',
      'api.latency.check',
    ]);
  });

  it('needs a section that says how many and how long', () => {
    expect(messagesOf(() => plan('api_probe: { rate: 10, routes: ["/api/v2/templates"] }\n'))).toEqual([
      expect.stringMatching(/add a section "dashboard" that says how many and how long/),
    ]);
  });

  it.each([
    ['["api/v2/users"]', /a path below the deployment is needed/],
    ['["/api/v2/users/{user}"]', /it has no placeholders/],
    ['["/a path"]', /with other characters escaped/],
    ['[]', /at least one route is needed/],
    ['[{ path: /x, method: HEAD }]', /api_probe\.routes\.0\.method: .*GET/],
    ['[{ path: /x, weight: 0 }]', /a weight above 0 is needed/],
  ])('refuses %s', (routes, message) => {
    expect(messagesOf(() => plan(probe(routes))).join('\n')).toMatch(message);
  });
});
