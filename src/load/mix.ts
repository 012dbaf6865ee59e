import type { Method } from '../coder/http.js';

/**
 * What virtual users do, as data. `mix-data.ts` holds the mix that `scripts/derive-mix.ts` takes from a recording of the
 * real dashboard; the rules that turn the recording into it stand there.
 */
export interface Mix {
  /** Changes with every change of what is sent, so that results of different mixes are never compared unnoticed. */
  readonly version: string;
  readonly provenance: {
    readonly coder: string;
    readonly file: string;
    readonly recorded: string;
    readonly role: string;
    /** What the recording does not hold and is therefore our own. */
    readonly own: readonly string[];
    /** What the recording holds and is not sent. */
    readonly leftOut: readonly string[];
  };
  readonly routes: readonly Route[];
  readonly pages: readonly Page[];
  readonly polls: readonly Poll[];
  /** Path of the WebSocket that every user keeps open. */
  readonly socket?: string;
}

/** Calls that one handler of the server answers: the unit of the report. */
export interface Route {
  readonly id: string;
  readonly method: Method;
  /** The path without its query, with placeholders. */
  readonly pattern: string;
  /** Whether its latencies are among those that 14.9 and 14.10 are judged on. */
  readonly pool: boolean;
  /** Refusals that are good answers all the same. */
  readonly answers?: readonly number[];
}

export interface Call {
  /** Id of its route. */
  readonly route: string;
  /** Path and query with placeholders: `{user}`, `{workspaceName}`, `{workspace}`, `{build}`… */
  readonly path: string;
  /** Positions in the batch of the calls after whose ends it starts; none: it starts at the schedule. */
  readonly waitsFor: readonly number[];
  /** JSON with placeholders. */
  readonly body?: string;
}

/** Calls that one arrival sets off: those that wait for nothing at once, the others one after another. */
export interface Batch {
  /** Time after the arrival of its visit, in milliseconds. */
  readonly afterMs: number;
  readonly calls: readonly Call[];
}

export interface Page {
  readonly id: string;
  /** How often it is visited, relative to the other pages. */
  readonly weight: number;
  readonly batches: readonly Batch[];
}

export interface Poll {
  readonly everyMs: number;
  readonly call: Call;
}

/** Values of placeholders. A call one of whose placeholders has no value is left out, and counted. */
export type Placeholders = Readonly<Record<string, string | undefined>>;

/** Placeholders whose values differ from user to user, so that a path with one is a path of that user's own. */
export const OWN_PLACEHOLDERS: readonly string[] = ['user', 'workspaceName', 'workspace', 'build', 'agent'];

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;

export const placeholdersOf = (template: string): readonly string[] =>
  [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);

/** A path with its values; undefined where one is missing. */
export function fillPath(template: string, values: Placeholders): string | undefined {
  return fill(template, values, encodeURIComponent);
}

/** A JSON body with its values; undefined where one is missing. */
export function fillBody(template: string, values: Placeholders): string | undefined {
  return fill(template, values, (value) => JSON.stringify(value).slice(1, -1));
}

function fill(template: string, values: Placeholders, escape: (value: string) => string): string | undefined {
  if (!template.includes('{')) return template;
  if (placeholdersOf(template).some((name) => values[name] === undefined)) return undefined;
  return template.replaceAll(PLACEHOLDER, (_whole, name: string) => escape(values[name] ?? ''));
}

/**
 * The mix without routes that the server does not know. What waited for a call of theirs waits for what that call
 * waited for.
 */
export function withoutRoutes(mix: Mix, dropped: ReadonlySet<string>): Mix {
  if (dropped.size === 0) return mix;
  const { socket, ...kept } = withoutCalls(mix, ({ route }) => dropped.has(route));
  const gone = mix.routes.filter(({ id }) => dropped.has(id));
  // A server that has no inbox has no WebSocket of it either.
  const hasSocket = socket !== undefined && !gone.some(({ pattern }) => socket.startsWith(`${pattern}/`));
  return {
    ...kept,
    ...(hasSocket && { socket }),
    version: `${mix.version} without ${[...dropped].sort().join(', ')}`,
    routes: mix.routes.filter(({ id }) => !dropped.has(id)),
  };
}

/** The mix of users who own no workspace: without its page, and without the calls of its row in the list. */
export function withoutWorkspaces(mix: Mix): Mix {
  const needsWorkspace = ({ path, body = '' }: Call): boolean =>
    placeholdersOf(path + body).some((name) => name !== 'user' && OWN_PLACEHOLDERS.includes(name));
  const pages = mix.pages.filter(
    ({ batches }) => !batches.some(({ calls }) => calls[0] !== undefined && needsWorkspace(calls[0])),
  );
  return {
    ...withoutCalls({ ...mix, pages }, needsWorkspace),
    version: `${mix.version} without workspaces`,
  };
}

function withoutCalls(mix: Mix, isDropped: (call: Call) => boolean): Mix {
  return {
    ...mix,
    pages: mix.pages
      .map((page) => ({
        ...page,
        batches: page.batches
          .map((batch) => ({ ...batch, calls: keptCalls(batch.calls, isDropped) }))
          .filter(({ calls }) => calls.length > 0),
      }))
      .filter(({ batches }) => batches.length > 0),
    polls: mix.polls.filter(({ call }) => !isDropped(call)),
  };
}

function keptCalls(calls: readonly Call[], isDropped: (call: Call) => boolean): readonly Call[] {
  const places = new Map<number, number>();
  for (const [index, call] of calls.entries()) if (!isDropped(call)) places.set(index, places.size);
  const standIns = (index: number): readonly number[] => {
    const place = places.get(index);
    return place === undefined ? (calls[index]?.waitsFor ?? []).flatMap(standIns) : [place];
  };
  return calls
    .filter((call) => !isDropped(call))
    .map((call) => ({ ...call, waitsFor: [...new Set(call.waitsFor.flatMap(standIns))] }));
}
