import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, CoderHttp, type Request } from '../../src/coder/http.js';
import { JumpingClock } from '../support/fakes.js';
import { answerJson, serve, type Handler, type TestServer } from '../support/http-server.js';

const TOKEN = 'AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB';
let server: TestServer | undefined;
let clock = new JumpingClock();

afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
  server = undefined;
});

async function client(handler: Handler, token: string | null = TOKEN): Promise<CoderHttp> {
  server = await serve(handler);
  clock = new JumpingClock();
  return new CoderHttp(server.url, clock, token);
}
const get: Request = { method: 'GET', path: '/api/v2/users/me' };
const post: Request = { method: 'POST', path: '/api/v2/users', body: { name: 'é' } };

async function failure(http: CoderHttp, request: Request = get): Promise<ApiError> {
  const thrown: unknown = await http.send(request).catch((reason: unknown) => reason);
  if (thrown instanceof ApiError) return thrown;
  throw new Error('an ApiError was expected', { cause: thrown });
}
const calls = (): number => server?.seen.length ?? 0;

describe('a call', () => {
  it('carries the token, the body as JSON, and gives the parsed answer', async () => {
    const http = await client((_, response) => answerJson(response, 201, { id: 1 }, { 'X-A': 'b' }));
    const response = await http.send(post);
    expect(response).toMatchObject({ status: 201, body: { id: 1 } });
    expect(response.headers.get('x-a')).toBe('b');
    expect(server?.seen[0]).toMatchObject({ method: 'POST', path: '/api/v2/users', body: '{"name":"é"}' });
    expect(server?.seen[0]?.headers).toMatchObject({
      'coder-session-token': TOKEN,
      'content-type': 'application/json',
    });
  });

  it('carries another token, or none, where it is told so', async () => {
    const http = await client((_, response) => answerJson(response, 200, {}));
    await http.send({ ...get, token: 'other' });
    await http.send({ ...get, token: null });
    await http.withToken('third').send(get);
    expect(server?.seen.map(({ headers }) => headers['coder-session-token'])).toEqual([
      'other',
      undefined,
      'third',
    ]);
  });

  it.each([204, 200, 304])('has no body where there is none: %i', async (status) => {
    const http = await client((_, response) => response.writeHead(status).end());
    const outcome = http.send(get);
    if (status === 304) await expect(outcome).rejects.toThrow();
    else await expect(outcome).resolves.toMatchObject({ status, body: undefined });
  });

  it('gives back the statuses that the caller accepts, at once', async () => {
    const http = await client((_, response) => answerJson(response, 417, { message: 'has workspaces' }));
    await expect(http.send({ ...get, accept: [417] })).resolves.toMatchObject({ status: 417 });
    expect(calls()).toBe(1);
  });
});

describe('an error of Coder’s', () => {
  it('is told with message, detail and validations', async () => {
    const http = await client((_, response) =>
      answerJson(response, 400, {
        message: 'Validation failed.',
        detail: 'See below.',
        validations: [{ field: 'name', detail: 'too short' }],
      }),
    );
    const thrown = await failure(http, post);
    expect(thrown).toMatchObject({ kind: 'status', status: 400 });
    expect(thrown.message).toBe(
      'POST /api/v2/users answered 400: Validation failed. See below. name: too short',
    );
    expect(thrown.coderMessage).toBe('Validation failed. See below. name: too short');
  });

  it.each([400, 401, 403, 404, 405, 409, 412, 417, 501])('is not tried again: %i', async (status) => {
    const http = await client((_, response) => answerJson(response, status, { message: 'no' }));
    expect((await failure(http)).status).toBe(status);
    expect(calls()).toBe(1);
  });

  it('of the rate limiter’s bypass is plain text, and kept', async () => {
    const http = await client((_, response) => {
      response
        .writeHead(428, { 'Content-Type': 'text/plain; charset=utf-8' })
        .end('"X-Coder-Bypass-Ratelimit" provided but user is not owner\n');
    });
    expect((await failure(http, post)).message).toMatch(/answered 428: "X-Coder-Bypass-Ratelimit" provided/);
  });

  it('without any message says so', async () => {
    const http = await client((_, response) => answerJson(response, 404, { code: 5 }));
    expect((await failure(http)).message).toMatch(/answered 404: no message/);
  });
});

describe('trying again', () => {
  it.each([429, 500, 502, 503, 504])('helps with %i', async (status) => {
    const http = await client((_, response, count) =>
      answerJson(response, count < 3 ? status : 200, { message: 'later' }),
    );
    await expect(http.send(get)).resolves.toMatchObject({ status: 200 });
    expect(calls()).toBe(3);
  });

  it('ends, and each pause is longer than none and shorter than a minute', async () => {
    const http = await client((_, response) => answerJson(response, 503, { message: 'down' }));
    expect(await failure(http)).toMatchObject({ kind: 'status', status: 503 });
    expect(calls()).toBe(5);
    expect(clock.pauses).toHaveLength(4);
    for (const pause of clock.pauses) expect(pause > 0 && pause < 60_000).toBe(true);
    expect(clock.pauses[3] ?? 0).toBeGreaterThan(clock.pauses[0] ?? Number.POSITIVE_INFINITY);
  });

  it('waits as long as Retry-After says, but not for ever', async () => {
    const http = await client((_, response, count) =>
      answerJson(
        response,
        count < 3 ? 429 : 200,
        { message: 'slow down' },
        { 'Retry-After': count === 1 ? '7' : '86400' },
      ),
    );
    await http.send(get);
    expect(clock.pauses).toEqual([7000, 90_000]);
  });

  it.each(['GET', 'POST'] as const)(
    'waits as long as Retry-After of a proxy in front of Coder says: %s',
    async (method) => {
      const http = await client((_, response, count) => {
        if (count > 1) answerJson(response, 200, {});
        else response.writeHead(429, { 'Content-Type': 'text/html', 'Retry-After': '30' }).end('<html>');
      });
      await http.send({ ...get, method });
      expect(clock.pauses).toEqual([30_000]);
    },
  );

  it('does not understand Retry-After with a date, and waits as usual', async () => {
    const http = await client((_, response, count) =>
      answerJson(response, count < 2 ? 503 : 200, {}, { 'Retry-After': 'Wed, 21 Oct 2099 07:28:00 GMT' }),
    );
    await http.send(get);
    expect(clock.pauses[0] ?? 0).toBeLessThan(2000);
  });

  it('repeats a POST only when it was throttled: anything else may have been carried out', async () => {
    const throttled = await client((_, response, count) =>
      answerJson(response, count < 2 ? 429 : 201, { message: '' }),
    );
    await throttled.send(post);
    expect(calls()).toBe(2);
    await server?.close();
    const broken = await client((_, response) => answerJson(response, 503, { message: 'down' }));
    await failure(broken, post);
    expect(calls()).toBe(1);
  });

  it.each(['DELETE', 'PUT'] as const)('repeats a %s', async (method) => {
    const http = await client((_, response, count) => answerJson(response, count < 2 ? 502 : 200, {}));
    await http.send({ method, path: '/x' });
    expect(calls()).toBe(2);
  });

  it('survives a connection that breaks', async () => {
    const http = await client((_, response, count) => {
      if (count < 3) response.destroy();
      else answerJson(response, 200, { id: 1 });
    });
    await expect(http.send(get)).resolves.toMatchObject({ body: { id: 1 } });
  });

  it('survives a load balancer’s page of 503', async () => {
    const http = await client((_, response, count) => {
      if (count < 2) response.writeHead(503, { 'Content-Type': 'text/html' }).end('<html>');
      else answerJson(response, 200, {});
    });
    await http.send(get);
    expect(calls()).toBe(2);
  });
});

describe('something that is not Coder', () => {
  it('answers with a page: the address is wrong, or a sign-in page stands in front', async () => {
    const http = await client((_, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end('<html>'),
    );
    expect(await failure(http)).toMatchObject({
      kind: 'not-coder',
      message: expect.stringMatching(
        /GET \/api\/v2\/users\/me with text\/html instead of JSON: "coder-url" is not a Coder deployment/,
      ) as string,
    });
    expect(calls()).toBe(1);
  });

  it('refuses with a page of 403', async () => {
    const http = await client((_, response) =>
      response.writeHead(403, { 'Content-Type': 'text/html' }).end('<html>403'),
    );
    expect(await failure(http)).toMatchObject({
      kind: 'not-coder',
      status: 403,
      message: expect.stringMatching(/with 403 and text\/html, which is not Coder's.*proxy/) as string,
    });
  });

  it('redirects: the token does not follow', async () => {
    const other = await serve((_, response) => answerJson(response, 200, {}));
    const http = await client((_, response) =>
      response.writeHead(302, { Location: `${other.url}/login?secret=1` }).end(),
    );
    const thrown = await failure(http);
    expect(thrown).toMatchObject({
      kind: 'not-coder',
      message: expect.stringContaining(`redirect to ${other.url}:`) as string,
    });
    expect(thrown.message).not.toContain('secret');
    expect(other.seen).toEqual([]);
    await other.close();
  });

  it('promises JSON that is none', async () => {
    const http = await client((_, response) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"a":'),
    );
    expect((await failure(http)).kind).toBe('not-coder');
  });

  it('is not there', async () => {
    const http = await client(() => undefined);
    await server?.close();
    const thrown = await failure(http);
    expect(thrown).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/cannot be reached \(GET .*ECONNREFUSED/) as string,
    });
    expect(clock.pauses.length).toBeGreaterThan(0);
  });
});

describe('time', () => {
  it('is bounded when nobody answers', async () => {
    const http = await client(() => undefined);
    const real = AbortSignal.timeout.bind(AbortSignal);
    // Thirty seconds in fact.
    const asked = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => real(30));
    expect(await failure(http, post)).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/no answer within 30 s/) as string,
    });
    expect(asked).toHaveBeenCalledWith(30_000);
  });

  it('ends at once when the caller gives up, with the caller’s reason', async () => {
    const controller = new AbortController();
    const http = await client(() => controller.abort(new Error('the job was cancelled')));
    await expect(http.send({ ...get, signal: controller.signal })).rejects.toThrow('the job was cancelled');
    expect(calls()).toBe(1);
  });

  it('does not even ask when the caller gave up before', async () => {
    const http = await client((_, response) => answerJson(response, 200, {}));
    await expect(http.send({ ...get, signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
      'too late',
    );
    expect(calls()).toBe(0);
  });
});

describe('under a rate limit', () => {
  it('calls are spread out before the limiter refuses them', async () => {
    let remaining = 20;
    const http = await client((_, response) => {
      remaining -= 1;
      answerJson(
        response,
        200,
        {},
        { 'X-RateLimit-Limit': '60', 'X-RateLimit-Remaining': String(Math.max(0, remaining)) },
      );
    });
    for (let call = 0; call < 20; call += 1) await http.send(get);
    const pauses = clock.pauses;
    expect(pauses.length).toBeGreaterThan(2);
    for (const pause of pauses) expect(pause).toBeCloseTo(1000, -1);
    // Other paths have their own budget.
    const before = clock.pauses.length;
    await http.send({ method: 'GET', path: '/api/v2/other' });
    expect(clock.pauses.length).toBe(before);
  });
});
