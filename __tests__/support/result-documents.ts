import fc from 'fast-check';
import type { ReadAt } from '../../src/measure/result-file.js';

/** Result files as `coder exp scaletest` writes them, with whatever may stand in them. */

export interface RunDocument {
  started_at: string;
  duration_ms: number;
  error?: unknown;
  logs: string;
  [key: string]: unknown;
}

export interface ResultDocument {
  total_runs: number;
  total_pass: number;
  total_fail: number;
  elapsed: string;
  elapsed_ms: number;
  runs: Record<string, RunDocument>;
}

const nastyPiece = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '\\\\"',
    '","started_at":"',
    '","started_at":"2026-01-01T00:00:00Z","duration":"1s"',
    '"}},"total_runs":7,',
    '\n',
    '\t',
    '\u0000',
    '\u2028',
    '<&>',
    '💥',
    'é',
    '\ud800',
    '{"a":[',
    ']}',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 30 }),
);
export const nastyText = fc.array(nastyPiece, { maxLength: 10 }).map((pieces) => pieces.join(''));

/** Up to v2.2 `null` or an object; since then the text `<nil>` or the error. */
const error = fc.oneof(
  { weight: 4, arbitrary: fc.constant<unknown>('<nil>') },
  fc.constant<unknown>(null),
  fc.constant<unknown>(undefined),
  fc.constant<unknown>({}),
  nastyText.filter((text) => text !== '<nil>'),
);

const extra = fc.dictionary(
  fc.stringMatching(/^x_[a-z]{1,6}$/),
  fc.oneof(fc.jsonValue({ maxDepth: 2 }), nastyText) as fc.Arbitrary<unknown>,
  { maxKeys: 2 },
);

const run: fc.Arbitrary<RunDocument> = fc
  .record({
    logs: nastyText,
    started_at: fc
      .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    duration_ms: fc.nat(10_000_000),
    error,
    extra,
  })
  .map(({ extra: more, ...fields }) => ({
    full_id: 'workspacebuild/0',
    test_name: 'workspacebuild',
    id: '0',
    ...fields,
    ...more,
  }));

export const hasFailed = ({ error: one }: RunDocument): boolean =>
  one !== '<nil>' && one !== null && one !== undefined;

export const resultDocument: fc.Arbitrary<ResultDocument> = fc
  .tuple(
    fc.uniqueArray(nastyText, { maxLength: 6 }),
    fc.array(run, { minLength: 6, maxLength: 6 }),
    fc.nat(1_000_000),
  )
  .map(([keys, runs, elapsed]) => {
    const used = keys.flatMap((key, index) => {
      const one = runs[index];
      return one === undefined || key === '__proto__' ? [] : [[key, one] as const];
    });
    const failed = used.filter(([, one]) => hasFailed(one)).length;
    return {
      total_runs: used.length,
      total_pass: used.length - failed,
      total_fail: failed,
      elapsed: `${elapsed}ms`,
      elapsed_ms: elapsed,
      runs: Object.fromEntries(used),
    };
  });

/** Keys in another order, as another version may write them; `logs` may be last. */
export function reorder<T extends object>(value: T, seed: number): T {
  const entries = Object.entries(value);
  const rotated = entries.map((_, index) => entries[(index + seed) % entries.length] ?? ['', undefined]);
  return Object.fromEntries(seed % 2 === 0 ? rotated : rotated.reverse()) as T;
}

/** Reads from memory, at most so many bytes at once. */
export const readerOf =
  (bytes: Uint8Array, size: number): ReadAt =>
  (room, place) => {
    const piece = bytes.subarray(place, place + Math.min(size, room.length));
    room.set(piece);
    return Promise.resolve(piece.length);
  };
