import { messageOf } from '../errors.js';
import type { Clock, Fetch, FetchAnswer } from '../ports.js';
import { failed, isUnavailable, skipped, type ServerPage, type Unavailable } from '../server-evidence.js';
import { milliseconds } from '../units.js';

const ANSWER_WITHIN_MS = 30_000;
const PAUSES_MS = [1000, 4000];
/** With Prometheus on, coderd's page has some 30 kB an agent; it is filtered while it is read. */
const LARGEST_PAGE = 256 * 1024 * 1024;
const LARGEST_KEPT = 32 * 1024 * 1024;
const LONGEST_LINE = 1024 * 1024;

const KEPT = /^(?:# (?:HELP|TYPE) )?(?:coderd_api_|process_start_time_seconds[ {])/;
const PROCESS_START = /^process_start_time_seconds(?:\{\})? (\S+)/m;
/** A Prometheus adds labels of its own to what it has collected, coderd does not. */
const COLLECTED = /^coderd_api_[^\n]*[{,](?:instance|job)="/m;

const NOT_COLLECTED =
  'name the metrics pages of coderd itself (CODER_PROMETHEUS_ADDRESS, usually port 2112), one for each replica';

export interface PageRequest {
  readonly url: string;
  /** How the page is called in reports. */
  readonly source: string;
  /** Only for the deployment itself: no other host is told it. */
  readonly token?: string;
  readonly fetch: Fetch;
  /** The same of these. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Reads one of coderd's metrics pages, on a connection of its own so that a balancer may choose another replica each time. */
export async function readServerPage(
  request: PageRequest,
  clock: Clock,
  signal?: AbortSignal,
): Promise<ServerPage | Unavailable> {
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    const outcome = await readOnce(request, clock, signal);
    const pause = PAUSES_MS[attempt];
    if (!isUnavailable(outcome) || outcome.unavailable === 'skipped' || pause === undefined) return outcome;
    await clock.sleep(milliseconds(pause), signal);
  }
}

async function readOnce(
  request: PageRequest,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<ServerPage | Unavailable> {
  const { url, source, token } = request;
  const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const answer = await request.fetch(url, {
      // A redirect would carry the token to another host.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: {
        ...request.headers,
        Accept: 'text/plain;version=0.0.4',
        Connection: 'close',
        'User-Agent': 'coder-scaletest-gate',
        ...(token !== undefined && { 'Coder-Session-Token': token }),
      },
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      return refusal(request, answer);
    }
    return pageOf(request, await keptText(answer), answer, clock);
  } catch (thrown) {
    signal?.throwIfAborted();
    const why = timeout.aborted ? `no answer within ${ANSWER_WITHIN_MS / 1000} s` : causeOf(thrown);
    return failed(`${source} could not be read: ${why}`);
  }
}

function pageOf(
  { source, token }: PageRequest,
  text: string,
  { headers }: FetchAnswer,
  clock: Clock,
): ServerPage | Unavailable {
  if (!/^coderd_api_/m.test(text)) {
    const type = (headers.get('content-type') ?? 'no content type').split(';')[0] ?? '';
    return skipped(
      token === undefined
        ? `not supported: ${source} answers with ${type} and has no coderd_api metrics; ${NOT_COLLECTED}`
        : `${source} answers with ${type} and has no coderd_api metrics: something in front of Coder answers instead`,
    );
  }
  if (COLLECTED.test(text))
    return skipped(`not supported: ${source} is a Prometheus that collects from coderd; ${NOT_COLLECTED}`);
  const start = PROCESS_START.exec(text)?.[1];
  const processStart = start === undefined ? undefined : Number(start);
  if (processStart !== undefined && !(processStart > 0 && Number.isFinite(processStart)))
    return failed(`${source}: the start of the process is "${start ?? ''}"`);
  const date = new Date(headers.get('date') ?? Number.NaN);
  return {
    source,
    answeredAt: (Number.isNaN(date.getTime()) ? clock.now() : date).toISOString(),
    ...(processStart !== undefined && { processStart }),
    text,
  };
}

function refusal({ source, token }: PageRequest, { status }: FetchAnswer): Unavailable {
  const isOurs = token !== undefined;
  if (isOurs && (status === 400 || status === 404))
    return skipped(`the server has no ${source}, which came with Coder v2.28`);
  const isMeantToBe = (status >= 300 && status < 400) || status === 403 || status === 405;
  if (isOurs) return (isMeantToBe ? skipped : failed)(`${source} answered ${status}`);
  return isMeantToBe || status === 404
    ? skipped(`not supported: ${source} answered ${status}; ${NOT_COLLECTED}`)
    : failed(`${source} answered ${status}`);
}

/** Only the lines that are measured by: a page has as many others as there are agents. */
async function keptText(answer: FetchAnswer): Promise<string> {
  const decoder = new TextDecoder();
  const kept: string[] = [];
  let read = 0;
  let size = 0;
  let rest = '';
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error('it has lines that no metrics page has');
    for (const line of lines) {
      if (!KEPT.test(line)) continue;
      size += line.length + 1;
      if (size > LARGEST_KEPT) throw new Error(`its coderd_api metrics have more than ${LARGEST_KEPT} bytes`);
      kept.push(`${line}\n`);
    }
  };
  const chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[] = answer.body ?? [];
  for await (const chunk of chunks) {
    read += chunk.length;
    if (read > LARGEST_PAGE) throw new Error(`it has more than ${LARGEST_PAGE} bytes`);
    take(decoder.decode(chunk, { stream: true }));
  }
  take(decoder.decode());
  if (rest !== '' && kept.length > 0) throw new Error('it ends in the middle of a line');
  return kept.join('');
}

/** fetch only says "fetch failed"; what failed is its cause. */
const causeOf = (thrown: unknown): string =>
  thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
