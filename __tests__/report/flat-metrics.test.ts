import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatMetrics } from '../../src/report/flat-metrics.js';
import { countMetric, ratioMetric, samplesMetric } from '../support/metrics.js';
import { METRICS } from '../support/reports.js';

describe('flatMetrics', () => {
  it('has one number an aggregate', () => {
    const flat = flatMetrics(METRICS);
    expect(flat).toMatchObject({
      'create_workspaces.pod_workspaces.provisioning.p50': 35,
      'create_workspaces.pod_workspaces.provisioning.p90': 63,
      'create_workspaces.pod_workspaces.provisioning.p95': 66.5,
      'create_workspaces.pod_workspaces.provisioning.p99': 69.3,
      'create_workspaces.pod_workspaces.provisioning.max': 70,
      'create_workspaces.pod_workspaces.provisioning.min': 0.1,
      'create_workspaces.pod_workspaces.provisioning.count': 700,
      'create_workspaces.pod_workspaces.success_rate.value': 1,
      'create_workspaces.all.peak_in_flight.value': 150,
    });
  });

  it('has only finite numbers, which JSON keeps', () => {
    const samples = fc.tuple(
      fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 30 }),
      fc.nat(30),
    );
    const metric = fc.oneof(
      samples.map(([values, failed]) => samplesMetric(values, failed, 'm')),
      fc.tuple(fc.nat(20), fc.nat(20)).map(([good, bad]) => ratioMetric(good, good + bad, 'm')),
      fc.constantFrom(countMetric(Number.POSITIVE_INFINITY, 'm'), countMetric(3, 'm')),
      fc.constant({ name: 'm', shape: 'missing', reason: 'x' } as const),
    );
    fc.assert(
      fc.property(metric, (one) => {
        const flat = flatMetrics([one]);
        for (const value of Object.values(flat)) expect(Number.isFinite(value)).toBe(true);
        expect(JSON.parse(JSON.stringify(flat))).toEqual(flat);
      }),
    );
  });

  it('leaves out what falls on failed runs', () => {
    const flat = flatMetrics([
      samplesMetric(
        Array.from({ length: 94 }, () => 1),
        6,
        'm',
      ),
    ]);
    expect(Object.keys(flat).sort()).toEqual(['m.count', 'm.min', 'm.p50', 'm.p90']);
    expect(flat['m.count']).toBe(100);
  });

  it('says nothing of what was not measured', () => {
    expect(flatMetrics([{ name: 'm', shape: 'missing', reason: 'x' }, ratioMetric(0, 0, 'r')])).toEqual({});
  });
});
