import { describe, expect, it } from 'vitest';
import type { TimeShare } from '../../src/measure/time-share.js';
import type { WorkspaceTime } from '../../src/measure/workspace-time.js';
import { retriesNeeded } from '../../src/report/sentences.js';
import { renderSummary } from '../../src/report/summary.js';
import { clockSentence, slowestTables, whereTheTimeWent } from '../../src/report/time-share.js';
import { countMetric, ratioMetric } from '../support/metrics.js';
import { reportOf, type ReportChanges } from '../support/reports.js';

const SLOWEST: WorkspaceTime = {
  workspace: 'scaletest-AbCdEfGh-1',
  owner: 'scaletest-ZyXwVuTs-1',
  build: 2,
  buildId: 'id',
  total: 150,
  serverSpan: 147,
  driverSpan: 150,
  parts: { queue: 120, apply: 20, between: 5, agent: 2, client: 3 },
  scripts: 31,
};
const SHARE: TimeShare = {
  group: 'pod_workspaces',
  clock: 'driver',
  driver: 'cli',
  planned: 700,
  failed: 0,
  created: 700,
  unmatched: 0,
  p95: 131,
  slow: 36,
  stillQueued: 0,
  shares: {
    queue: 0.71,
    init: 0.02,
    plan: 0.03,
    apply: 0.12,
    between: 0.03,
    agent: 0.05,
    user: 0.01,
    client: 0.03,
  },
  withoutStages: 0,
  clocks: {
    workspaces: 700,
    gap: { median: 1.2, largest: 2.5, smallest: 0.4 },
    user: 0.4,
    client: 0.8,
  },
  slowest: [SLOWEST],
};

const IN_FLIGHT = countMetric(150, 'create_workspaces.all.peak_in_flight');
const building = (value: number) => countMetric(value, 'create_workspaces.all.peak_building');

function reportWith(share: Partial<TimeShare>, changes: ReportChanges & { slots?: number } = {}) {
  const { slots, ...others } = changes;
  const report = reportOf({
    timeShares: [{ ...SHARE, ...share }],
    metrics: [IN_FLIGHT, building(30)],
    ...others,
  });
  const time = { ...report.plan.time, ...(slots !== undefined && { slots, slotsKnown: true }) };
  return { ...report, plan: { ...report.plan, time } };
}
const sentence = (...args: Parameters<typeof reportWith>): string =>
  whereTheTimeWent(reportWith(...args)).join('\n');

describe('where the time went', () => {
  it('says which part of the P95 was the largest, and how many provisioners there were for it', () => {
    expect(sentence({}, { slots: 30 })).toBe(
      "pod_workspaces: 71 % of the P95 was waiting in the provisioner queue: 30 slots for 150 builds in flight; 20 % the build itself (12 % apply, 3 % plan, 3 % between the stages, 2 % init); 5 % waiting for the agent to connect; 3 % the driver's own requests and polling; 1 % making the user, with the sign-in (2 m 11 s, 36 of 700 workspaces took as long or longer, by the CLI's clock).",
    );
  });

  it('says how many of them were at work, where not all were, or where their number is not known', () => {
    expect(sentence({}, { slots: 40 })).toContain(
      'queue: 150 builds in flight, of which at most 30 ran at once (40 provisioners were listed);',
    );
    expect(sentence({})).toContain('queue: 150 builds in flight, of which at most 30 ran at once;');
    expect(sentence({}, { slots: 1, metrics: [countMetric(8, IN_FLIGHT.name), building(1)] })).toContain(
      'queue: 1 slot for 8 builds in flight;',
    );
  });

  it('leaves the provisioners out where the queue matters little or nothing is known of them', () => {
    expect(sentence({ shares: { queue: 0.05, build: 0.95 } })).toMatch(
      /^pod_workspaces: 95 % of the P95 was the build itself; 5 % waiting in the provisioner queue \(/,
    );
    expect(sentence({}, { metrics: [], slots: 30 })).toContain('waiting in the provisioner queue; 20 %');
  });

  it('is honest about few workspaces', () => {
    expect(sentence({ planned: 8, created: 8, slow: 1 })).toContain(
      "(2 m 11 s, the slowest of 8 workspaces, by the CLI's clock)",
    );
  });

  it('says when the P95 falls on runs that failed', () => {
    const { p95, ...failed } = SHARE;
    expect(p95).toBe(131);
    const report = {
      ...reportWith({}),
      timeShares: [{ ...failed, failed: 80, created: 620, slow: 31, stillQueued: 64 }],
    };
    expect(whereTheTimeWent(report)[0]).toMatch(
      /^pod_workspaces: the P95 falls on runs that failed \(80 of 700; the build of 64 was never taken by a provisioner\)\. Of the time of the slowest 31 of 620 workspaces that were created, 71 % was waiting/,
    );
  });

  it('speaks of no P95 after a cancel, and says why there are no stages', () => {
    const text = sentence(
      { clock: 'server', shares: { queue: 0.6, build: 0.4 }, created: 40, slow: 2, withoutStages: 2 },
      {
        verdict: { ...reportOf().verdict, verdict: 'cancelled' },
        timingsUnread: { builds: 40, reason: 'the job was cancelled, which leaves seconds only' },
      },
    );
    expect(text).not.toContain('P95');
    expect(text).toMatch(
      /^pod_workspaces: of the time of the slowest 2 of 40 workspaces that were there when the job was cancelled, 60 % was/,
    );
    expect(text).toMatch(
      /40 % the build itself \(by the server's clock\)\. The stages of 2 of these builds could not be read: the job was cancelled, which leaves seconds only\.$/,
    );
  });

  it('tells failed attempts apart from the one that succeeded', () => {
    expect(sentence({ shares: { attempts: 0.6, build: 0.4 } })).toContain(
      '60 % of the P95 was builds that failed and were tried again; 40 % the build itself (',
    );
  });
});

describe('the slowest workspaces', () => {
  it('link to their builds, with the parts that were measured', () => {
    const lines = (slowestTables(reportWith({})) ?? '').split('\n');
    expect(lines[0]).toBe(
      '| pod\\_workspaces | Total | Queue | Apply | Rest of build | Agent | Client | Scripts, after it |',
    );
    expect(lines[2]).toBe(
      '| [scaletest-AbCdEfGh-1](https://coder.example.com/@scaletest-ZyXwVuTs-1/scaletest-AbCdEfGh-1/builds/2) | 2 m 30 s | 2 m | 20 s | 5 s | 2 s | 3 s | 31 s |',
    );
  });

  it('stay links whatever the names', () => {
    const evil = { ...SLOWEST, workspace: 'a|b](x) <i>', owner: 'o/../(p)' };
    const text = slowestTables(reportWith({ slowest: [evil] })) ?? '';
    expect(text).toContain(
      '[a\\|b\\](x) &lt;i&gt;](https://coder.example.com/@o%2F..%2F%28p%29/a%7Cb%5D%28x%29%20%3Ci%3E/builds/2)',
    );
  });

  it('leave empty what is not known, and never write it as zero', () => {
    const { scripts: _scripts, ...others } = SLOWEST;
    const unknown = { ...others, parts: { queue: 120, build: 25, agent: 2, client: 3 } };
    const text = slowestTables(reportWith({ slowest: [SLOWEST, unknown] }));
    expect(_scripts).toBe(31);
    expect(text).toContain('| 2 m 30 s | 2 m | 25 s |  |  | 2 s | 3 s |  |');
  });

  it('come with scripts, runs without a workspace, and stages that could not be read', () => {
    const text = slowestTables(
      reportWith(
        { scripts: { p95: 35, workspaces: 700, blockLogin: true }, unmatched: 2 },
        { timingsUnread: { builds: 3, reason: 'answered 500' } },
      ),
    );
    expect(text).toContain('start-up scripts took another 35 s (P95 of 700 workspaces)');
    expect(text).toContain('nobody gets in before they are done');
    expect(text).toContain('Of 2 runs that passed the workspace was not found');
    expect(text).toContain('The stages of 3 builds could not be read: answered 500.');
  });

  it('are folded in the summary; one group is a sentence, several are a list', () => {
    const one = renderSummary(reportWith({}));
    expect(one).toContain('**Where the time went.** pod\\_workspaces: 71 % of the P95 was');
    expect(one).toContain('<details><summary>The slowest workspaces</summary>');
    const two = renderSummary({ ...reportWith({}), timeShares: [SHARE, { ...SHARE, group: 'ec2' }] });
    expect(two).toMatch(/\*\*Where the time went\*\*\n\n- pod\\_workspaces: .*\n- ec2: /);
  });

  it('are not there where nothing was created', () => {
    expect(renderSummary(reportOf())).not.toMatch(/The slowest workspaces|Where the time went/);
  });
});

describe('the two clocks', () => {
  it('are compared, and the gap between them is named', () => {
    expect(clockSentence(SHARE)).toBe(
      "The two clocks: the CLI's clock has 1.2 s more than the server's in the middle of 700 workspaces, at most 2.5 s: 400 ms from the user's creation to the request for the workspace, with the sign-in, and 800 ms in the client, whose requests and polling the server does not see (medians).",
    );
  });

  it('say when the server’s span is the longer one', () => {
    const clocks = { workspaces: 10, gap: { median: 0.5, largest: 1, smallest: -0.2 }, client: 0.5 };
    const text = clockSentence({ ...SHARE, driver: 'api', clocks });
    expect(text).toContain("the gate's own clock has 500 ms more");
    expect(text).toContain("In at least one of them the server's span is the longer one, by 200 ms.");
  });
});

describe('retries', () => {
  const retries = {
    workspaces: 6,
    succeeded: 5,
    causes: [{ summary: 'terraform apply: exit status 1', count: 7 }],
  };
  const metrics = [ratioMetric(94, 100, 'create_workspaces.all.first_attempt_success_rate')];

  it('do not hide failures: how many, of what, and why', () => {
    const text = retriesNeeded({ metrics, retries });
    expect(text).toBe(
      'The build of 6 workspaces had to be tried again, and 5 of them succeeded then; the success rate does not show that. At the first attempt 94 of 100 succeeded (94 %). The builds before failed with: terraform apply: exit status 1 (7).',
    );
    expect(renderSummary(reportOf({ retries, metrics }))).toContain('had to be tried again');
  });

  it('are no matter where nothing was tried again', () => {
    expect(retriesNeeded({ metrics })).toBeUndefined();
  });
});
