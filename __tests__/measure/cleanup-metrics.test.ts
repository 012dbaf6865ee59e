import { describe, expect, it } from 'vitest';
import { cleanupMetrics } from '../../src/measure/cleanup-metrics.js';
import { judgeMetric } from '../support/metrics.js';

describe('cleanupMetrics', () => {
  it('counts what is left', () => {
    const metrics = cleanupMetrics({ leftoverWorkspaces: 3, leftoverUsers: 0 });
    expect(metrics.map((metric) => [metric.name, metric.shape === 'count' && metric.value])).toEqual([
      ['cleanup.leftover_workspaces', 3],
      ['cleanup.leftover_users', 0],
    ]);
    expect(metrics.map((metric) => judgeMetric('== 0', metric).verdict)).toEqual(['fail', 'pass']);
  });

  it('is never green when nobody knows', () => {
    const metrics = cleanupMetrics({
      leftoverWorkspaces: 0,
      leftoverUsers: 0,
      problem: 'no answer within 30 s',
    });
    for (const metric of metrics) {
      const result = judgeMetric('== 0', metric);
      expect(result.verdict).toBe('error');
      expect(result.sentence).toContain('no answer within 30 s');
    }
  });
});
