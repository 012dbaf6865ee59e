/** Compares an answer with a recorded one: keys and their order, types, and the kind of each text. */

const KINDS: [string, RegExp][] = [
  ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
  ['time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/],
  ['url', /^https?:\/\//],
];

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'string') return typeof value;
  return KINDS.find(([, pattern]) => pattern.test(value))?.[0] ?? 'text';
}

export interface Tolerance {
  /** Paths whose presence depends on the moment. */
  optional: RegExp[];
  /** Paths that may be null or not, or another kind of text. */
  loose: RegExp[];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All differences, each with its path. */
export function differences(expected: unknown, actual: unknown, tolerance: Tolerance, at = ''): string[] {
  if (isObject(expected) && isObject(actual)) return objectDifferences(expected, actual, tolerance, at);
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const [first] = expected as unknown[];
    if (first === undefined || actual.length === 0) return [];
    return (actual as unknown[]).flatMap((item) => differences(first, item, tolerance, `${at}[]`));
  }
  const [wanted, found] = [kindOf(expected), kindOf(actual)];
  if (wanted === found || tolerance.loose.some((pattern) => pattern.test(at))) return [];
  return [`${at}: recorded ${wanted}, got ${found} (${JSON.stringify(actual)})`];
}

function objectDifferences(
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
  tolerance: Tolerance,
  at: string,
): string[] {
  const isOptional = (key: string): boolean =>
    tolerance.optional.some((pattern) => pattern.test(`${at}.${key}`));
  const wanted = Object.keys(expected).filter((key) => !isOptional(key));
  const found = Object.keys(actual).filter((key) => !isOptional(key));
  const problems =
    wanted.join() === found.join() ? [] : [`${at}: recorded keys [${wanted.join()}], got [${found.join()}]`];
  const common = Object.keys(expected).filter((key) => key in actual);
  return [
    ...problems,
    ...common.flatMap((key) => differences(expected[key], actual[key], tolerance, `${at}.${key}`)),
  ];
}
