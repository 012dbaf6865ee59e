import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseInputs, type Inputs } from '../src/inputs.js';
import { messagesOf } from './support/mistakes.js';

const TOKEN = 'AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB';
const DEPLOYMENT = { 'coder-url': 'https://coder.example.com', 'coder-session-token': TOKEN };

/** As the runner hands inputs over: `INPUT_`, upper case, dashes kept. */
function environmentOf(inputs: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
}
const read = (inputs: Record<string, string>): Inputs =>
  parseInputs(environmentOf({ ...DEPLOYMENT, ...inputs }));
const refusals = (inputs: Record<string, string>): string[] => messagesOf(() => read(inputs));

describe('good inputs', () => {
  it('has the documented defaults', () => {
    expect(read({})).toEqual({
      mode: 'gate',
      coderUrl: 'https://coder.example.com',
      credential: { kind: 'token', token: TOKEN },
      tests: 'all',
      coderVersion: 'server',
      resultsDirectory: 'scaletest-results',
      cleanup: 'always',
      leftovers: 'fail',
      onInconclusive: 'fail',
      leaseWait: 0,
      maxDuration: 5 * 3600,
      metricsPages: [],
      extraHeaders: {},
      uploadArtifact: true,
    });
  });

  it('takes the deployment and the token from the variables that the CLI knows', () => {
    const inputs = parseInputs({ CODER_URL: 'https://coder.example.com', CODER_SESSION_TOKEN: TOKEN });
    expect(inputs.coderUrl).toBe('https://coder.example.com');
    expect(inputs.credential).toEqual({ kind: 'token', token: TOKEN });
  });

  it('prefers an input to the variable', () => {
    const inputs = parseInputs({
      ...environmentOf({
        'coder-url': 'https://input.example.com',
        'coder-email': 'a@b.c',
        'coder-password': 'x',
      }),
      CODER_URL: 'https://variable.example.com',
      CODER_SESSION_TOKEN: TOKEN,
    });
    expect(inputs.coderUrl).toBe('https://input.example.com');
    expect(inputs.credential).toEqual({ kind: 'password', email: 'a@b.c', password: 'x' });
  });

  it('takes a list of metrics pages, each once', () => {
    const list = ' http://10.0.0.7:2112,\n https://b.example.com/metrics?x=1 , http://10.0.0.7:2112/ ';
    expect(read({ 'prometheus-url': list }).metricsPages).toEqual([
      'http://10.0.0.7:2112/',
      'https://b.example.com/metrics?x=1',
    ]);
  });

  it('cuts a trailing slash off the address', () => {
    expect(read({ 'coder-url': 'http://127.0.0.1:7080/' }).coderUrl).toBe('http://127.0.0.1:7080');
  });

  it('takes an empty input as not given, as workflows pass it', () => {
    expect(read({ profile: '', 'max-workspaces': '  ', mode: '' })).toEqual(read({}));
  });

  it.each([
    ['create-workspaces', ['create-workspaces']],
    ['create-workspaces, dashboard', ['create-workspaces', 'dashboard']],
    ['create-workspaces\n dashboard\n', ['create-workspaces', 'dashboard']],
    ['dashboard,dashboard', ['dashboard']],
    ['all', 'all'],
  ])('reads the list of tests %j', (tests, expected) => {
    expect(read({ tests }).tests).toEqual(expected);
  });

  it.each(['true', 'True', 'TRUE'])('takes %s as true', (value) => {
    expect(read({ 'upload-artifact': value }).uploadArtifact).toBe(true);
  });

  it.each(['false', 'False', 'FALSE'])('takes %s as false', (value) => {
    expect(read({ 'upload-artifact': value }).uploadArtifact).toBe(false);
  });

  it.each([
    ['0', 0],
    ['0s', 0],
    ['30m', 1800],
  ])('takes the wait %s for a lease', (text, seconds) => {
    expect(read({ 'lease-wait': text }).leaseWait).toBe(seconds);
  });

  it('reads ceilings with their units', () => {
    const inputs = read({ 'max-duration': '1h30m', 'max-workspaces': '200', 'retention-days': '7' });
    expect(inputs).toMatchObject({ maxDuration: 5400, maxWorkspaces: 200, retentionDays: 7 });
  });

  it('plans without a deployment', () => {
    expect(parseInputs(environmentOf({ mode: 'plan' }))).toMatchObject({ mode: 'plan' });
  });

  it('judges without a deployment', () => {
    expect(parseInputs(environmentOf({ mode: 'judge', from: 'results' }))).toMatchObject({ from: 'results' });
  });

  it('takes a CLI that is there beside the default version, which the runner gives', () => {
    expect(read({ 'coder-path': './bin/coder', 'coder-version': 'server' }).coderPath).toBe('./bin/coder');
  });

  it.each(['2.36.0', 'v2.36.0', '2.34.0-rc.0', 'stable', 'mainline', 'server'])(
    'takes the version %s',
    (version) => {
      expect(read({ 'coder-version': version }).coderVersion).toBe(version);
    },
  );
});

describe('bad inputs', () => {
  it('what a CLI that is there leaves nothing to do for', () => {
    const inputs = {
      'coder-path': '/usr/bin/coder',
      'coder-version': '2.35.1',
      'coder-download-url': 'https://mirror.example.com/coder',
    };
    expect(refusals(inputs)).toEqual(
      ['coder-version', 'coder-download-url'].map(
        (name) =>
          `input "${name}" is for a CLI that is installed, but "coder-path" names one that is there; take one of them out`,
      ),
    );
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a number with letters',
      { 'max-workspaces': '5abc' },
      /"max-workspaces" is "5abc"; a whole number, 1 or more/,
    ],
    ['zero workspaces', { 'max-workspaces': '0' }, /"max-workspaces" is "0"/],
    ['a negative number', { 'max-workspaces': '-3' }, /"max-workspaces" is "-3"/],
    ['a fraction', { 'max-workspaces': '1.5' }, /"max-workspaces" is "1.5"/],
    ['an exponent', { 'max-workspaces': '1e3' }, /"max-workspaces" is "1e3"/],
    ['days beyond GitHub’s limit', { 'retention-days': '91' }, /"retention-days" is "91"; .*from 1 to 90/],
    ['a duration without a unit', { 'max-duration': '300' }, /"max-duration": "300" is no duration/],
    ['a duration of zero', { 'max-duration': '0s' }, /"max-duration" is "0s"; a duration above zero/],
    ['a negative duration', { 'max-duration': '-5m' }, /"max-duration": "-5m" is no duration/],
    ['a URL without a scheme', { 'coder-url': 'coder.example.com' }, /"coder-url".*write it with its scheme/],
    [
      'a URL with a port and no scheme',
      { 'coder-url': 'coder.example.com:3000' },
      /"coder-url".*with its scheme/,
    ],
    ['another scheme', { 'coder-url': 'ftp://coder.example.com' }, /"coder-url".*with its scheme/],
    [
      'a URL with a path',
      { 'coder-url': 'https://example.com/coder' },
      /leave out the part.*"https:\/\/example.com"/,
    ],
    ['a URL with a query', { 'coder-url': 'https://example.com/?a=1' }, /leave out the part behind the host/],
    [
      'a URL with credentials',
      { 'coder-url': 'https://me:hunter2@example.com' },
      /"coder-url" holds credentials/,
    ],
    [
      'a token of another shape',
      { 'coder-session-token': 'ghp_abc' },
      /"coder-session-token" is no Coder token/,
    ],
    ['a token and a password', { 'coder-email': 'a@b.c', 'coder-password': 'x' }, /not both/],
    ['a boolean "yes"', { 'upload-artifact': 'yes' }, /"upload-artifact" is "yes"; it can be true or false/],
    ['a boolean "1"', { 'upload-artifact': '1' }, /it can be true or false/],
    ['a way out of the workspace', { 'results-dir': 'results/../../etc' }, /"results-dir".*without "\.\."/],
    ['a way out with backslashes', { 'results-dir': '..\\x' }, /"results-dir".*without "\.\."/],
    [
      'an unknown choice',
      { cleanup: 'sometimes' },
      /"cleanup" is "sometimes"; it can be always, on-success, never/,
    ],
    ['a choice in other letters', { mode: 'GATE' }, /"mode" is "GATE"; it can be gate, plan/],
    [
      'an impossible version',
      { 'coder-version': 'latest' },
      /"coder-version" is "latest"; it can be server, stable/,
    ],
    [
      'a mirror that is no URL',
      { 'coder-download-url': 'mirror/coder' },
      /"coder-download-url".*a URL is needed/,
    ],
    [
      'an artifact name with a slash',
      { 'artifact-name': 'a/b' },
      /"artifact-name" is "a\/b"; it may not contain/,
    ],
    [
      'a mistyped input',
      { 'max-workspace': '5' },
      /unknown input "max-workspace"; did you mean "max-workspaces"\?/,
    ],
    ['an underscore for a dash', { coder_url: 'x' }, /unknown input "coder_url"; did you mean "coder-url"/],
    [
      '"from" in another mode',
      { from: 'results' },
      /"from" is read by mode "judge" only, but mode is "gate"/,
    ],
    ['mode judge without "from"', { mode: 'judge' }, /mode "judge" needs the results of a gate or run/],
    [
      'a choice from a config that mode judge does not read',
      { mode: 'judge', from: 'results', profile: 'smoke' },
      /"profile" chooses from a config file; in mode "judge" give "config" too/,
    ],
    ['a wait without a unit', { 'lease-wait': '5' }, /"lease-wait": "5" is no duration/],
    ['a negative wait', { 'lease-wait': '-5m' }, /"lease-wait": "-5m" is no duration/],
    [
      'a metrics page that is no URL',
      { 'prometheus-url': 'http://10.0.0.7:2112, 10.0.0.8:2112' },
      /"prometheus-url" has "10\.0\.0\.8:2112"; a URL is needed for each/,
    ],
    [
      'a metrics page that is a file',
      { 'prometheus-url': 'file:///etc/passwd' },
      /"prometheus-url" has "file:/,
    ],
    [
      'a metrics page with a password, which is not shown',
      { 'prometheus-url': 'http://user:hunter2@10.0.0.7:2112' },
      /^(?!.*hunter2).*"prometheus-url" holds credentials/,
    ],
    [
      'a header without a value',
      { 'extra-headers': 'X-Key' },
      /^input "extra-headers", line 1: write "Name: value"$/,
    ],
    [
      'a header that the gate sets, without showing its value',
      { 'extra-headers': 'X-Key: a\n\nHost: sesame' },
      /^input "extra-headers", line 2: "Host" is one that the gate sets itself$/,
    ],
  ])('refuses %s', (_, inputs, message) => {
    const messages = refusals(inputs);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(message);
  });

  it('names every bad input in one error', () => {
    const messages = refusals({
      'max-workspaces': '5abc',
      'coder-url': 'coder.example.com',
      'upload-artifact': 'yes',
      'results-dir': '../x',
      cleanup: 'maybe',
      'retention-days': '0',
      tset: 'all',
    });
    for (const name of [
      'max-workspaces',
      'coder-url',
      'upload-artifact',
      'results-dir',
      'cleanup',
      'retention-days',
      'tset',
    ])
      expect(messages.join('\n')).toContain(name);
    expect(messages).toHaveLength(7);
  });

  it('says what a gate without deployment needs', () => {
    const messages = messagesOf(() => parseInputs({}));
    expect(messages).toHaveLength(2);
    expect(messages[0]).toMatch(/mode "gate" needs the deployment: set input "coder-url"/);
    expect(messages[1]).toMatch(/needs an owner's credentials: set input "coder-session-token"/);
  });

  it.each(['preflight', 'run', 'cleanup'])('needs a token in mode %s too', (mode) => {
    const environment = environmentOf({ mode, 'coder-url': 'https://coder.example.com' });
    expect(messagesOf(() => parseInputs(environment))).toEqual([
      expect.stringMatching(new RegExp(`mode "${mode}" needs an owner's credentials`)),
    ]);
  });

  it.each([
    [{ 'coder-email': 'a@b.c' }, /"coder-password" is missing/],
    [{ 'coder-password': 'x' }, /"coder-email" is missing/],
  ])('misses the other half of a sign-in: %j', (half, message) => {
    const environment = environmentOf({ 'coder-url': 'https://coder.example.com', ...half });
    const messages = messagesOf(() => parseInputs(environment));
    expect(messages).toEqual([expect.stringMatching(message)]);
  });

  it('never shows a secret that it refuses', () => {
    const messages = [
      ...refusals({ 'coder-session-token': 'hunter2-secret' }),
      ...refusals({ 'coder-url': 'https://me:hunter2@coder.example.com' }),
    ];
    expect(messages).toHaveLength(2);
    expect(messages.join()).not.toContain('hunter2');
  });

  it('never shows a password in an address without scheme', () => {
    expect(refusals({ 'coder-url': 'me:hunter2@coder.example.com' }).join()).not.toContain('hunter2');
  });

  it('does not ask for what another mode than the refused one needs', () => {
    expect(messagesOf(() => parseInputs(environmentOf({ mode: 'judgement', from: 'results' })))).toEqual([
      expect.stringMatching(/input "mode" is "judgement"/),
    ]);
  });
});

describe('action.yml', () => {
  const metadata = parse(readFileSync(new URL('../action.yml', import.meta.url), 'utf8')) as {
    inputs: Record<string, { default?: string }>;
  };

  it('declares nothing that the action refuses', () => {
    const declared = Object.fromEntries(
      Object.entries(metadata.inputs).map(([name, { default: value = '' }]) => [name, value]),
    );
    expect(() => read({ ...declared, ...DEPLOYMENT })).not.toThrow();
  });

  it('has the defaults that the code has', () => {
    const declared = Object.fromEntries(
      Object.entries(metadata.inputs).map(([name, { default: value = '' }]) => [name, value]),
    );
    expect(read({ ...declared, ...DEPLOYMENT })).toEqual(read({}));
  });
});
