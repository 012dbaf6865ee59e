/** Letters that are wrong, missing or too many. */
const MOST_SLIPS = 2;

/** The known names nearest to a mistyped one, best first, at most three. */
export function nearestNames(typed: string, known: readonly string[]): string[] {
  return byDistance(typed, known)
    .filter(({ name, distance }) => distance <= Math.max(2, Math.ceil(name.length / 3)))
    .slice(0, 3)
    .map(({ name }) => name);
}

function byDistance(typed: string, known: readonly string[]): { name: string; distance: number }[] {
  return known
    .map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
}

/** The same, but the three nearest however far they are: where a list of all would be too long to read. */
export function nearestThree(typed: string, known: readonly string[]): string {
  const near = nearestNames(typed, known);
  if (near.length > 0) return suggestion(typed, known);
  const names = byDistance(typed, known).slice(0, 3);
  return names.length === 0
    ? 'there is none'
    : `the nearest are ${names.map(({ name }) => `"${name}"`).join(', ')}`;
}

/** Whether a name is a known one but for a slip of the finger or two. */
export const isSlipOf = (typed: string, known: readonly string[]): boolean =>
  known.some((name) => editDistance(typed.toLowerCase(), name.toLowerCase()) <= MOST_SLIPS);

/** `did you mean "count"?`, or the list of what there is. */
export function suggestion(typed: string, known: readonly string[]): string {
  const near = nearestNames(typed, known);
  return near.length > 0
    ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
    : `there is ${known.map((name) => `"${name}"`).join(', ')}`;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
