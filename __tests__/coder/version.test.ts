import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAtLeast, parseVersion } from '../../src/coder/version.js';
import { explainSkip, hasRecordings, sharedJson, VERSIONS } from '../support/shared.js';

explainSkip('recorded versions');

describe('parseVersion', () => {
  it.each([
    ['v2.36.0', '2.36.0', false],
    ['2.36.0', '2.36.0', false],
    ['v2.36.1+a1b2c3d', '2.36.1', false],
    ['v2.34.0-rc.0', '2.34.0-rc.0', false],
    ['2.34.0-rc.0+a1b2c3d', '2.34.0-rc.0', false],
    ['v2.36.0-devel+a1b2c3d', '2.36.0', true],
    [' v2.21.3\n', '2.21.3', false],
  ])('%j is the release %s', (text, release, isDevelopment) => {
    expect(parseVersion(text)).toMatchObject({ release, isDevelopment });
  });

  it.each(['', 'v2', 'v2.36', 'latest', 'v2.36.0 extra', 'v2.x.0', '../2.36.0', 'v2.36.0/../x'])(
    '%j is none',
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
    },
  );

  it('never gives a release that could leave a folder or an address', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^v?\d\.\d{1,3}\.\d{1,2}[-+.a-z/0-9 ]{0,8}$/), (text) => {
        expect(parseVersion(text)?.release ?? '').not.toMatch(/[/\s\\]|\.\.(?=[/\\])/);
      }),
    );
  });
});

it.each([
  ['2.32.0', true],
  ['2.36.1', true],
  ['3.0.0', true],
  ['2.31.9', false],
  ['1.99.0', false],
])('%s at least 2.32: %s', (text, expected) => {
  const version = parseVersion(text);
  expect(version && isAtLeast(version, 2, 32)).toBe(expected);
});

describe.runIf(hasRecordings)('recorded servers', () => {
  it.each(VERSIONS)('%s tells its version', (version) => {
    const { response } = sharedJson(`golden/${version}/api/buildinfo.json`) as {
      response: { body: { version: string } };
    };
    expect(`v${parseVersion(response.body.version)?.release}`).toBe(version);
  });
});
