import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redact/redactor.js';
import { explainSkip, hasRecordings, sharedRoot, VERSIONS } from '../support/shared.js';

explainSkip('redaction of recordings');

const redact = (text: string): string => new Redactor().clean(text);

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALPHANUMERIC = `${UPPER}${UPPER.toLowerCase()}0123456789`;
const letters = (alphabet: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength, maxLength });
const joined = (separator: string, ...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(separator));

const token = joined('-', letters(ALPHANUMERIC, 10), letters(ALPHANUMERIC, 22));
const part = letters(`${ALPHANUMERIC}-_`, 12, 60);

/** What is known by itself. */
const WORDS: Record<string, fc.Arbitrary<string>> = {
  'a session token': token,
  'a JSON web token': joined('.', part, part, part).map((text) => `eyJ${text}`),
  'an encrypted JSON web token': joined('.', part, part, part).map((text) => `eyJhbGciOiJkaXIi..${text}`),
  'an AWS key': letters(`${UPPER}0123456789`, 16).map((text) => `AKIA${text}`),
  'a key of a session at AWS': letters(`${UPPER}0123456789`, 16).map((text) => `ASIA${text}`),
  "Google's key": letters(`${ALPHANUMERIC}-_`, 35).map((text) => `AIza${text}`),
  "GitHub's token": letters(ALPHANUMERIC, 36).map((text) => `ghp_${text}`),
  "GitHub's token of an installation": letters(ALPHANUMERIC, 36).map((text) => `ghs_${text}`),
  "GitHub's fine-grained token": letters(`${ALPHANUMERIC}_`, 60).map((text) => `github_pat_${text}`),
  'a private key': letters(`${ALPHANUMERIC}+/`, 64, 300).map((text) => {
    const lines = text.match(/.{1,64}/g) ?? [];
    return `-----BEGIN RSA PRIVATE KEY-----\n${lines.join('\n')}\n-----END RSA PRIVATE KEY-----\n`;
  }),
};

/** What may stand before a word: much of it ends with a letter when it is escaped. */
const before = fc.constantFrom(
  ...['\n', '\t', '\r', '\b', '\f', '"', '\\', '/', '<', '>', '&', '=', ' ', '_', '-', ':', '', '\u2028'],
  ...['é', '\u001b[1m', '\u0007', '\n"', '\\n', 'x=', '\u{1F600}'],
);
const after = fc.constantFrom('\n', '"', '\\', '<', '&', ' ', '_', '.', ',', '', 'é', '\u001b[0m');

const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** How a text gets into a file. */
const SURROUNDINGS: Record<string, (text: string) => string> = {
  'a log line': (text) => `2026-11-23 22:49:48.283 [debu] said ${text}`,
  'a JSON string': (text) => JSON.stringify({ runs: { 'w/0': { error: text, id: 'w/0' } } }),
  'a JSON string as Go writes it': (text) => goJson({ error: text, id: 'w/0' }),
  'JSON in JSON': (text) => JSON.stringify({ log: JSON.stringify({ said: text }), id: 1 }),
  'JSON in JSON in JSON': (text) => goJson([JSON.stringify({ log: goJson({ said: text }) })]),
  'an address': (text) => `GET https://coder.example.com/api?next=${encodeURIComponent(text)}`,
  'an address in an address': (text) => `/login?to=${encodeURIComponent(`/a?b=${encodeURIComponent(text)}`)}`,
  'a header line': (text) => `X-Thing: ${text}`,
  YAML: (text) => `runs:\n  - said: ${text}\n    id: 1\n`,
};
const isEncoded = (name: string): boolean => name.includes('address');

/** No six letters in a row of the secret. */
function expectNothingLeft(clean: string, secret: string): void {
  const own = secret.replace(/-----(BEGIN|END) RSA PRIVATE KEY-----/g, '');
  for (const line of own.split('\n'))
    for (let at = 0; at + 6 <= line.length; at += 1) expect(clean).not.toContain(line.slice(at, at + 6));
}

describe.each(Object.entries(WORDS))('%s', (kind, word) => {
  // Its spaces and line breaks are no longer a private key's in an address.
  const places = Object.entries(SURROUNDINGS).filter(
    ([name]) => kind !== 'a private key' || !isEncoded(name),
  );

  it.each(places)('is taken out of %s', (_, surround) => {
    fc.assert(
      fc.property(word, before, after, (secret, lead, trail) => {
        const clean = redact(surround(`${lead}${secret}${trail}`));
        expect(clean).toContain('***');
        expectNothingLeft(clean, secret);
      }),
    );
  });

  it('leaves JSON readable', () => {
    fc.assert(
      fc.property(word, before, after, (secret, lead, trail) => {
        const text = JSON.stringify({
          log: JSON.stringify({ said: `${lead}${secret}${trail}`, next: 'kept' }),
        });
        const outer = JSON.parse(redact(text)) as { log: string };
        expect(JSON.parse(outer.log)).toMatchObject({ next: 'kept' });
      }),
    );
  });
});

const nested = (value: unknown, depth: number): string => {
  let text = JSON.stringify(value);
  for (let level = 0; level < depth; level += 1) text = JSON.stringify({ log: text, also: 'kept' });
  return text;
};
const JSON_NAMES = [
  ...[
    'password',
    'Password',
    'passwd',
    'client_secret',
    'agent_token',
    'session_token',
    'SessionToken',
    'token',
  ],
  ...['SecretAccessKey', 'aws_secret_access_key', 'api_key', 'apiKey', 'private_key', 'AccountKey'],
  ...['SecretString', 'Coder-Session-Token', 'Authorization'],
];
const anyText = fc.string({ minLength: 6, maxLength: 60, unit: 'grapheme' });
const bare = letters(`${ALPHANUMERIC}+/=!@#$%^*()~.-`, 12, 60).filter(
  (text) => /\d/.test(text) && /[A-Z]/.test(text),
);

describe('a value behind the name of a secret', () => {
  it('is taken out of JSON whatever is in it and however often that was put into a string', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(...JSON_NAMES), fc.nat(4), (secret, name, depth) => {
        const text = nested({ user: 'lisa', [name]: secret, next: 1.5 }, depth);
        let clean: unknown = JSON.parse(redact(text));
        for (let level = 0; level < depth; level += 1) clean = JSON.parse((clean as { log: string }).log);
        expect(clean).toEqual({ user: 'lisa', [name]: '***', next: 1.5 });
      }),
    );
  });

  it.each([
    ['an environment', (name: string, secret: string) => `export DB_${name.toUpperCase()}=${secret}\nNEXT=1`],
    ['YAML', (name: string, secret: string) => `${name}: ${secret}\nnext: 1`],
    ['YAML with quotes', (name: string, secret: string) => `${name}: "${secret}"\nnext: 1`],
    ['YAML with single quotes', (name: string, secret: string) => `'${name}': '${secret}'\nnext: 1`],
    ['a configuration', (name: string, secret: string) => `  ${name} = "two words ${secret}"\n  next = 1`],
    ['an address', (name: string, secret: string) => `/?${name}=${encodeURIComponent(secret)}`],
    [
      'a log in JSON',
      (name: string, secret: string) => JSON.stringify({ log: `x\n${name}="${secret}" y`, z: 1 }),
    ],
  ])('is taken out of %s', (_, spell) => {
    const names = ['password', 'client_secret', 'api_key', 'secret_access_key', 'agent_token', 'AccountKey'];
    fc.assert(
      fc.property(bare, fc.constantFrom(...names), (secret, name) => {
        expectNothingLeft(redact(spell(name, secret)), secret);
      }),
    );
  });

  it.each([
    [
      'an access signature',
      'https://x.blob.core.windows.net/c?sv=1&sig=aB3%2FcDeFgHiJkLmNoPqRsTuV%3D&se=2',
      'aB3',
    ],
    [
      'an access signature in JSON',
      String.raw`?sv=1\u0026sig=aB3%2FcDeFgHiJkLmNoPqRsTuV%3D\u0026se=2`,
      'aB3',
    ],
    [
      'a signed address',
      'https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef0123456789abcdef',
      '89abc',
    ],
    ['an account key', 'AccountName=x;AccountKey=aB3/cDe+FgHi==;EndpointSuffix=core.windows.net', 'aB3'],
    ['credentials with a sign that JSON escapes', String.raw`"postgres://u:hun\u0026ter2@db/coder"`, 'ter2'],
    ['credentials in an escaped address', '?to=https%3A%2F%2Fu%3Ahunter2%40host', 'hunter2'],
    ['an agent token', 'agent token: 11112222-3333-4444-5555-666677778888', '11112222'],
    ['a list of headers', 'map[Authorization:[Bearer hunter2-hunter2]]', 'hunter2'],
    ['half a private key', '"k":"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B","z":"kept"', 'MIIE'],
  ])('is taken out where it is %s', (_, text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(text)).toContain('***');
  });
});

describe('a secret that is told', () => {
  const spellings: Record<string, (secret: string) => string> = {
    'a longer word': (secret) => `word${secret}word`,
    'JSON of Go, three times': (secret) => goJson(goJson(goJson(secret))),
    'a form': (secret) => new URLSearchParams({ said: secret }).toString(),
    base64: (secret) => Buffer.from(secret).toString('base64'),
    'a Basic header': (secret) => `said ${Buffer.from(`admin:${secret}`).toString('base64')}`,
    'base64 of addresses': (secret) => Buffer.from(`me:${secret}:x`).toString('base64url'),
  };

  it.each(Object.entries(spellings))('is taken out of %s', (_, spell) => {
    fc.assert(
      fc.property(fc.oneof(token, letters(`${ALPHANUMERIC}<>&"'\\ /+!~`, 16, 40)), (secret) => {
        const clean = new Redactor([secret]).clean(spell(secret));
        expect(clean).toContain('***');
        // Of base64 the letters at either end belong to what stands beside it too.
        const left = spell(secret).length - clean.length;
        expect(left).toBeGreaterThan(secret.length / 2);
        if (/^[A-Za-z0-9-]+$/.test(secret)) expect(clean).not.toContain(secret.slice(-22));
      }),
    );
  });

  it('is taken out though it is one of thousands of session tokens, within a word too', () => {
    const tokens = fc.sample(token, { numRuns: 5000, seed: 1 });
    const redactor = new Redactor(tokens);
    const clean = redactor.clean(tokens.map((one) => `x${one}y`).join('z'));
    expect(clean).toBe(tokens.map(() => 'x***y').join('z'));
  });
});

const kept = fc.oneof(
  fc.uuid(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((at) => at.toISOString()),
  letters('abcdefghijklmnopqrstuvwxyz0123456789', 8).map((text) => `scaletest-${text}-12`),
  letters('abcdef0123456789', 64).map((text) => `sha256:${text}`),
  letters('bcdfghjklmnpqrstvwxz2456789', 5).map((text) => `coder-7d8f9c6b5d-${text}`),
  letters('abcdefghij', 3, 12).map((text) => `https://coder.example.com/@admin/${text}?page=2`),
  fc.constantFrom(
    'invalid token: unexpected end',
    'authorization: forbidden',
    'the password is wrong',
    'monkeyJungle.fooBarBaz.x',
  ),
);

describe('what is no secret', () => {
  it.each(Object.entries(SURROUNDINGS))('stays as it is in %s', (_, surround) => {
    fc.assert(
      fc.property(fc.array(kept, { minLength: 1, maxLength: 8 }), (words) => {
        const text = surround(words.join('\n'));
        expect(redact(text)).toBe(text);
      }),
    );
  });

  it.each([
    '{"token_lifetime": 604800000000000, "api_keys": 604800000000000, "password_auth": null, "token": 5}',
    '{"message":"enter the password: ","detail":"none"}',
    '{"log":"{\\"message\\":\\"the password: \\",\\"detail\\":\\"none\\"}"}',
    'the input "coder-session-token": without it nothing works',
    'password = ""',
    '-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END CERTIFICATE-----',
  ])('stays as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

const recordings = hasRecordings
  ? VERSIONS.flatMap((version) =>
      ['api', 'cli'].flatMap((folder) =>
        readdirSync(path.join(sharedRoot, 'golden', version, folder)).map(
          (name) => `${version}/${folder}/${name}`,
        ),
      ),
    )
  : [];

describe.runIf(hasRecordings)('a recording', () => {
  it.each(recordings)('%s loses its passwords and tokens and nothing else', (file) => {
    const text = readFileSync(path.join(sharedRoot, 'golden', file), 'utf8');
    const expected = text
      .replace(/(?<=\\*"(?:password|session_token)\\*":\s?\\*")(?:Passw0rd\w*|nope|x|TOKEN-REDACTED)/g, '***')
      .replace(/(?<=Password: )\*{16}/g, '***');
    expect(redact(text)).toBe(expected);
  });
});
