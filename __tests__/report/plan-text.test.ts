import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

  it('says that nobody is notified where no users are made', () => {
    expect(planLines(planOf([stepOf({ owner: 'token-user' })])).join('\n')).not.toMatch(/notifications/);
  });
});
