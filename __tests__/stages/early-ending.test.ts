import { describe, expect, it } from 'vitest';
import type { BuildsSeen } from '../../src/run/run-types.js';
import { EarlyEnding } from '../../src/stages/early-ending.js';
import { milliseconds } from '../../src/units.js';
import type { Criterion, CreateWorkspacesStep } from '../../src/plan/plan-types.js';
import { JumpingClock, KeptLog } from '../support/fakes.js';
import { loadResultOf, seriesOf } from '../support/load-results.js';
import { criterionOf, planOf, stepOf } from '../support/plans.js';

interface Counts {
  readonly at: number;
  readonly asked: number;
  readonly built: number;
  readonly failed?: number;
}

const seen = (step: CreateWorkspacesStep, { at, asked, built, failed = 0 }: Counts): BuildsSeen => ({
  step,
  asked,
  built,
  failed,
  askedAt: milliseconds(at * 1000),
  answeredAt: milliseconds(at * 1000 + 200),
});

function endingOf(steps: readonly CreateWorkspacesStep[], ...criteria: Criterion[]): EarlyEnding {
  const ending = EarlyEnding.of(
    { ...planOf(steps, criteria), abortEarly: true },
    new JumpingClock(),
    new KeptLog(),
  );
  if (ending === undefined) throw new Error('nothing is watched');
  return ending;
}

const SLOW = criterionOf('p95 < 60s', { metric: 'create_workspaces.pod_workspaces.provisioning' });
const RATE = criterionOf('>= 90%', { metric: 'create_workspaces.all.success_rate' });

describe('builds that are seen by their counts', () => {
  it('are late when they were there a limit ago and are not built: five of a hundred are allowed', () => {
    const step = stepOf({ count: 100 });
    const ending = endingOf([step], SLOW);
    ending.look([seen(step, { at: 0, asked: 10, built: 0 })], undefined);
    // A minute after the question, but not yet after the answer.
    ending.look([seen(step, { at: 60.1, asked: 20, built: 0 })], undefined);
    expect(ending.signal.aborted).toBe(false);
    ending.look([seen(step, { at: 60.2, asked: 20, built: 5 })], undefined);
    expect(ending.signal.aborted).toBe(false);
    ending.look([seen(step, { at: 60.3, asked: 20, built: 4 })], undefined);
    expect(ending.signal.aborted).toBe(true);
  });

  it('stay late when they are built in the end', () => {
    const step = stepOf({ count: 100 });
    const ending = endingOf([step], SLOW);
    ending.look([seen(step, { at: 0, asked: 5, built: 0 })], undefined);
    ending.look([seen(step, { at: 61, asked: 10, built: 0 })], undefined);
    ending.look([seen(step, { at: 70, asked: 10, built: 10, failed: 5 })], undefined);
    expect(ending.signal.aborted).toBe(false);
    ending.look([seen(step, { at: 71, asked: 16, built: 10, failed: 6 })], undefined);
    expect(ending.signal.aborted).toBe(true);
  });

  it('count as failed over all groups, but not where they are tried again', () => {
    const step = stepOf({ count: 50 });
    const retried = stepOf({ group: 'ec2_workspaces', template: 'ec2-datasci', count: 50, retries: 1 });
    const ending = endingOf([step, retried], RATE);
    ending.look(
      [
        seen(step, { at: 1, asked: 50, built: 0, failed: 10 }),
        seen(retried, { at: 1, asked: 50, built: 0, failed: 40 }),
      ],
      undefined,
    );
    expect(ending.signal.aborted).toBe(false);
    ending.look([seen(step, { at: 2, asked: 50, built: 0, failed: 11 })], undefined);
    expect(ending.signal.aborted).toBe(true);
  });
});

describe('calls of the virtual users', () => {
  const LATENCY = criterionOf('p95 < 500ms', { metric: 'api.latency' });
  const slow = (n: number, most = 1000) => ({
    result: loadResultOf([seriesOf(Array.from({ length: n }, () => 900))]),
    most: { pooled: most, routes: new Map([['users-me', most]]) },
  });

  it('end the load when more are slow than all that are planned allow', () => {
    const ending = endingOf([], LATENCY);
    ending.look([], slow(50));
    expect(ending.signal.aborted).toBe(false);
    ending.look([], slow(51));
    expect(ending.signal.aborted).toBe(true);
  });

  it('end it by what was measured so far only where the criterion says so', () => {
    const ending = endingOf([], { ...LATENCY, abort: true });
    // Too few to tell a P95.
    ending.look([], slow(58, 10_000));
    expect(ending.signal.aborted).toBe(false);
    ending.look([], slow(59, 10_000));
    expect(ending.signal.aborted).toBe(true);
  });

  it('end nothing by numbers of a generator that could not keep up', () => {
    const ending = endingOf([], { ...LATENCY, abort: true });
    const { result, most } = slow(500, 10_000);
    const health = { ...result.health, saturated: 'the load generator could not keep up' };
    ending.look([], { result: { ...result, health }, most });
    expect(ending.signal.aborted).toBe(false);
  });
});

it('nothing is watched by default, nor for what is taken out or informs only', () => {
  const plan = planOf([stepOf()], [RATE]);
  const of = (changed: Parameters<typeof EarlyEnding.of>[0]) =>
    EarlyEnding.of(changed, new JumpingClock(), new KeptLog());
  expect(of(plan)).toBeUndefined();
  expect(of({ ...plan, abortEarly: true })).toBeDefined();
  expect(of({ ...plan, criteria: [{ ...RATE, abort: true }] })).toBeDefined();
  expect(of({ ...plan, abortEarly: true, criteria: [{ ...RATE, informational: true }] })).toBeUndefined();
  expect(
    of({ ...plan, abortEarly: true, criteria: [{ ...RATE, disabled: { reason: 'x' } }] }),
  ).toBeUndefined();
});
