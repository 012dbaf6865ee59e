import { describe, expect, it } from 'vitest';
import { Distribution } from '../../src/load/recorder.js';
import { answerJson } from '../support/http-server.js';
import { closeAfterEach, generate, scheduleOf, serving } from '../support/load-generation.js';

closeAfterEach();

describe('the load', () => {
  it('ends early when it is told to, and waits for what is under way', async () => {
    const server = await serving((_request, response) =>
      setTimeout(() => answerJson(response, 200, {}), 200),
    );
    const schedule = scheduleOf(
      [0, 50, 5_000].map((atMs) => ({ atMs, calls: [{}] })),
      10_000,
    );
    const { generator, done } = generate(server.url, schedule);
    setTimeout(() => generator.finish(), 100);
    const result = await done;
    expect(result).toMatchObject({ aborted: false, calls: { ok: 2, unfinished: 0 } });
    expect(result.elapsedMs).toBeLessThan(1_000);
  });

  it('leaves out the calls of a user who is not there yet, and takes the first visit for warm-up', async () => {
    const server = await serving((_request, response) => answerJson(response, 200, {}));
    const { arrivals, ...schedule } = scheduleOf(
      [0, 100, 110, 200].map((atMs) => ({ atMs, calls: [{}] })),
      300,
    );
    // The second and the third are batches of one visit.
    const visits = [0, 100, 100, 200];
    const users: { token: string | undefined; values: Record<string, string> }[] = [
      { token: undefined, values: {} },
    ];
    const late = {
      ...schedule,
      arrivals: arrivals.map((one, index) => ({ ...one, visitAtMs: visits[index] ?? 0 })),
    };
    const { done } = generate(server.url, late, { users });
    setTimeout(() => (users[0] = Object.assign(users[0] ?? {}, { token: 'late', values: {} })), 50);
    const result = await done;
    expect(result).toMatchObject({ usersSeen: 1, calls: { ok: 3, leftOut: 1 } });
    expect(result.series.map(({ warmUp, latency }) => [warmUp, Distribution.from(latency).count])).toEqual([
      [true, 2],
      [false, 1],
    ]);
    expect(server.seen.every(({ headers }) => headers['coder-session-token'] === 'late')).toBe(true);
  });

  it('takes a refusal by configuration for the answer that it is', async () => {
    const server = await serving((_request, response) => answerJson(response, 403, {}));
    const schedule = scheduleOf([{ atMs: 0, calls: [{}] }], 50);
    const routes = schedule.routes.map((route) => ({ ...route, answers: [403] }));
    const result = await generate(server.url, { ...schedule, routes }).done;
    expect(result.calls).toMatchObject({ ok: 1, failed: 0 });
  });
});
