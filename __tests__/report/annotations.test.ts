import { describe, expect, it } from 'vitest';
import { judgeRun } from '../../src/judge/judge.js';
import { annotationsOf } from '../../src/report/annotations.js';
import { samplesMetric } from '../support/metrics.js';
import { criterionOf } from '../support/plans.js';

const metrics = [samplesMetric(Array.from({ length: 50 }, () => 100))];
const verdictOf = (expectation: string, count: number, changes = {}) =>
  judgeRun(
    Array.from({ length: count }, (_, index) => criterionOf(expectation, { id: `c${index}`, ...changes })),
    metrics,
    { problems: [] },
  );

describe('annotations', () => {
  it('are at most ten: one for the verdict, nine for details', () => {
    const list = annotationsOf(verdictOf('max < 1s', 30), 'fail');
    expect(list).toHaveLength(10);
    expect(list[0]).toMatchObject({ level: 'error', title: 'Scale test: fail' });
    expect(new Set(list.map(({ title }) => title)).size).toBe(10);
  });

  it('are none for a pass', () => {
    expect(annotationsOf(verdictOf('max < 1h', 3), 'fail')).toEqual([]);
  });

  it('warn of what passed with a warning, at most as many', () => {
    const list = annotationsOf(verdictOf('max < 1h', 30, { warn: criterionOf('max < 1s').expect }), 'fail');
    expect(list.length).toBeGreaterThan(0);
    expect(list.length).toBeLessThanOrEqual(10);
    expect(new Set(list.map(({ level }) => level))).toEqual(new Set(['warning']));
  });

  it.each([
    ['fail', 'error'],
    ['warn', 'warning'],
  ] as const)('of an inconclusive run follow on-inconclusive: %s', (policy, level) => {
    const list = annotationsOf(verdictOf('p95 < 2m', 2), policy);
    expect(list).toHaveLength(3);
    expect(new Set(list.map((one) => one.level))).toEqual(new Set([level]));
  });

  it('never warn only of a fail', () => {
    for (const { level } of annotationsOf(verdictOf('max < 1s', 2), 'warn')) expect(level).toBe('error');
  });

  it('leave out what only informs', () => {
    const verdict = judgeRun(
      [criterionOf('max < 1s', { id: 'bad' }), criterionOf('max < 1s', { id: 'info', informational: true })],
      metrics,
      { problems: [] },
    );
    expect(annotationsOf(verdict, 'fail').map(({ title }) => title)).toEqual([
      'Scale test: fail',
      'bad: fail',
    ]);
  });
});
