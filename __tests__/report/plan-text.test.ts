import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Criterion } from '../../src/plan/plan-types.js';
import { planLines, renderPlan, shellLine } from '../../src/report/plan-text.js';
import { criterionOf, planOf, stepOf } from '../support/plans.js';
import { CRITERIA, STEPS } from '../support/reports.js';

describe('shellLine', () => {
  it('gives a shell the same arguments', () => {
    const argument = fc
      .oneof(
        fc.string({ maxLength: 20 }),
        fc.constantFrom(
          "it's",
          '$(id)',
          '`id`',
          '"a,b"',
          'a b',
          '--parameter=x=y',
          '',
          '\\',
          '!',
          '*',
          '~',
          'é\n',
        ),
      )
      .filter((text) => !text.includes('\u0000'));
    const all = fc.sample(fc.array(argument, { minLength: 1, maxLength: 5 }), { numRuns: 40, seed: 1 });
    const script = all.map((parts) => `printf '%s\\0' ${shellLine(parts)}; printf '\\1'`).join('\n');
    const shown = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(
      shown
        .split('\u0001')
        .slice(0, -1)
        .map((line) => line.split('\u0000').slice(0, -1)),
    ).toEqual(all);
  });

  it('leaves simple commands readable', () => {
    expect(shellLine(['coder', 'exp', '--count=5', '--output=json:/tmp/a.json'])).toBe(
      'coder exp --count=5 --output=json:/tmp/a.json',
    );
  });
});

describe('the plan for people', () => {
  const plan = planOf(STEPS, [
    ...CRITERIA,
    criterionOf('max < 1s', { id: 'out', disabled: { reason: 'not ours' } }),
  ]);

  it('shows the log every command and criterion', () => {
    const text = planLines(plan).join('\n');
    for (const { command } of STEPS) expect(text).toContain(shellLine(command));
    expect(text).toMatch(/14\.6-pod-workspaces: .* p95 < 2m/);
    expect(text).toContain('taken out: not ours');
    expect(text).toMatch(/timeout-minutes to at least \d+/);
    expect(text).toMatch(/1,000 workspaces and 1,000 users are created/);
    expect(text).toMatch(/Every owner and user admin gets 2,000 notifications/);
  });

  it('lets no name become mark-up in the summary', () => {
    const text = renderPlan(planOf([stepOf()], [criterionOf('max < 1s', { requirement: '<b>[x](y)' })]));
    expect(text).not.toContain('<b>');
    expect(text).not.toContain('[x](y)');
  });

  it.each<[string, Partial<Criterion>, string]>([
    ['p95 < 2m', { plannedSamples: 700 }, '700 workspaces; a P95 needs 59'],
    [
      'p95 < 2m',
      { plannedSamples: 18, informational: true },
      '18 workspaces; a P95 needs 59, so it needs 41 more workspaces to pass; informational',
    ],
    [
      'p99.9 < 1s',
      { plannedSamples: 2994, metric: 'api.latency.templates', informational: true },
      '2994 calls; a P99.9 needs 2995, so it needs 1 more call to pass; informational',
    ],
    ['max < 2m', { plannedSamples: 10 }, '10 workspaces'],
    ['p95 > 1s', { plannedSamples: 1 }, '1 workspace; a P95 needs 1'],
    ['p95 < 2m', { plannedSamples: 700, minSamples: 650 }, '700 workspaces, 650 are wanted; a P95 needs 59'],
    [
      'p95 < 100ms',
      { metric: 'workspace_traffic.read_latency' },
      'a P95 needs 59; how many come is seen in the run',
    ],
    ['== 0', { metric: 'coderd.restarts' }, ''],
  ])('says of %s with %j how many samples the plan yields, and what lacks', (expectation, changes, note) => {
    const plan = planOf(STEPS, [criterionOf(expectation, { id: 'own', ...changes })]);
    const line = planLines(plan).find((one) => one.startsWith('  own: ')) ?? '';
    expect(line.endsWith(note === '' ? '== 0' : ` (${note})`), line).toBe(true);
    const row =
      renderPlan(plan)
        .split('\n')
        .find((one) => one.includes('`own`')) ?? '';
    expect(row.split(' | ').at(-1)).toBe(note === '' ? ' |' : `${note} |`);
  });

  it('shows everything that a criterion says', () => {
    const criterion = criterionOf('p95 < 2m', {
      id: 'own',
      title: 'The queue of the pods',
      requirement: '7.1',
      warn: criterionOf('p95 < 90s').expect,
      minSamples: 100,
      plannedSamples: 700,
    });
    const row =
      renderPlan(planOf(STEPS, [criterion]))
        .split('\n')
        .find((one) => one.includes('`own`')) ?? '';
    expect(row).toContain('| 7.1 | The queue of the pods<br><sub>`own`</sub> |');
    expect(row).toContain('p95 &lt; 2m, warns unless p95 &lt; 90s, at least 100 samples');
  });

  it('says that nobody is notified where no users are made', () => {
    expect(planLines(planOf([stepOf({ owner: 'token-user' })])).join('\n')).not.toMatch(/notifications/);
  });
});
