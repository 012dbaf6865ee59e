import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { countCauses, failureCause } from '../../src/measure/failure-cause.js';
import type { ResultDocument } from '../support/result-documents.js';
import { explainSkip, hasRecordings, sharedJson } from '../support/shared.js';

explainSkip('causes of recorded failures');

function causesIn(recording: string) {
  const { runs } = sharedJson(`golden/${recording}.json`) as ResultDocument;
  return Object.values(runs)
    .filter(({ error }) => error !== '<nil>')
    .map(({ error, logs }) => failureCause(String(error), logs));
}

describe.runIf(hasRecordings)('failures of a real CLI', () => {
  it.each([
    ['v2.36.0/cli/create-workspaces-build-failed', /InsufficientInstanceCapacity: no capacity in eu-west-1a/],
    ['v2.36.0/cli/create-workspaces-retry', /InsufficientInstanceCapacity/],
    ['v2.31.0/cli/create-workspaces-max-failures', /context deadline exceeded/],
    [
      'v2.36.0/cli/create-workspaces-428',
      /status code 428.*"X-Coder-Bypass-Ratelimit" provided but user is not owner/,
    ],
    ['v2.31.0/cli/create-workspaces-429', /status code 429: You've been rate limited .* 60 requests in 1m0s/],
    ['v2.36.0/cli/create-workspaces-timeout', /context deadline exceeded/],
    ['v2.36.0/cli/create-workspaces-no-agent', /no agents found for workspace/],
  ])('%s: the summary names the cause', (recording, cause) => {
    const causes = causesIn(recording);
    expect(causes.length).toBeGreaterThan(0);
    for (const { summary, message } of causes) {
      expect(summary).toMatch(cause);
      expect(summary).not.toMatch(/\n/);
      expect(summary.length).toBeLessThanOrEqual(300);
      // No frames of the call stack, no addresses in the program.
      expect(message).not.toMatch(/\.go:\d+|\(\*Runner\)|github\.com\/coder/);
    }
  });

  it.each([
    'v2.36.0/cli/create-workspaces-build-failed',
    'v2.36.0/cli/create-workspaces-428',
    'v2.31.0/cli/create-workspaces-429',
  ])('%s: equal failures are counted together', (recording) => {
    const causes = causesIn(recording);
    expect(countCauses(causes)).toEqual([{ summary: causes[0]?.summary, count: causes.length }]);
  });

  it('every line of the log that says error is found, cleaned of its mark', () => {
    const [first] = causesIn('v2.36.0/cli/create-workspaces-build-failed');
    expect(first?.logErrors).toEqual(
      expect.arrayContaining([
        'Error: local-exec provisioner error',
        expect.stringMatching(/^Error running command/),
      ]),
    );
    for (const line of first?.logErrors ?? []) expect(line).not.toMatch(/^error:/);
  });
});

describe('failureCause', () => {
  it('takes an empty line of the log for no cause, and not the next one for its text', () => {
    const { logErrors } = failureCause('x', '\terror:\t\n\terror:\tError: no capacity\n\terror:\nplain\n');
    expect(logErrors).toEqual(['Error: no capacity']);
  });

  it('looks only at lines that begin like that', () => {
    expect(failureCause('x', 'error: a\n  error: b\nsaid \terror: c\n\tinfo:\td\n').logErrors).toEqual([]);
  });

  it.each(['', ':', ' - ', ' - :', '    only.Frames()'])(
    'says so when the error %j says nothing',
    (error) => {
      expect(failureCause(error, '').summary).toBe('unknown');
    },
  );

  it('says something about every error, in one line of at most 300 characters', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (error, logs) => {
        const { summary, logErrors } = failureCause(error, logs);
        expect(summary).not.toMatch(/[\r\n]/);
        expect(summary.length).toBeGreaterThan(0);
        expect(summary.length).toBeLessThanOrEqual(300);
        expect(logErrors.length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('counts the most frequent cause first', () => {
    const causes = ['a', 'b', 'b', 'c', 'b', 'c'].map((text) => failureCause(text, ''));
    expect(countCauses(causes)).toEqual([
      { summary: 'b', count: 3 },
      { summary: 'c', count: 2 },
      { summary: 'a', count: 1 },
    ]);
  });

  it('takes ids and names out, so that equal causes are equal', () => {
    const of = (id: string, name: string): string =>
      failureCause(`workspace ${id} of ${name}: quota exceeded`, '').summary;
    expect(of('3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'scaletest-AbCdEfGh-1')).toBe(
      of('11112222-4f89-41d3-9a0c-0305e82c3301', 'scaletest-zZyYxXwW-22'),
    );
  });
});
