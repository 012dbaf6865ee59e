import { describe, expect, it } from 'vitest';
import {
  configFile,
  expectNothingLeft,
  expectOutcome,
  failedCriteria,
  inWorld,
  LONGEST_SCENARIO_MS,
  logOf,
  readJson,
  spread,
  summaryOf,
} from './support.js';

const TIMINGS_ROUTE = 'GET /api/v2/workspacebuilds/{workspacebuild}/timings';

interface StagesFile {
  groups: { group: string; clock: string; p95: number; shares: Record<string, number> }[];
  workspaces: { group: string; total: number; parts: Record<string, number>; scripts?: number }[];
}

/** Two provisioners, and builds that take one second each of the two seconds that are allowed. */
const fewProvisioners = {
  provisionerSlots: 2,
  templateOverrides: {
    'pod-swdev': {
      startSeconds: spread(1),
      startScript: { name: 'Startup Script', blocksLogin: true },
    },
  },
};

describe.concurrent('where the time went', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each([
    ['cli', true, "the CLI's clock"],
    ['api', false, "the gate's own clock"],
  ])('one sentence says that the queue, not the build, breaks 14.6: driver "%s"', (_, off, clock) =>
    inWorld({ ...fewProvisioners, disableRateLimits: off }, async (world) => {
      const run = await world.gate(configFile({ pods: 8, ec2: 0, podLimit: '2s' }));
      expectOutcome(run, 'fail', 1);
      expectNothingLeft(world);
      expect(failedCriteria(run)).toEqual(['14.6-pod-workspaces']);
      const summary = summaryOf(run);
      const share = Number(
        /\*\*Where the time went\.\*\* pod\\_workspaces: (\d+) % of the P95 was waiting in the provisioner queue: 2 slots for 8 builds in flight; /.exec(
          summary,
        )?.[1],
      );
      // The largest part comes first; on a busy machine the polling of the driver takes its share too.
      expect(share, summary).toBeGreaterThan(33);
      expect(summary).toMatch(/\d+ % the build itself \(/);
      expect(summary).toMatch(
        new RegExp(`the slowest of 8 workspaces, by ${clock.replace('.', '\\.')}\\)\\.`),
      );
      expect(summary).toContain('<details><summary>The slowest workspaces</summary>');
      expect(summary).toContain(`| [scaletest-`);
      expect(summary).toMatch(
        /\]\(http:\/\/127\.0\.0\.1:\d+\/@scaletest-\w+-\d\/scaletest-\w+-\d\/builds\/1\)/,
      );
      expect(summary).toContain('nobody gets in before they are done');
      expect(summary).toMatch(new RegExp(`The two clocks: ${clock} has .* more than the server's`));
      expect(logOf(run)).toMatch(/Where the time went: pod_workspaces: \d+ % of the P95 was waiting/);

      const { groups, workspaces } = readJson(run, 'evidence/stages.json') as StagesFile;
      expect(groups).toMatchObject([{ group: 'pod_workspaces', clock: 'driver' }]);
      expect(workspaces).toHaveLength(8);
      for (const { parts, total, scripts } of workspaces) {
        expect(Object.keys(parts)).toEqual(
          expect.arrayContaining([
            'user',
            'queue',
            'init',
            'plan',
            'graph',
            'apply',
            'between',
            'agent',
            'client',
          ]),
        );
        expect(parts['build']).toBeUndefined();
        expect(scripts).toBeGreaterThan(0);
        expect(Object.values(parts).reduce((sum, one) => sum + one, 0)).toBeCloseTo(total, 6);
      }
    }),
  );

  it('says what could not be read, takes it for nothing, and is judged all the same', () =>
    inWorld({ statusOverride: { [TIMINGS_ROUTE]: 403 } }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 1 }));
      expectOutcome(run, 'pass', 0);
      expect(summaryOf(run)).toMatch(
        /The stages of 1 of these builds could not be read: GET .*timings answered 403/,
      );
      expect(readJson(run, 'evidence/build-timings.json')).toMatchObject({
        builds: [],
        unread: { builds: 3 },
      });
      const { workspaces } = readJson(run, 'evidence/stages.json') as StagesFile;
      for (const { parts } of workspaces) {
        expect(parts['build']).toBeGreaterThan(0);
        expect(parts['apply']).toBeUndefined();
      }
    }));

  it('tells the stages of an old server apart, as far as it times them', () =>
    inWorld({ version: 'v2.21.3' }, async (world) => {
      const run = await world.gate(configFile({ pods: 2, ec2: 0 }));
      expectOutcome(run, 'pass', 0);
      const { workspaces } = readJson(run, 'evidence/stages.json') as StagesFile;
      // Old servers time parts of the stages only, so most of the build lies between them.
      for (const { parts } of workspaces)
        expect(parts['between']).toBeGreaterThan((parts['plan'] ?? 0) + (parts['apply'] ?? 0));
    }));
});
