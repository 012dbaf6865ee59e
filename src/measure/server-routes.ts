/** What the server calls a route of its site: it has no pattern. */
const SITE = 'STATIC';

/**
 * Which of the server's own names of routes a path of ours has, placeholders and all: `/api/v2/users/me` and
 * `/api/v2/users/{anybody}` are both `/api/v2/users/{user}` there. Of several that fit, the one with more fixed segments, as
 * the server's router chooses.
 * @param names of routes with the same method, as in the server's metrics.
 */
export function serverRouteOf(pattern: string, names: Iterable<string>): string | undefined {
  const wanted = segmentsOf(pattern);
  const fitting = [...names]
    .filter((name) => fits(segmentsOf(name), wanted))
    .sort((a, b) => weight(segmentsOf(b)) - weight(segmentsOf(a)));
  const isOfSite = !/^\/(api|derp|healthz|latency-check)(\/|$)/.test(pattern);
  return fitting[0] ?? (isOfSite && [...names].includes(SITE) ? SITE : undefined);
}

/** A trailing slash makes no other route. */
const segmentsOf = (path: string): readonly string[] => path.replace(/\/$/, '').split('/').slice(1);

const isPlaceholder = (segment: string): boolean => segment.startsWith('{');

function fits(name: readonly string[], wanted: readonly string[]): boolean {
  if (name.length !== wanted.length || name.length === 0) return false;
  return name.every((segment, index) =>
    isPlaceholder(segment) ? wanted[index] !== '' : segment === wanted[index],
  );
}

/** Earlier fixed segments weigh more. */
const weight = (segments: readonly string[]): number =>
  segments.reduce((sum, segment) => sum * 2 + (isPlaceholder(segment) ? 0 : 1), 0);
