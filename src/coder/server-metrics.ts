import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';
import {
  failed,
  isUnavailable,
  skipped,
  worst,
  type ReplicaList,
  type ServerPage,
  type ServerSnapshot,
  type Unavailable,
} from '../server-evidence.js';
import { milliseconds } from '../units.js';
import { ApiError, type CoderHttp } from './http.js';
import { readServerPage } from './server-page.js';

export const REPLICAS_PATH = '/api/v2/replicas';
export const METRICS_PATH = '/api/v2/debug/metrics';

/** With a balancer that chooses at random, ten asks a replica miss one of ten replicas in one of 3,000 cases. */
const ASKS_PER_REPLICA = 10;
const MOST_ASKS = 100;
const ASK_FOR_MS = milliseconds(60_000);

/** Where coderd's own numbers come from. */
export interface ServerSource {
  /** The deployment, with the owner's token. */
  readonly http: CoderHttp;
  /** The same token; sent to the deployment only. */
  readonly token: string;
  /** coderd's metrics pages, one for each replica (input `prometheus-url`); empty: the deployment's own page is asked. */
  readonly pages: readonly string[];
  readonly clock: Clock;
}

/**
 * One look at coderd: its replicas and a metrics page of every one of them. What cannot be read is said in its place.
 * @throws only the signal's reason, when it is aborted.
 */
export async function takeSnapshot(source: ServerSource, signal?: AbortSignal): Promise<ServerSnapshot> {
  const replicas = await listReplicas(source.http, signal);
  const pages =
    source.pages.length > 0
      ? await readNamedPages(source, replicas, signal)
      : await readOwnPages(source, replicas, signal);
  return { takenAt: source.clock.now().toISOString(), replicas, pages };
}

const replicaList = z.array(z.object({ id: z.string(), hostname: z.string(), created_at: z.string() }));
const message = z.object({ message: z.string() });

async function listReplicas(http: CoderHttp, signal?: AbortSignal): Promise<ReplicaList | Unavailable> {
  try {
    const { status, body } = await http.send({
      method: 'GET',
      path: REPLICAS_PATH,
      accept: [403, 404],
      ...(signal && { signal }),
    });
    if (status === 404 && message.safeParse(body).data?.message === 'Route not found.')
      return { kind: 'single' };
    if (status !== 200) return skipped(`GET ${REPLICAS_PATH} answered ${status}`);
    const parsed = replicaList.safeParse(body);
    if (!parsed.success || parsed.data.length === 0)
      return failed(`GET ${REPLICAS_PATH} answered no list of replicas`);
    return {
      kind: 'listed',
      replicas: parsed.data.map(({ id, hostname, created_at: createdAt }) => ({ id, hostname, createdAt })),
    };
  } catch (thrown) {
    signal?.throwIfAborted();
    const isRefused =
      thrown instanceof ApiError &&
      thrown.kind === 'not-coder' &&
      thrown.status !== undefined &&
      thrown.status < 500;
    return (isRefused ? skipped : failed)(`the replicas are not known: ${messageOf(thrown)}`);
  }
}

/** The pages that the user named: one a replica, so none may be missing. */
async function readNamedPages(
  { http, pages, clock }: ServerSource,
  replicas: ReplicaList | Unavailable,
  signal?: AbortSignal,
): Promise<readonly ServerPage[] | Unavailable> {
  const answers = await Promise.all(
    pages.map((url) =>
      readServerPage({ url, source: withoutQuery(url), fetch: http.access.fetch }, clock, signal),
    ),
  );
  const [bad, ...others] = answers.filter(isUnavailable);
  if (bad !== undefined) return worst(bad, ...others);
  const count = isUnavailable(replicas) || replicas.kind === 'single' ? 1 : replicas.replicas.length;
  if (pages.length < count)
    return skipped(`"prometheus-url" names ${pages.length} of the metrics pages of ${count} replicas`);
  return answers.flatMap((answer) => (isUnavailable(answer) ? [] : [answer]));
}

/** A query may hold a secret. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** The deployment's own page, again and again until every replica has answered. */
async function readOwnPages(
  { http, token, clock }: ServerSource,
  replicas: ReplicaList | Unavailable,
  signal?: AbortSignal,
): Promise<readonly ServerPage[] | Unavailable> {
  const request = {
    url: `${http.baseUrl}${METRICS_PATH}`,
    source: `GET ${METRICS_PATH}`,
    token,
    ...http.access,
  };
  const first = await readServerPage(request, clock, signal);
  if (isUnavailable(first)) return first;
  if (isUnavailable(replicas)) return replicas;
  const count = replicas.kind === 'single' ? 1 : replicas.replicas.length;
  if (count === 1) return [first];
  if (first.processStart === undefined)
    return skipped(
      `${count} replicas answer at one address, and while Prometheus is off an answer does not say which of them it is from: switch it on (CODER_PROMETHEUS_ENABLE), or name their metrics pages in "prometheus-url"`,
    );
  const seen = new Map<number, ServerPage>([[first.processStart, first]]);
  const most = Math.min(MOST_ASKS, ASKS_PER_REPLICA * count);
  const end = clock.monotonic() + ASK_FOR_MS;
  let asks = 1;
  for (; seen.size < count && asks < most && clock.monotonic() < end; asks += 1) {
    const page = await readServerPage(request, clock, signal);
    if (isUnavailable(page)) return page;
    if (page.processStart !== undefined) seen.set(page.processStart, page);
  }
  if (seen.size >= count) return [...seen.values()];
  return skipped(
    `only ${seen.size} of ${count} replicas answered in ${asks} requests, as behind a balancer that keeps a client at one replica: name their metrics pages in "prometheus-url"`,
  );
}
