import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redact/redactor.js';
import { explainSkip, hasRecordings, sharedRoot, VERSIONS } from '../support/shared.js';

const redact = (text: string, secrets: readonly string[] = []): string => new Redactor(secrets).clean(text);

explainSkip('redaction of recordings');

const alphanumeric = (length: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHabcdefgh0123456789'.split('')),
    minLength: length,
    maxLength: length,
  });
const token = fc.tuple(alphanumeric(10), alphanumeric(22)).map((parts) => parts.join('-'));

/** JSON in a string in JSON…, as the CLI's logs hold it. */
const nested = (value: unknown, depth: number): string => {
  let text = JSON.stringify(value);
  for (let level = 0; level < depth; level += 1) text = JSON.stringify({ log: text });
  return text;
};

describe('redact', () => {
  it('takes out session tokens wherever they stand', () => {
    fc.assert(
      fc.property(token, fc.constantFrom(' ', '"', '=', ': ', '\n', '/', '('), (secret, before) => {
        expect(redact(`x${before}${secret}${before}y`)).not.toContain(secret);
      }),
    );
  });

  it('takes out passwords in JSON, however often it was put into a string', () => {
    const password = fc
      .string({ minLength: 4, maxLength: 40, unit: 'grapheme-ascii' })
      .filter((text) => !/["\\]/.test(text));
    fc.assert(
      fc.property(
        password,
        fc.nat(4),
        fc.constantFrom('password', 'Password', 'client_secret', 'agent_token'),
        (secret, depth, key) => {
          fc.pre(!'{"log":"}password Password client_secret agent_token user lisa***'.includes(secret));
          const clean = redact(nested({ user: 'lisa', [key]: secret }, depth));
          expect(clean).not.toContain(secret);
          expect(clean).toContain('lisa');
        },
      ),
    );
  });

  it('keeps JSON readable', () => {
    const clean = redact(nested({ password: 'hunter2!', next: 'kept' }, 2));
    const outer = JSON.parse(clean) as { log: string };
    const inner = JSON.parse(outer.log) as { log: string };
    expect(JSON.parse(inner.log)).toEqual({ password: '***', next: 'kept' });
  });

  it.each([
    ['a JSON web token', 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.sig_nature', 'eyJzdWIi'],
    ['an AWS key', 'AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['a GitHub token', 'ghs_16C7e42F292c6912E7710c838347Ae178B4a', 'ghs_16C7'],
    ['credentials in an address', 'postgres://coder:hunter2@db:5432/coder', 'hunter2'],
    ['an agent token', 'CODER_AGENT_TOKEN="11112222-3333-4444-5555-666677778888"', '11112222'],
    ['an agent token in escaped JSON', String.raw`\"CODER_AGENT_TOKEN\":\"11112222-3333\"`, '11112222'],
  ])('takes out %s', (_, text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(text)).toContain('***');
  });

  it.each([
    'scaletest-AbCdEfGh-0 is building',
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    'https://coder.example.com/@admin/ws',
    '{"tokens":5,"status":"ok"}',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('takes out every secret that it is told, also with special characters', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 6 }).filter((text) => !text.includes('*')),
          { minLength: 1, maxLength: 4 },
        ),
        fc.string(),
        (secrets, filler) => {
          const clean = redact(secrets.map((secret) => `${filler}${secret}`).join('\n'), secrets);
          for (const secret of secrets) expect(clean).not.toContain(secret);
        },
      ),
    );
  });

  it.each([
    ['in JSON', (secret: string) => JSON.stringify({ secret })],
    ['in JSON within JSON', (secret: string) => JSON.stringify({ log: JSON.stringify({ secret }) })],
    ['in an address', (secret: string) => `https://host/?p=${encodeURIComponent(secret)}`],
  ])('takes out a secret that it is told, as it is spelled %s', (_, spell) => {
    const secret = 'pa"ss\\ wörd/&?';
    const clean = redact(spell(secret), [secret]);
    expect(clean).toContain('***');
    expect(clean).not.toMatch(/pa|ss|rd/);
  });

  it('learns secrets later too', () => {
    const redactor = new Redactor();
    expect(redactor.clean('hunter2')).toBe('hunter2');
    redactor.learn('hunter2');
    expect(redactor.clean('hunter2')).toBe('***');
  });

  it('ignores an empty secret', () => {
    expect(redact('text', [''])).toBe('text');
  });

  it('leaves no part of a secret that begins with another one', () => {
    expect(redact('sign in with correct-horse-battery', ['correct', 'correct-horse-battery'])).toBe(
      'sign in with ***',
    );
  });

  it('is quick on long lines', () => {
    const text = `{"password":${'"a\\'.repeat(50_000)}`;
    const began = performance.now();
    redact(text);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

const files = hasRecordings
  ? VERSIONS.flatMap((version) =>
      readdirSync(path.join(sharedRoot, 'golden', version, 'cli')).map(
        (name) => `golden/${version}/cli/${name}`,
      ),
    )
  : [];

describe.runIf(hasRecordings)('recorded files of the CLI', () => {
  it.each(files)('%s holds no password or token afterwards', (file) => {
    const clean = redact(readFileSync(path.join(sharedRoot, file), 'utf8'));
    expect(clean).not.toMatch(/Passw0rd/);
    expect(clean).not.toMatch(/\b[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b/);
  });

  it('had something to take out', () => {
    const text = files.map((file) => readFileSync(path.join(sharedRoot, file), 'utf8')).join('');
    expect(text).toMatch(/Passw0rd/);
  });
});
