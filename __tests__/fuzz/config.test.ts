import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { ConfigurationError } from '../../src/errors.js';
import { parseInputs } from '../../src/inputs.js';
import { INPUT_NAMES } from '../../src/input-names.js';
import { cases, damaged, LONGEST_MS } from './cases.js';

const EXAMPLE = readFileSync(path.join(import.meta.dirname, '../../examples/scaletest-config.yaml'), 'utf8');
const EVERYTHING = `version: 1
x-note: &anchor { a: 1 }
create_workspaces:
  count: 10
  success_rate: "99%"
  driver: auto
  simultaneous: 10
  templates:
    pods: { template: pod-swdev, count: 10, concurrency: 5, expected_p95: "2m", parameters: { a: b }, timeout: 45m, retry: 0 }
dashboard: { concurrency: 5, duration: 5m, targets: { p95_latency_ms: 500, p99_latency_ms: 1000 }, browser: auto }
workspace_traffic: { bytes_per_tick: 1024, tick_interval: 100ms, duration: 10m }
suites:
  workspace-updates: { workspace-count: 20, power-user-workspaces: 5, template: pods }
criteria:
  - { id: queue, metric: create_workspaces.pods.queue, expect: "p95 < 30s", warn: "p95 < 15s", min_samples: 5 }
  - { id: 14.9-api-latency-p95, disabled: true, reason: not today }
profiles:
  nightly: { create_workspaces: { count: 5 } }
`;
const HURTFUL = [
  ...[
    'null',
    '~',
    '{}',
    '[]',
    '""',
    '-1',
    '0',
    '1e999',
    '.nan',
    '.inf',
    '9'.repeat(400),
    '99%',
    '5m',
    'true',
  ],
  ...[
    '&a',
    '*a',
    '<<: *anchor',
    '!!binary',
    '!!js/function',
    '__proto__',
    'constructor: {}',
    'toString',
    '*',
  ],
  ...[
    '\n',
    '\t',
    '  ',
    ': ',
    '- ',
    '#',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|',
    '>',
    '---',
    '...',
    '%YAML 9',
    '\u0000',
  ],
  ...['p95 < 1s', '\ud800', 'count', 'criteria:', 'profiles: { a: { profiles: {} } }'],
];

/** What was loaded, or nothing when it was refused as it should be. */
function load(text: string, profile: string | undefined) {
  try {
    return loadConfig('config.yaml', text, profile).config;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ConfigurationError);
    const { mistakes } = thrown as ConfigurationError;
    expect(mistakes.length).toBeGreaterThan(0);
    const lines = text.split(/\r\n|\r|\n/).length;
    for (const { message, location } of mistakes) {
      expect(message.trim()).not.toBe('');
      if (location === undefined) continue;
      expect(location.line).toBeGreaterThanOrEqual(1);
      expect(location.line).toBeLessThanOrEqual(lines);
      expect(location.column).toBeGreaterThanOrEqual(1);
    }
    return undefined;
  }
}

/** Every number of a config, wherever it stands. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe('any config file', { timeout: LONGEST_MS }, () => {
  const profile = fc.constantFrom(undefined, 'nightly', 'smoke', '__proto__', 'toString');

  it('that is like a good one is loaded or refused at its lines, with no number that nothing can reach', () => {
    fc.assert(
      fc.property(damaged([EXAMPLE, EVERYTHING], HURTFUL), profile, (text, selected) => {
        for (const number of numbersIn(load(text, selected)))
          expect(Number.isFinite(number), text).toBe(true);
      }),
      cases(200),
    );
  });

  it('that is any text is loaded or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary' })),
        profile,
        (text, selected) => {
          load(text, selected);
        },
      ),
      cases(200),
    );
  });

  it('whose values are anything is loaded or refused', () => {
    const keys = [
      'create_workspaces',
      'dashboard',
      'workspace_traffic',
      'suites',
      'criteria',
      'profiles',
      'api_probe',
    ];
    const document = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(document, profile, (value, selected) => {
        load(JSON.stringify(value), selected);
      }),
      cases(200),
    );
  });
});

it('any inputs are read or refused, all at once', { timeout: LONGEST_MS }, () => {
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'gate',
      'all',
      '5h',
      '0',
      '-1',
      '1e9',
      'https://a/b',
      'http://[',
      'javascript:0',
      '../..',
      '/',
      '\0',
      '9'.repeat(400),
    ),
  );
  const name = fc.oneof(
    fc.constantFrom(...INPUT_NAMES).map((one) => `INPUT_${one.toUpperCase()}`),
    fc.constantFrom('CODER_URL', 'CODER_SESSION_TOKEN', 'INPUT_', 'INPUT___PROTO__'),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), (environment) => {
      try {
        const { maxDuration, leaseWait, resultsDirectory } = parseInputs(environment);
        for (const time of [maxDuration, leaseWait]) expect(Number.isFinite(time)).toBe(true);
        expect(path.relative('.', resultsDirectory).startsWith('..')).toBe(false);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ConfigurationError);
      }
    }),
    cases(500),
  );
});
