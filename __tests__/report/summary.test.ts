import { describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/report/summary.js';
import { seconds } from '../../src/units.js';
import { samplesMetric } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';
import { CRITERIA, reportOf, STEPS, without } from '../support/reports.js';

const EVIL = '<script>x</script> [click](https://evil) | @everyone `` ` ``';

describe('the summary', () => {
  it.each([
    ['a pass', {}, /^### Scale test passed/],
    [
      'a fail',
      {
        metrics: without(
          'pod_workspaces.provisioning',
          samplesMetric(
            Array.from({ length: 700 }, () => 500),
            0,
            'create_workspaces.pod_workspaces.provisioning',
          ),
        ),
      },
      /^### Scale test failed/,
    ],
    ['an error', { metrics: [] }, /^### Scale test could not be judged/],
    ['evidence only', { evidenceOnly: true }, /^### Scale test ran; nothing was judged/],
  ])('begins with the verdict of %s', (_, changes, headline) => {
    expect(renderSummary(reportOf(changes))).toMatch(headline);
  });

  it('shows under the verdict what is under test, then why', () => {
    const report = reportOf();
    const lines = renderSummary({ ...report, plan: { ...report.plan, subject: 'commit abc' } })
      .split('\n')
      .filter((line) => line !== '');
    expect(lines[1]).toBe('Under test: `commit abc`');
    expect(lines[2]).toContain(report.verdict.reason);
  });

  it('has one row a criterion, with value, interval, n and verdict', () => {
    const row = renderSummary(reportOf())
      .split('\n')
      .find((line) => line.includes('14.6-pod-workspaces'));
    expect(row).toContain('1\u00a0m\u00a07\u00a0s');
    expect(row).toContain('700');
    expect(row).toMatch(/\bpass\b/);
    expect(row).toMatch(/to /);
  });

  it('lets nothing from outside become mark-up', () => {
    const report = reportOf({
      criteria: [
        criterionOf('max < 1h', {
          title: EVIL,
          id: 'own',
          metric: 'create_workspaces.pod_workspaces.provisioning',
        }),
      ],
      environment: 'https://coder.example.com',
      steps: STEPS.map(({ group }) => ({
        group,
        driver: 'cli',
        seconds: seconds(5),
        endedBy: 'itself',
        causes: [],
      })),
      readiness: {
        schema: 1,
        checks: [{ name: 'x', status: 'warning', message: EVIL }],
        serverVersion: 'v2',
      },
      cleanup: {
        workspaces: 1,
        users: 1,
        seconds: seconds(3),
        leftovers: [{ name: 'scaletest-x', reason: EVIL }],
      },
    });
    const text = renderSummary({ ...report, verdict: { ...report.verdict, reason: EVIL } });
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('[click](');
    expect(text.replace(/\\@/g, '')).not.toContain('@everyone');
    expect(text).toContain('click');
  });

  it('shows causes of failures as code, with how often they happened, in whole table rows', () => {
    const causes = [
      { summary: 'build failed; <img src=x> | InsufficientInstanceCapacity `pool`', count: 12 },
      { summary: 'context deadline exceeded', count: 1 },
    ];
    const text = renderSummary(
      reportOf({
        steps: [{ group: 'pod_workspaces', driver: 'cli', seconds: seconds(5), endedBy: 'itself', causes }],
      }),
    );
    const rows = text.split('\n').filter((line) => /Capacity|deadline/.test(line));
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/^\| 12 \| .*``.*<img src=x>.*``/);
    for (const row of rows) expect(row.replace(/\\\|/g, '').split('|')).toHaveLength(5);
  });

  it('says what clean-up left, and that nobody knows', () => {
    const base = { workspaces: 5, users: 5, seconds: seconds(60), leftovers: [] };
    expect(renderSummary(reportOf({ cleanup: base }))).toMatch(/nothing is left on the deployment/);
    expect(
      renderSummary(
        reportOf({
          cleanup: { ...base, leftovers: [{ name: 'owner/scaletest-a', reason: 'its deletion is failed' }] },
        }),
      ),
    ).toMatch(/`owner\/scaletest-a`.*its deletion is failed/);
    expect(renderSummary(reportOf({ cleanup: { ...base, problem: 'no answer' } }))).toMatch(
      /could not be read: no answer/,
    );
  });

  it('says what was not exercised', () => {
    expect(renderSummary(reportOf())).toMatch(
      /At most 150 operations were in flight at once; 1,000 at once was not exercised\./,
    );
  });

  it('says why the API was used instead of the CLI', () => {
    const readiness = {
      schema: 1,
      checks: [],
      driver: { driver: 'api', reason: 'rate limits are on' },
    } as const;
    expect(renderSummary(reportOf({ readiness }))).toMatch(
      /through the API instead of the CLI's suite, because rate limits are on/,
    );
  });

  it('stays below GitHub’s limit, with the verdict in it', () => {
    const causes = Array.from({ length: 10 }, (_, index) => ({
      summary: `${index} ${'x'.repeat(200_000)}`,
      count: 1,
    }));
    const text = renderSummary(
      reportOf({
        steps: [{ group: 'pod_workspaces', driver: 'cli', seconds: seconds(5), endedBy: 'itself', causes }],
      }),
    );
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    expect(text).toMatch(/^### Scale test passed/);
    expect(text).toContain('14.6-pod-workspaces');
    expect(text).toContain('The rest is left out');
  });

  it('says what would have decided a criterion that had too few samples', () => {
    const criteria = [
      ...CRITERIA,
      criterionOf('p99.9 < 2m', {
        id: 'own',
        informational: true,
        metric: 'create_workspaces.pod_workspaces.provisioning',
      }),
    ];
    expect(renderSummary(reportOf({ criteria }))).toContain(
      '**Too few samples to decide**\n\n- `own`: 700 workspaces; a P99.9 needs 2995, so it needs 2295 more workspaces.',
    );
    expect(renderSummary(reportOf())).not.toContain('Too few samples');
  });

  it('shows the warning level and the wanted samples beside what is expected', () => {
    const [first] = CRITERIA;
    const criteria = first && [{ ...first, warn: criterionOf('p95 < 1m').expect, minSamples: 600 }];
    const row = renderSummary(reportOf({ ...(criteria && { criteria }) }))
      .split('\n')
      .find((line) => line.includes('14.6-pod-workspaces'));
    expect(row).toContain('| p95 &lt; 2m, warns unless p95 &lt; 1m, at least 600 samples |');
    expect(row).toContain('**warn**');
  });

  it('shows criteria that were taken out, with the reason', () => {
    const criteria = [...CRITERIA, criterionOf('max < 1s', { id: 'out', disabled: { reason: 'not ours' } })];
    expect(renderSummary(reportOf({ criteria }))).toMatch(/taken out: not ours/);
  });
});
