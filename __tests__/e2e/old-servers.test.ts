import { describe, expect, it } from 'vitest';
import {
  configFile,
  expectNothingCreated,
  expectNothingLeft,
  expectOutcome,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  reasonOf,
} from './support.js';

const few = configFile({ pods: 3, ec2: 2 });
/** More sign-ins than half of what the server allows a minute. */
const many = configFile({
  pods: 31,
  ec2: 0,
  more: [
    'criteria:',
    '  - { id: 14.6-pod-workspaces, metric: create_workspaces.pod_workspaces.provisioning, expect: "max < 90s" }',
  ],
});

describe.concurrent('a server before v2.32', { timeout: LONGEST_SCENARIO_MS }, () => {
  const cases = ['v2.31.0', 'v2.21.3'].flatMap((version) => [
    { version, limits: 'off', disableRateLimits: true },
    { version, limits: 'on', disableRateLimits: false },
  ]);

  it.each(cases)(
    '$version, limits $limits: few workspaces pass with the CLI',
    ({ version, disableRateLimits }) =>
      inWorld({ version, disableRateLimits }, async (world) => {
        const run = await world.gate(few);
        expectOutcome(run, 'pass', 0);
        expectNothingLeft(world);
        expect(run.outputs['coder-version']).toBe(`${version}+a1b2c3d`);
        expect(readJson(run, 'readiness.json')).toMatchObject({
          driver: { driver: 'cli' },
          cliVersion: version,
        });
        expect(readJson(run, 'scale-test-report.json')).toMatchObject({ pass: true });
      }),
  );

  it.each(['v2.31.0', 'v2.21.3'])('%s, limits on: many sign-ins take the driver "api"', (version) =>
    inWorld({ version, disableRateLimits: false, provisionerSlots: 31 }, async (world) => {
      const run = await world.run(many);
      expectOutcome(run, 'pass', 0);
      expectNothingLeft(world);
      expect(run.main.summary).toMatch(
        /through the API instead of the CLI's suite, because rate limits are on, and .*31 sign-ins.* would run into 60 a minute/,
      );
      expect(world.coder.state.requestCounts.get('POST /api/v2/users/login')).toBeUndefined();
    }),
  );

  it('refuses "driver: cli" for many sign-ins', () =>
    inWorld({ version: 'v2.31.0', disableRateLimits: false }, async (world) => {
      const run = await world.run(many.replace('create_workspaces:', 'create_workspaces:\n  driver: cli'));
      expectOutcome(run, 'error', 1);
      expectNothingCreated(world);
      expect(reasonOf(run)).toMatch(/with "driver: cli" every run would fail: .*31 sign-ins.*60 a minute/);
    }));

  it('names the cause of failed builds from its older log', () =>
    inWorld(
      { version: 'v2.21.3', templateOverrides: { 'ec2-datasci': { failingShare: 1 } } },
      async (world) => {
        const run = await world.gate(few);
        expectOutcome(run, 'fail', 1);
        expectNothingLeft(world);
        expect(run.main.summary).toContain('InsufficientInstanceCapacity');
      },
    ));
});
