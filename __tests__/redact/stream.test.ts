import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor, type RedactedStream } from '../../src/redact/redactor.js';

const TOKEN = 'Zz12345678-AbCdEfGhIjKlMnOpQrStUv';
const KEY = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0B\n'.repeat(60)}-----END PRIVATE KEY-----`;
const TOLD = 'told"me\\<once>';
/** Each is known by its shape, by what stands before it, or by what closes it. */
const PIECES = [
  JSON.stringify({ error: `x\n${TOKEN}\n` }),
  JSON.stringify({ log: JSON.stringify({ password: 'hun"ter\\2', next: 1 }) }),
  JSON.stringify({ key: KEY }),
  KEY,
  JSON.stringify({ said: TOLD }),
  'postgres://coder:hunter2@db/coder ',
  `?sig=${'a1%2B'.repeat(9)}&se=1 `,
  'Authorization: Bearer hunter2-hunter2\n',
  '\\n'.repeat(50),
  'é\u{1F600}',
  ...['{"duration_ms":12345,"id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301"}', ' ', '\n', 'scaletest-abc-1'],
];
const SECRETS = /Zz123|AbCdE|MIIEv|told|once|hun|ter2|a1%2B/;

/** Each cut is a length; the last is repeated. */
function inPieces(stream: RedactedStream, text: string, lengths: readonly number[]): string {
  let clean = '';
  let place = 0;
  for (let piece = 0; place < text.length; piece += 1) {
    const next = place + (lengths[Math.min(piece, lengths.length - 1)] ?? 1);
    clean += stream.push(text.slice(place, next));
    place = next;
  }
  return clean + stream.end();
}
const lengths = fc.array(fc.oneof(fc.integer({ min: 997, max: 9000 }), fc.constant(131_072)), {
  minLength: 1,
});

describe('a text that comes in pieces', () => {
  it('is cleaned as if it had come whole, wherever it is cut', () => {
    const document = fc
      .array(fc.constantFrom(...PIECES), { minLength: 50, maxLength: 400 })
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(document, fc.integer({ min: 0, max: 2000 }), lengths, (text, lead, cuts) => {
        const whole = ' '.repeat(lead) + text.repeat(Math.ceil(1_200_000 / text.length));
        const redactor = new Redactor([TOLD]);
        const clean = inPieces(redactor.stream(), whole, cuts);
        expect(clean === redactor.clean(whole)).toBe(true);
        expect(clean).not.toMatch(SECRETS);
      }),
      { numRuns: 25 },
    );
  });

  it('has none of a secret in it that stands where it hands on', () => {
    const redactor = new Redactor([TOLD]);
    for (const secret of PIECES.slice(0, 8))
      for (let lead = 520_000 - 32_768 - secret.length; lead < 530_000 - 32_768; lead += 97) {
        const whole = `${'x '.repeat(lead / 2)}${secret}${' y'.repeat(30_000)}`;
        expect(redactor.clean(secret)).not.toMatch(SECRETS);
        expect(SECRETS.test(inPieces(redactor.stream(), whole, [131_072]))).toBe(false);
      }
  });

  it('has none of a value in it that is longer than any part of it, and flat memory', () => {
    const value = 'hunter2\\n\\"'.repeat(300_000);
    const clean = inPieces(new Redactor().stream(), `{"password":"${value}","next":"kept"}`, [131_072]);
    expect(clean).toMatch(/^\{"password":"(\*\*\*)+","next":"kept"\}$/);
  });

  it('is handed on without being looked at twice when it has no secret', () => {
    const stream = new Redactor().stream();
    const held = Array.from({ length: 100 }, () => stream.push('{"a":1}'.repeat(20_000)).length);
    expect(held.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(100 * 140_000 - 600_000);
    expect(stream.end().length).toBeLessThan(600_000);
  });

  it.each([
    ['names without values', '"password":'],
    ['names with values', 'password=password='],
    ['tokens without end', 'token='],
    ['beginnings of JSON web tokens', 'eyJabcdefgh-'],
    ['beginnings of keys', '-----BEGIN PRIVATE KEY-----MII'],
    ['headers', 'Authorization: Bearer Authorization:'],
    ['addresses', '://u'],
    ['escaped quotes', '\\"password\\":\\\\"'],
    ['backslashes', '\\\\\\\\'],
    ['dashes', 'AAAAAAAAAA-'],
    ['quotes', "password: '"],
  ])('takes no longer when it is made of %s', (_, piece) => {
    const text = piece.repeat(Math.ceil(2_000_000 / piece.length));
    const began = performance.now();
    inPieces(new Redactor().stream(), text, [131_072]);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('a text that comes line by line', () => {
  const clean = (text: string): string => {
    const lines = new Redactor().lines();
    return text
      .split('\n')
      .map((line) => lines.next(line))
      .join('\n');
  };

  it.each([
    ['as it is', KEY],
    ['as a log writes it', KEY.replace(/^/gm, '2026-11-23 22:49:48.283 [debu]  ')],
    ['with a header', KEY.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['without its end', KEY.slice(0, -30)],
  ])('has nothing of a private key in it, %s', (_, key) => {
    const text = clean(`before\n${key}\n\nbehind it: kept\n`);
    expect(text).not.toMatch(/MIIE/);
    expect(text).toMatch(/^before\n/);
    expect(text).toMatch(/behind it: kept\n$/);
  });
});
