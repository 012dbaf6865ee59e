import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { makePlan } from '../../src/plan/plan.js';
import { ConfigurationError } from '../../src/errors.js';
import { minutes } from '../../src/units.js';
import { thrownBy } from '../support/fakes.js';

/** All suites that have metrics of their own, so that every kind of name is known. */
const CONFIG = `create_workspaces:
  count: 400
  templates:
    pods: { template: pod-swdev, count: 300, concurrency: 100, expected_p95: 2m }
    slow_ones: { template: ec2-datasci, count: 100, concurrency: 25, expected_p95: 5m }
dashboard: { concurrency: 50, duration: 5m, browser: always, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 } }
workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 5m }
suites:
  bridge: { concurrent-users: 60, provider: messages }
criteria:
`;
const LINE = CONFIG.split('\n').length;

const NAMES = [
  'create_workspaces.all.provisioning',
  'create_workspaces.pods.queue',
  'create_workspaces.slow_ones.agent',
  'create_workspaces.pods.success_rate',
  'create_workspaces.all.first_attempt_success_rate',
  'create_workspaces.all.peak_alive',
  'api.latency',
  'api.success_rate',
  'api.throttled',
  'api.latency.buildinfo',
  'api.latency.workspaces',
  'dashboard.action_duration',
  'dashboard.action_error_rate',
  'workspace_traffic.throughput_ratio',
  'workspace_traffic.read_latency',
  'bridge.duration',
  'bridge.success_rate',
  'coderd.restarts',
  'cleanup.leftover_workspaces',
  'cleanup.leftover_users',
];

function refusal(
  metric: string,
): { readonly message: string; readonly line?: number; readonly column?: number }[] {
  const text = `${CONFIG}  - { id: mistyped, metric: "${metric}", expect: "max < 1s" }\n`;
  const thrown = thrownBy(() =>
    makePlan(loadConfig('config.yaml', text, undefined), {
      tests: 'all',
      maxDuration: minutes(600),
      cleanupInMain: true,
      rawDirectory: '/tmp/raw',
    }),
  );
  expect(thrown).toBeInstanceOf(ConfigurationError);
  return thrown instanceof ConfigurationError
    ? thrown.mistakes.map(({ message, location }) => ({ message, ...location }))
    : [];
}

describe('a metric that is not there is refused before the load, at its line and column', () => {
  it.each(NAMES)('with the name that was meant among the nearest: %s', (name) => {
    const mistype = fc.record({
      at: fc.integer({ min: 1, max: name.length - 1 }),
      by: fc.constantFrom('', 'x', 'xy'),
    });
    fc.assert(
      fc.property(mistype, ({ at, by }) => {
        const typed = `${name.slice(0, at)}${by}${name.slice(at + 1)}`;
        const [first, ...more] = refusal(typed);
        expect(more).toEqual([]);
        expect(first).toMatchObject({ line: LINE, column: 29 });
        const quoted = [...(first?.message.split(`"${typed}"`)[1] ?? '').matchAll(/"([^"]+)"/g)].map(
          ([, one]) => one,
        );
        expect(quoted.length).toBeLessThanOrEqual(3);
        expect(quoted, first?.message).toContain(name);
      }),
      { numRuns: 15 },
    );
  });
});
