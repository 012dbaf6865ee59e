import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holds } from '../../src/judge/compare.js';
import { lostFor, type Certain, type EarlyEnd } from '../../src/judge/early-end.js';
import { judgeRun } from '../../src/judge/judge.js';
import type { Expectation } from '../../src/config/expectation.js';
import { countMetric, judgeMetric, ratioMetric, samplesMetric } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

const NAME = 'create_workspaces.all.provisioning';
const RATE = 'create_workspaces.all.success_rate';

/** What is certain of samples of which only the first so many are known. */
const certainOf = (known: readonly number[], failed: number, most: number): Certain => ({
  metric: NAME,
  shape: 'samples',
  most,
  failed,
  beyond: ({ operator, threshold }: Expectation) =>
    failed + known.filter((sample) => !holds(sample, operator, threshold)).length,
});
const ratioOf = (failed: number, most: number): Certain => ({
  metric: RATE,
  shape: 'ratio',
  most,
  failed,
  beyond: () => failed,
});

describe('a load that is ended early', () => {
  it('could not have passed, whatever the rest of the samples had been', () => {
    const aggregate = fc.constantFrom('p50', 'p90', 'p95', 'p99', 'max');
    fc.assert(
      fc.property(
        aggregate,
        fc.constantFrom('<', '<='),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 400 }),
        fc.nat({ max: 20 }),
        fc.nat({ max: 400 }),
        fc.nat({ max: 50 }),
        (name, operator, known, failed, rest, never) => {
          const criterion = criterionOf(`${name} ${operator} 10s`, { metric: NAME });
          const most = known.length + failed + rest + never;
          const lost = lostFor(criterion, certainOf(known, failed, most));
          // The best that can come: all the others at once, and some that never come at all.
          const best = samplesMetric([...known, ...Array.from({ length: rest }, () => 0)], failed);
          const verdict = judgeMetric(criterion.expect.text, best).verdict;
          if (lost !== undefined) expect(verdict).not.toBe('pass');
          // And the other way round, where all come: what is not lost meets the limit in the best case.
          if (lost === undefined && never === 0) expect(verdict).not.toBe('fail');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('had more failures than its success rate allows, and not one less', () => {
    const criterion = criterionOf('>= 99%', { metric: RATE });
    expect(lostFor(criterion, ratioOf(10, 1000))).toBeUndefined();
    const lost = lostFor(criterion, ratioOf(11, 1000));
    expect(lost?.observed).toMatchObject({ kind: 'ratio', good: 989, n: 1000 });
    expect(lost?.sentence).toMatch(
      /^11 of 1000 workspaces failed, so at most 98\.9\s% can succeed, expected >= 99%$/,
    );
    expect(lostFor(criterion, ratioOf(0, 0))).toBeUndefined();
  });

  it.each(['p95 > 1s', 'min > 1s', 'mean < 1ms', 'count >= 5', 'max == 1s'])(
    'is not ended by %s, which the rest may still make good',
    (text) => {
      const certain = certainOf([100, 200], 50, 100);
      expect(lostFor(criterionOf(text, { metric: NAME }), certain)).toBeUndefined();
    },
  );
});

describe('the verdict after an early end', () => {
  const criterion = criterionOf('max < 10s', { id: 'slow', metric: NAME });
  const [breach] = [lostFor(criterion, certainOf([11], 0, 100))];
  const end: EarlyEnd = {
    seconds: 12,
    breaches: breach === undefined ? [] : [breach],
    complete: ['create_workspaces.pods.'],
  };
  const metrics = [
    ratioMetric(100, 100, 'api.success_rate'),
    ratioMetric(10, 10, 'create_workspaces.pods.success_rate'),
    countMetric(0, 'cleanup.leftover_users'),
  ];
  const others = ['api.success_rate', 'create_workspaces.pods.success_rate', 'cleanup.leftover_users'].map(
    (metric) => criterionOf(metric.startsWith('cleanup') ? '== 0' : '>= 99%', { id: metric, metric }),
  );

  it('is a failure of what ended it; what was cut off is an error, and what was whole is judged', () => {
    const verdict = judgeRun([criterion, ...others], metrics, { problems: [], endedEarly: end });
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reason).toMatch(
      /^slow failed: 1 of 100 workspaces .*; the load was ended early, after 12.s$/,
    );
    expect(verdict.results.map((result) => result.verdict)).toEqual(['fail', 'error', 'pass', 'pass']);
  });

  it('is an error when it is judged again without what ended it', () => {
    for (const criteria of [others, [criterionOf('max < 20s', { id: 'slow', metric: NAME }), ...others]])
      expect(judgeRun(criteria, metrics, { problems: [], endedEarly: end }).verdict).toBe('error');
    const whole = others.filter(({ metric }) => !metric.startsWith('api.'));
    expect(judgeRun(whole, metrics, { problems: [], endedEarly: end })).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining('the load was ended early') as string,
    });
  });
});
