import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRun } from '../../src/judge/judge.js';
import { decide, type CriterionResult } from '../../src/judge/verdict.js';
import type { Metric } from '../../src/measure/metric.js';
import { countMetric, judgeMetric, judgeSamples, ratioMetric, samplesMetric } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

const OBSERVED = { kind: 'number', value: 1 } as const;
type State = CriterionResult['verdict'];

function resultOf(verdict: State, informational = false, id: string = verdict): CriterionResult {
  const criterion = criterionOf('max < 2m', { id, informational });
  if (verdict === 'error' || verdict === 'disabled' || verdict === 'skipped')
    return { verdict, sentence: 'why', criterion };
  return { verdict, observed: OBSERVED, sentence: 'why', criterion };
}
const state = fc.constantFrom<State>('pass', 'fail', 'inconclusive', 'warn', 'error', 'disabled', 'skipped');
const results = fc.array(fc.tuple(state, fc.boolean()), { maxLength: 8 });

describe('the gate', () => {
  it('decides by precedence: cancelled, fail, error, inconclusive, pass; and only by what is not informational', () => {
    fc.assert(
      fc.property(
        results,
        fc.constantFrom([], ['the suite ran nothing']),
        fc.option(fc.constant('cancelled by a person')),
        (list, problems, cancelled) => {
          const verdict = decide(
            list.map(([one, informational]) => resultOf(one, informational)),
            problems,
            cancelled ?? undefined,
          );
          const deciding = list.filter(([, informational]) => !informational).map(([one]) => one);
          const expected =
            cancelled !== null
              ? 'cancelled'
              : deciding.includes('fail')
                ? 'fail'
                : problems.length > 0 || deciding.includes('error')
                  ? 'error'
                  : deciding.includes('inconclusive')
                    ? 'inconclusive'
                    : deciding.some((one) => one === 'pass' || one === 'warn')
                      ? 'pass'
                      : 'error';
          expect(verdict.verdict).toBe(expected);
          expect(verdict.reason).not.toBe('');
          expect(verdict.reason).not.toContain('\n');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is never green when nothing was judged', () => {
    for (const list of [[], [resultOf('disabled')], [resultOf('skipped')], [resultOf('pass', true)]])
      expect(decide(list, [], undefined)).toMatchObject({ verdict: 'error' });
  });

  it('lists what failed and what is open, without what only informs', () => {
    const verdict = decide(
      [
        resultOf('fail', false, 'a'),
        resultOf('fail', true, 'b'),
        resultOf('inconclusive', false, 'c'),
        resultOf('error', false, 'd'),
      ],
      [],
      undefined,
    );
    expect(verdict).toMatchObject({ failedCriteria: ['a'], inconclusiveCriteria: ['c'] });
    expect(verdict.reason).toContain('a');
  });

  it('names the requirement', () => {
    const [failed] = [judgeMetric('max < 1s', samplesMetric([2]), { id: 'own', requirement: '14.6' })];
    expect(decide([failed], [], undefined).reason).toContain('14.6');
  });

  it('says how many more failed', () => {
    const list = ['a', 'b', 'c'].map((id) => resultOf('fail', false, id));
    expect(decide(list, [], undefined).reason).toMatch(/2 more/);
  });
});

describe('what cannot be judged', () => {
  const name = 'create_workspaces.all.provisioning';
  const empty = fc.constantFrom<Metric | undefined>(
    undefined,
    { name, shape: 'missing', reason: 'the result file is truncated' },
    samplesMetric([]),
    ratioMetric(0, 0),
  );
  const expectation = fc.constantFrom(
    'p95 < 2m',
    'max < 2m',
    'min < 2m',
    'mean < 2m',
    'p50 > 0s',
    '>= 99%',
    '== 0',
    '<= 1',
    'count >= 0',
    '>= 0%',
  );

  it('is an error whatever was expected, and the gate is not green', () => {
    fc.assert(
      fc.property(empty, expectation, fc.boolean(), (metric, text, withGood) => {
        const good = criterionOf('== 0', { id: 'good', metric: 'cleanup.leftover_users' });
        const criteria = [criterionOf(text), ...(withGood ? [good] : [])];
        const metrics = [...(metric === undefined ? [] : [metric]), countMetric(0, 'cleanup.leftover_users')];
        const verdict = judgeRun(criteria, metrics, { problems: [] });
        expect(verdict.results[0]?.verdict).toBe('error');
        expect(verdict.verdict).toBe('error');
      }),
    );
  });

  it('gives the reason why it was not measured', () => {
    expect(
      judgeMetric('p95 < 2m', { name, shape: 'missing', reason: 'the file is truncated' }),
    ).toMatchObject({
      verdict: 'error',
      sentence: 'the file is truncated',
    });
  });

  it('is an expectation that does not fit its metric', () => {
    expect(judgeSamples('< 2m', [1, 2, 3]).verdict).toBe('error');
  });

  it('is a metric with fewer samples than wanted', () => {
    expect(judgeMetric('max < 2m', samplesMetric([1, 2]), { minSamples: 3 }).verdict).toBe('error');
    // A failed run is a sample, but it measured nothing.
    expect(judgeMetric('max < 2m', samplesMetric([1, 2], 1), { minSamples: 3 }).verdict).toBe('error');
    expect(judgeMetric('max < 2m', samplesMetric([1, 2, 3]), { minSamples: 3 }).verdict).toBe('pass');
  });

  it('does not hide a failure: problems of the run come after it', () => {
    const verdict = judgeRun([criterionOf('max < 1s')], [samplesMetric([2])], {
      problems: ['a group did not run'],
    });
    expect(verdict.verdict).toBe('fail');
  });
});

describe('a census', () => {
  it.each([
    ['max < 2m', 'pass', [1, 119.9]],
    ['max < 2m', 'fail', [1, 120]],
    ['max <= 2m', 'pass', [1, 120]],
    ['min >= 1s', 'pass', [1, 120]],
    ['mean < 2s', 'pass', [1, 2]],
    ['mean < 2s', 'fail', [1, 3]],
    ['count == 2', 'pass', [1, 3]],
    ['count >= 3', 'fail', [1, 3]],
  ])('is decided by its value: %s is a %s', (text, verdict, values) => {
    expect(judgeSamples(text, values).verdict).toBe(verdict);
  });

  it('counts failed runs as infinitely slow', () => {
    expect(judgeSamples('max < 2m', [1, 2], 1).verdict).toBe('fail');
    expect(judgeSamples('mean < 2m', [1, 2], 1).verdict).toBe('fail');
  });

  it.each(['max > 1s', 'mean >= 1s', 'p50 > 1s', 'p95 >= 1s'])(
    'takes what never ended for no more than anything: %s',
    (text) => {
      expect(judgeSamples(text, [], 100).verdict).not.toBe('pass');
    },
  );

  it('counts what was measured, not what failed', () => {
    expect(judgeSamples('count >= 3', [1, 2], 5).verdict).toBe('fail');
    expect(judgeSamples('count == 2', [1, 2], 5).verdict).toBe('pass');
  });

  it('of a share is decided by the share itself, exactly', () => {
    for (let good = 1; good <= 1000; good += 1)
      expect(judgeMetric(`>= ${(good / 10).toFixed(1)}%`, ratioMetric(good, 1000)).verdict).toBe('pass');
    expect(judgeMetric('>= 99%', ratioMetric(989, 1000)).verdict).toBe('fail');
    expect(judgeMetric('>= 99%', ratioMetric(99, 100)).verdict).toBe('pass');
  });

  it('shows the interval of a share beside it', () => {
    expect(judgeMetric('>= 99%', ratioMetric(50, 50))).toMatchObject({
      verdict: 'pass',
      observed: {
        kind: 'ratio',
        value: 1,
        good: 50,
        n: 50,
        upper: 1,
        lower: expect.closeTo(0.942, 3) as number,
      },
    });
  });

  it('of a number is decided by the number', () => {
    expect(judgeMetric('== 0', countMetric(0)).verdict).toBe('pass');
    expect(judgeMetric('== 0', countMetric(1)).verdict).toBe('fail');
  });
});

describe('criteria that are judged only where their metric can be seen', () => {
  const unseen = (skipped: boolean): Metric => ({
    name: 'coderd.restarts',
    shape: 'missing',
    reason: 'Prometheus is off',
    ...(skipped && { skipped: true }),
  });
  const judged = (metric: Metric, whereSeen: boolean): CriterionResult =>
    judgeMetric('== 0', metric, whereSeen ? { whereSeen } : {});

  it('are skipped, with the reason, where nothing shows it', () => {
    expect(judged(unseen(true), true)).toMatchObject({
      verdict: 'skipped',
      sentence: 'skipped: Prometheus is off',
    });
    const other = resultOf('pass');
    expect(decide([other, judged(unseen(true), true)], [])).toMatchObject({
      verdict: 'pass',
      reason: 'all 1 criteria passed',
    });
  });

  it('are errors where what shows it did not answer, and where somebody asked for it', () => {
    expect(judged(unseen(false), true)).toMatchObject({ verdict: 'error', sentence: 'Prometheus is off' });
    expect(judged(unseen(true), false)).toMatchObject({ verdict: 'error', sentence: 'Prometheus is off' });
    const notMeasured = judgeRun([criterionOf('== 0', { metric: 'coderd.restarts', whereSeen: true })], [], {
      problems: [],
    });
    expect(notMeasured).toMatchObject({ verdict: 'error' });
  });

  it('are judged as any other where it is seen', () => {
    expect(judged(countMetric(0, 'coderd.restarts'), true)).toMatchObject({ verdict: 'pass' });
    expect(judged(countMetric(1, 'coderd.restarts'), true)).toMatchObject({ verdict: 'fail' });
  });
});

describe('warnings and disabled criteria', () => {
  const warn = (text: string): { warn: ReturnType<typeof criterionOf>['expect'] } => ({
    warn: criterionOf(text).expect,
  });

  it('warns of a pass whose warning level is breached', () => {
    expect(judgeMetric('max < 2m', samplesMetric([100]), warn('max < 90s'))).toMatchObject({
      verdict: 'warn',
      sentence: expect.stringMatching(/the warning level max < 90s is breached/) as string,
    });
    expect(judgeMetric('max < 2m', samplesMetric([80]), warn('max < 90s')).verdict).toBe('pass');
  });

  it('never makes a failure better by warning of it', () => {
    expect(judgeMetric('max < 2m', samplesMetric([130]), warn('max < 90s')).verdict).toBe('fail');
  });

  it('does not judge what was taken out, and says why', () => {
    expect(judgeMetric('max < 2m', samplesMetric([500]), { disabled: { reason: 'not ours' } })).toMatchObject(
      {
        verdict: 'disabled',
        sentence: 'taken out: not ours',
      },
    );
  });
});
