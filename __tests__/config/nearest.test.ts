import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNames, nearestThree, suggestion } from '../../src/config/nearest.js';

describe('suggestions', () => {
  it.each([
    ['concurency', 'concurrency'],
    ['Count', 'count'],
    ['tempalte', 'template'],
  ])('finds what %s was meant to be', (typed, meant) => {
    expect(nearestNames(typed, ['count', 'concurrency', 'template', 'expected_p95'])[0]).toBe(meant);
    expect(suggestion(typed, ['count', 'concurrency', 'template'])).toContain(`did you mean "${meant}"`);
  });

  it('names three, however far they are, where a list of all would be long', () => {
    const known = [
      'api.latency',
      'coderd.restarts',
      'create_workspaces.all.queue',
      'create_workspaces.all.build',
    ];
    expect(nearestThree('api.latancy', known)).toBe('did you mean "api.latency"?');
    expect(nearestThree('zz', known)).toMatch(/^the nearest are "\S+", "\S+", "\S+"$/);
    expect(nearestThree('zz', [])).toBe('there is none');
  });

  it('lists what there is when nothing is near', () => {
    expect(suggestion('zzzzzzzz', ['count', 'template'])).toBe('there is "count", "template"');
  });

  it('offers only what there is, at most three, and always the name itself', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,12}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.string(), (known, typed) => {
        const near = nearestNames(typed, known);
        expect(near.length).toBeLessThanOrEqual(3);
        expect(known).toEqual(expect.arrayContaining(near));
        for (const name of known) expect(nearestNames(name, known)[0]).toBe(name);
      }),
    );
  });
});
