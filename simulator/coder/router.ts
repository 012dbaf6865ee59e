import type { Handler } from './calls.js';

export interface Route {
  method: string;
  /** As in the metrics: `/api/v2/users/{user}`. */
  pattern: string;
  handler: Handler;
  /** Routes without authentication. */
  open: boolean;
  /** Collections answer with a trailing slash too. */
  slash: boolean;
  /** Counted by the login limiter as well. */
  login: boolean;
}

export interface Found {
  route: Route;
  params: Record<string, string>;
}

export type Lookup = { found: Found } | { allowed: string[]; pattern: string } | null;

/** Finds the handler of a path. Fixed segments win over parameters. */
export class Router {
  readonly #routes: { route: Route; segments: string[] }[] = [];

  add(methodAndPattern: string, handler: Handler, traits: Partial<Route> = {}): void {
    const [method = '', pattern = ''] = methodAndPattern.split(' ');
    const route = { method, pattern, handler, open: false, slash: false, login: false, ...traits };
    this.#routes.push({ route, segments: pattern.split('/').slice(1) });
  }

  lookup(method: string, path: string): Lookup {
    const hasSlash = path.length > 1 && path.endsWith('/');
    const segments = (hasSlash ? path.slice(0, -1) : path).split('/').slice(1);
    const fitting = this.#routes
      .filter((candidate) => (!hasSlash || candidate.route.slash) && fits(candidate.segments, segments))
      .sort((left, right) => rank(right.segments) - rank(left.segments));
    const pattern = fitting[0]?.route.pattern;
    if (pattern === undefined) return null;
    const chosen = fitting.find(({ route }) => route.method === method && route.pattern === pattern);
    if (chosen === undefined) {
      const allowed = fitting
        .filter(({ route }) => route.pattern === pattern)
        .map(({ route }) => route.method);
      return { allowed, pattern };
    }
    return { found: { route: chosen.route, params: readParams(chosen.segments, segments) } };
  }
}

function isParam(segment: string): boolean {
  return segment.startsWith('{');
}

function fits(pattern: string[], segments: string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) => {
    const segment = segments[index];
    return segment !== undefined && (isParam(part) ? segment !== '' : part === segment);
  });
}

/** Earlier fixed segments weigh more. */
function rank(pattern: string[]): number {
  return pattern.reduce((sum, part) => sum * 2 + (isParam(part) ? 0 : 1), 0);
}

function readParams(pattern: string[], segments: string[]): Record<string, string> {
  const params: Record<string, string> = {};
  pattern.forEach((part, index) => {
    const segment = segments[index];
    if (isParam(part) && segment !== undefined) params[part.slice(1, -1)] = decodeURIComponent(segment);
  });
  return params;
}
