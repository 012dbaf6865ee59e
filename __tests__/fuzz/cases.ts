import fc from 'fast-check';

/** FUZZ_FACTOR=100 looks a hundred times longer. */
const FACTOR = Number(process.env['FUZZ_FACTOR'] ?? '1');

/** Only a hang takes so long, however busy the machine. */
export const LONGEST_MS = 180_000 * Math.max(1, FACTOR);

export const cases = (short: number): { numRuns: number } => ({ numRuns: Math.ceil(short * FACTOR) });

/** A text with a few places changed: pieces cut out, doubled, or replaced by what is likely to hurt. */
export const damaged = (texts: readonly string[], hurtful: readonly string[]): fc.Arbitrary<string> => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...hurtful) },
    { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  );
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.oneof(fc.nat(4), fc.nat(200)),
    piece,
    doubled: fc.boolean(),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([text, changes]) =>
      changes.reduce((current, { at, length, piece: by, doubled }) => {
        const start = Math.floor(at * current.length);
        const cut = current.slice(start, start + length);
        return current.slice(0, start) + (doubled ? cut + cut : by) + current.slice(start + length);
      }, text),
    );
};
