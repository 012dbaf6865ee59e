import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { loadChecks } from '../../src/ready/load-checks.js';
import { passwordLoginCheck } from '../../src/ready/checks.js';
import { completePlan, makePlan } from '../../src/plan/plan.js';
import type { Plan } from '../../src/plan/plan-types.js';
import { minutes } from '../../src/units.js';
import { contextOf, factsOf, known, serverOf, unknown } from '../support/facts.js';

const planOf = (text: string): Plan =>
  makePlan(loadConfig('config.yaml', text), {
    tests: 'all',
    maxDuration: minutes(300),
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
  });
const users = (count: number): Plan => planOf(`dashboard: { concurrency: ${count}, duration: 5m }\n`);
const limits = (perMinute: number) => known({ off: perMinute <= 0, perMinute });
const checksOf = (plan: Plan, changes: Parameters<typeof factsOf>[0] = {}) =>
  loadChecks(contextOf({ plan, facts: factsOf(changes) }));
const rate = (plan: Plan, changes: Parameters<typeof factsOf>[0] = {}) => checksOf(plan, changes)[0];

describe('the rate plan of virtual users', () => {
  it('is not needed where no limits are on', () => {
    expect(rate(users(50))).toMatchObject({ status: 'ok', message: 'rate limits are off' });
  });

  it('fits since v2.32, where each user has a bucket', () => {
    const check = rate(users(500), { rateLimit: limits(512) });
    expect(check?.status).toBe('ok');
    expect(check?.message).toMatch(/^at most \d+ of 512 calls a minute to \/api\/v2\/\S+, counted per user$/);
  });

  it('is refused with its arithmetic up to v2.31, where all users of an address share one', () => {
    const check = rate(users(200), { rateLimit: limits(512), server: serverOf('v2.31.0') });
    expect(check?.status).toBe('refused');
    expect(check?.message).toMatch(
      /^The plan would measure the rate limiter: 200 users would send \d+ calls to \/api\/v2\/\S+ in the busiest minute, and the deployment takes 512 a minute per address and path .* of which 460 can be planned\. At most about \d+ users fit; or raise CODER_API_RATE_LIMIT/,
    );
  });

  it('is said to be unknown where the limit is', () => {
    expect(rate(users(50), { rateLimit: unknown('403') })).toMatchObject({ status: 'warning' });
  });
});

describe('the routes of the mix', () => {
  it('are named where the server does not have them', () => {
    const plan = completePlan(users(50), { parameters: new Map(), unknownRoutes: ['tasks'] }).plan;
    expect(checksOf(plan, { server: serverOf('v2.21.3') })[1]).toEqual({
      name: 'API load',
      status: 'warning',
      message: 'Coder v2.21.3 does not have tasks; the virtual users leave these calls out',
    });
    expect(checksOf(users(50))[1]).toMatchObject({ status: 'ok' });
  });

  it('are said to be unknown when they could not be asked', () => {
    expect(checksOf(users(50), { unknownRoutes: unknown('timed out') })[1]?.message).toMatch(
      /could not be asked: timed out/,
    );
  });
});

describe('virtual users without a workspace', () => {
  it('cannot be made with password login off', () => {
    const facts = factsOf({ passwordLogin: known(false) });
    const check = passwordLoginCheck(contextOf({ plan: users(50), facts }));
    expect(check?.status).toBe('refused');
    expect(check?.message).toMatch(/the 50 virtual users of "dashboard" cannot be made/);
  });
});

it('says nothing of the load where none is planned', () => {
  expect(loadChecks(contextOf())).toEqual([]);
});
