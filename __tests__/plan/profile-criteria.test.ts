import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { makePlan } from '../../src/plan/plan.js';
import type { Plan } from '../../src/plan/plan-types.js';
import { minutes } from '../../src/units.js';
import { messagesOf, placesOf } from '../support/mistakes.js';

const criterion = (id: string, expectation: string): string =>
  `{ id: ${id}, metric: create_workspaces.all.${id}, expect: "${expectation}" }`;

/** A file with one criterion, and a profile with those. */
const withProfile = (...criteria: string[]): string => `create_workspaces:
  count: 400
  templates:
    pods: { template: pod-swdev, count: 400, concurrency: 100, expected_p95: 2m }
criteria:
  - ${criterion('queue', 'p95 < 30s')}
profiles:
  strict:
    criteria:
${criteria.map((entry) => `      - ${entry}\n`).join('')}`;

function plan(text: string): Plan {
  return makePlan(loadConfig('config.yaml', text, 'strict'), {
    tests: ['create-workspaces'],
    maxDuration: minutes(300),
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
    profile: 'strict',
  });
}
const expectations = (text: string): Record<string, string> =>
  Object.fromEntries(plan(text).criteria.map(({ id, expect: wanted }) => [id, wanted.text]));

describe('the plan of a profile with criteria of its own', () => {
  it('has those of the file as well', () => {
    expect(expectations(withProfile(criterion('build', 'p95 < 1m')))).toMatchObject({
      queue: 'p95 < 30s',
      build: 'p95 < 1m',
    });
  });

  it('has the profile’s where both have the id', () => {
    expect(expectations(withProfile(criterion('queue', 'p95 < 9s')))).toMatchObject({ queue: 'p95 < 9s' });
  });

  it.each([
    ['of the profile', withProfile(criterion('buidl', 'p95 < 1m')), '10:30'],
    ['of the file', withProfile(criterion('build', 'p95 < 1m')).replace('all.queue', 'all.quuee'), '6:26'],
  ])('shows an unknown metric %s where it stands', (_, text, place) => {
    expect(placesOf(() => plan(text))).toEqual([place]);
  });

  it('shows a criterion that cannot be decided where it stands', () => {
    const text = withProfile(criterion('build', 'p95 < 1m'), criterion('queue', 'p99.9 < 9s'));
    expect(messagesOf(() => plan(text))).toEqual([expect.stringMatching(/"queue".* cannot be decided/)]);
    expect(placesOf(() => plan(text))).toEqual(['11:67']);
  });
});
