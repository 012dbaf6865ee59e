import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../src/coder/version.js';
import { chooseDriver } from '../../src/ready/driver.js';
import { factsOf, known, serverOf, unknown } from '../support/facts.js';
import { stepOf } from '../support/plans.js';

const ON = known({ off: false, perMinute: 512 });
const OFF = known({ off: true, perMinute: 512 });

/** What really happens is recorded: 428 for CLI and server from v2.32 on, 60 sign-ins a minute before. */
describe('chooseDriver', () => {
  it.each([
    ['v2.36.0', 'v2.36.0', 100, ON, 'api', /answered 428/],
    ['v2.32.0', 'v2.32.0', 1, ON, 'api', /answered 428/],
    ['v2.36.0', 'v2.36.0', 1000, OFF, 'cli', /nothing keeps the CLI/],
    ['v2.31.0', 'v2.31.0', 1000, ON, 'api', /1000 sign-ins.*60 a minute/],
    ['v2.31.0', 'v2.31.0', 10, ON, 'cli', /nothing keeps/],
    ['v2.31.0', 'v2.36.0', 1000, ON, 'api', /60 a minute/],
    ['v2.36.0', 'v2.31.0', 1000, ON, 'api', /60 a minute/],
    ['v2.36.0', 'v2.31.0', 10, ON, 'cli', /nothing keeps/],
    ['v2.36.0', 'v2.36.0', 10, unknown('403'), 'api', /whether rate limits are on could not be read/],
  ] as const)('CLI %s, server %s, %i workspaces', (cli, server, count, rateLimit, driver, reason) => {
    const facts = factsOf({ server: serverOf(server), rateLimit });
    const { choice, check } = chooseDriver([stepOf({ count })], facts, parseVersion(cli));
    expect(choice.driver).toBe(driver);
    expect(choice.reason).toMatch(reason);
    expect(check).toBeUndefined();
  });

  it('needs no detour for the token’s own user', () => {
    const { choice } = chooseDriver(
      [stepOf({ owner: 'token-user', count: 1000 })],
      factsOf({ rateLimit: ON }),
      parseVersion('v2.36.0'),
    );
    expect(choice.driver).toBe('cli');
  });

  it('takes the API where versions are not known and limits are on', () => {
    expect(chooseDriver([stepOf()], factsOf({ rateLimit: ON }), undefined).choice.driver).toBe('api');
  });

  it('does what the config says, and refuses what could only fail', () => {
    const facts = factsOf({ rateLimit: ON });
    const cli = parseVersion('v2.36.0');
    expect(chooseDriver([stepOf({ driver: 'api' })], factsOf(), cli)).toEqual({
      choice: { driver: 'api', reason: 'the config asks for it' },
    });
    expect(chooseDriver([stepOf({ driver: 'cli' })], factsOf(), cli).check).toBeUndefined();
    expect(chooseDriver([stepOf({ driver: 'cli' })], facts, cli).check).toMatchObject({
      status: 'refused',
      message: expect.stringMatching(/with "driver: cli" every run would fail: .*428/) as string,
    });
  });
});
