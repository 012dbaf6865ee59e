import type { Method } from '../coder/http.js';
import type { Milliseconds } from '../units.js';
import { milliseconds } from '../units.js';
import type { Batch, Call, Mix, Page, Route } from './mix.js';
import { SeededRandom } from './seeded-random.js';

/**
 * When what is sent, drawn in advance from a seed. It is an open model: what the server does never moves an arrival, so
 * a stall meets as many calls as any other time of that length.
 */

/** The mean time between a user's page visits. Our own figure: the recordings do not hold how often people click. */
export const VISIT_EVERY_MS = 30_000;
/** 30 calls a minute of the server's 512 for this path, and 150 samples in five minutes. */
export const BASELINE_EVERY_MS = 2_000;
/** The users come in over one mean gap between visits, of a short run over a tenth of it. */
const LONGEST_RAMP_SHARE = 0.1;

export const BASELINE: Call = { route: 'buildinfo', path: '/api/v2/buildinfo', waitsFor: [] };
const BASELINE_ROUTE: Route = { id: 'buildinfo', method: 'GET', pattern: '/api/v2/buildinfo', pool: false };

/** One thing that happens at a fixed time. */
export interface Arrival {
  /** Milliseconds since the load began: the intended start of the batch's first calls. */
  readonly atMs: number;
  /** 0-based. Undefined: the baseline, which nobody signs in for. */
  readonly user: number | undefined;
  readonly batch: Batch;
  /** When the page visit began that it is a part of; absent for polls, single calls and the baseline. */
  readonly visitAtMs?: number;
  readonly warmUp: boolean;
}

export interface Schedule {
  /** What the results are results of. */
  readonly version: string;
  readonly seed: number;
  readonly users: number;
  readonly durationMs: Milliseconds;
  readonly routes: readonly Route[];
  /** Path of the WebSocket that each user keeps open. */
  readonly socket?: string;
  /** In the order of their times. */
  readonly arrivals: readonly Arrival[];
}

export interface VisitPlan {
  readonly mix: Mix;
  readonly users: number;
  /** The last so many of the users, who do something else. */
  readonly others?: { readonly users: number; readonly mix: Mix };
  /** How long the load lasts at least: what its first part, in which the users come in, is a share of. */
  readonly duration: Milliseconds;
  /** How far arrivals are drawn, for a load that goes on until something else has ended; the duration without it. */
  readonly longest?: Milliseconds;
  readonly seed: number;
  readonly visitEvery?: Milliseconds;
}

/**
 * Page visits and polls of virtual users. Each user comes once at a random time of the ramp (its warm-up visit), then
 * with exponential gaps; its polls repeat in their recorded periods from its first visit on, as those of a tab that
 * stays open.
 */
export function scheduleVisits(plan: VisitPlan): Schedule {
  const { mix, users, duration, seed } = plan;
  const visitEvery = plan.visitEvery ?? milliseconds(VISIT_EVERY_MS);
  const ramp = Math.min(visitEvery, duration * LONGEST_RAMP_SHARE);
  const end = Math.max(duration, plan.longest ?? 0);
  const arrivals: Arrival[] = [];
  const add = (arrival: Arrival): void => {
    if (arrival.atMs < end) arrivals.push(arrival);
  };
  const others = plan.others ?? { users: 0, mix };
  for (let user = 0; user < users; user += 1) {
    const { pages, polls } = user < users - others.users ? mix : others.mix;
    // Apart for every user: one more user does not move the others.
    const random = new SeededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(user + 1, 0x85ebca6b));
    const first = random.next() * ramp;
    for (let at = first; at < end; at += random.exponential(visitEvery)) {
      const page: Page | undefined = random.pick(pages);
      for (const batch of page?.batches ?? [])
        add({ atMs: at + batch.afterMs, user, batch, visitAtMs: at, warmUp: at === first });
    }
    for (const { everyMs, call } of polls) {
      const batch = { afterMs: 0, calls: [call] };
      for (let at = first + everyMs; at < end; at += everyMs) add({ atMs: at, user, batch, warmUp: false });
    }
  }
  return {
    version:
      others.users === 0 || others.mix === mix
        ? mix.version
        : `${mix.version}; ${others.users} users: ${others.mix.version}`,
    seed,
    users,
    durationMs: milliseconds(end),
    routes: routesOfVisits(mix),
    ...(mix.socket !== undefined && { socket: mix.socket }),
    arrivals: inOrder([...arrivals, ...baseline(end)]),
  };
}

export interface ProbeRoute {
  readonly id: string;
  /** Path and query, sent exactly as written. */
  readonly path: string;
  readonly weight?: number;
  readonly method?: Method;
  /** JSON. */
  readonly body?: string;
}

export interface ProbePlan {
  readonly routes: readonly ProbeRoute[];
  /** Arrivals a second, in all. */
  readonly rate: number;
  /** How long the load lasts at least, and how far arrivals are drawn. */
  readonly duration: Milliseconds;
  readonly longest?: Milliseconds;
  readonly seed: number;
  /** Takes the arrivals in turn. */
  readonly users: number;
  /** The first part of the duration that is kept apart. */
  readonly warmUp?: Milliseconds;
}

/**
 * `api_probe`: single calls at a fixed mean rate with exponential gaps, each route as often as its weight says. The first
 * call of each user is warm-up, since it opens the user's connection.
 */
export function scheduleProbe(plan: ProbePlan): Schedule {
  const { rate, duration, seed, users } = plan;
  const random = new SeededRandom(Math.imul(seed + 1, 0x9e3779b1));
  const choices = plan.routes.map(({ id, path, weight = 1, body }) => {
    const call: Call = { route: id, path, waitsFor: [], ...(body !== undefined && { body }) };
    return { weight, batch: { afterMs: 0, calls: [call] } };
  });
  const end = Math.max(duration, plan.longest ?? 0);
  const arrivals: Arrival[] = [];
  for (let at = random.exponential(1000 / rate); at < end; at += random.exponential(1000 / rate)) {
    const choice = random.pick(choices);
    if (choice === undefined) break;
    const index = arrivals.length;
    const warmUp = index < users || at < (plan.warmUp ?? 0);
    arrivals.push({ atMs: at, user: index % users, batch: choice.batch, warmUp });
  }
  return {
    version: 'api_probe',
    seed,
    users,
    durationMs: milliseconds(end),
    routes: routesOfProbe(plan.routes),
    arrivals: inOrder([...arrivals, ...baseline(end)]),
  };
}

/** The routes of page visits, without drawing these. */
export const routesOfVisits = ({ routes }: Mix): readonly Route[] => [...routes, BASELINE_ROUTE];

/** The routes of a probe, without drawing its calls. */
export const routesOfProbe = (routes: readonly ProbeRoute[]): readonly Route[] => [
  ...routes.map(({ id, path, method = 'GET' }) => ({
    id,
    method,
    pattern: path.split('?')[0] ?? path,
    pool: true,
  })),
  BASELINE_ROUTE,
];

/** Calls that the network and the router alone answer, at a slow pace of their own. */
function baseline(duration: number): readonly Arrival[] {
  const count = Math.ceil(duration / BASELINE_EVERY_MS);
  return Array.from({ length: count }, (_none, index) => ({
    atMs: index * BASELINE_EVERY_MS,
    user: undefined,
    batch: { afterMs: 0, calls: [BASELINE] },
    // It opens the connection.
    warmUp: index === 0,
  }));
}

const inOrder = (arrivals: readonly Arrival[]): readonly Arrival[] =>
  [...arrivals].sort((left, right) => left.atMs - right.atMs);

/** How many samples each route will have, so that a plan can say whether it decides a quantile. */
export function plannedSamples(schedule: Schedule): ReadonlyMap<string, number> {
  const counts = new Map(schedule.routes.map(({ id }) => [id, 0]));
  for (const { batch, warmUp } of schedule.arrivals) {
    if (warmUp) continue;
    for (const { route } of batch.calls) counts.set(route, (counts.get(route) ?? 0) + 1);
  }
  return counts;
}

/** How many samples the pool will have. */
export function plannedPoolSamples(schedule: Schedule): number {
  const counts = plannedSamples(schedule);
  return schedule.routes.reduce((sum, { id, pool }) => sum + (pool ? (counts.get(id) ?? 0) : 0), 0);
}
