import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { histogramsOf, parseExposition } from '../../src/measure/exposition.js';
import { countsBetween, readServerCounts, sumCodes, sumLatencies } from '../../src/measure/server-counts.js';
import { requestsOf } from '../../src/measure/server-latency.js';
import { explainSkip, hasRecordings, sharedJson, sharedText } from '../support/shared.js';
import { BOUNDS, pageText, type RouteOnPage } from '../support/server-pages.js';

explainSkip('recorded metrics pages of coderd');

const recorded = (name: string): string =>
  `${z
    .object({ response: z.object({ body: z.string() }) })
    .parse(sharedJson(name))
    .response.body.trimEnd()}\n`;

const PAGES: readonly (readonly [string, () => string])[] = [
  ['v2.36.0', () => sharedText('golden/v2.36.0/debug-metrics.txt')],
  ['v2.36.0 with Prometheus off', () => recorded('golden/v2.36.0/api/debug-metrics-prometheus-off.json')],
  ['v2.31.0', () => recorded('golden/v2.31.0/api/debug-metrics.json')],
];

describe.runIf(hasRecordings)('the recorded pages', () => {
  it.each(PAGES)('%s: every request is in a bucket and has a code', (_, page) => {
    const routes = [...readServerCounts(page()).values()];
    const sockets = new Map(
      histogramsOf(parseExposition(page()), 'coderd_api_websocket_durations_seconds').map(
        ({ labels, count }) => [labels['path'], count] as const,
      ),
    );
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) {
      const { buckets, total } = route.latency;
      if (total > 0) expect(buckets.map(({ upTo }) => upTo)).toEqual(BOUNDS);
      const asSocket = route.method === 'GET' ? (sockets.get(route.path) ?? 0) : 0;
      expect(requestsOf(route)).toBe(total + asSocket);
    }
  });

  it.each(PAGES)('%s: nothing was counted between a page and itself', (_, page) => {
    const counts = readServerCounts(page());
    expect(countsBetween(counts, counts)?.size).toBe(0);
    expect(countsBetween(new Map(), counts)).toEqual(counts);
  });

  it('of a restarted server are not taken for a continuation', () => {
    const [before, after] = [PAGES[0], PAGES[1]].map((page) => readServerCounts(page?.[1]() ?? ''));
    expect(countsBetween(before ?? new Map(), after ?? new Map())).toBeUndefined();
  });

  it('v2.36.0: a known route', () => {
    const counts = readServerCounts(sharedText('golden/v2.36.0/debug-metrics.txt'));
    expect(counts.get('DELETE /api/v2/users/{user}')).toMatchObject({
      latency: { total: 3, sum: 0.074936555 },
      codes: { 200: 2, 417: 1 },
    });
  });
});

describe('pages that are none', () => {
  const ROUTE = 'method="GET",path="/x"';
  const histogram = (count: string, sum = '1'): string =>
    `coderd_api_request_latencies_seconds_bucket{${ROUTE},le="+Inf"} ${count}\ncoderd_api_request_latencies_seconds_sum{${ROUTE}} ${sum}\ncoderd_api_request_latencies_seconds_count{${ROUTE}} ${count}\n`;
  it.each([
    ['a count of NaN', `coderd_api_requests_processed_total{code="200",${ROUTE}} NaN\n`],
    ['an infinite count', `coderd_api_requests_processed_total{code="200",${ROUTE}} +Inf\n`],
    ['half a request', `coderd_api_requests_processed_total{code="200",${ROUTE}} 0.5\n`],
    ['a count below zero', `coderd_api_requests_processed_total{code="200",${ROUTE}} -1\n`],
    ['an infinite histogram', histogram('+Inf')],
    ['a histogram of NaN', histogram('NaN')],
    ['a sum of NaN', histogram('3', 'NaN')],
    ['a sum below zero', histogram('3', '-1')],
    ['no path', 'coderd_api_requests_processed_total{code="200",method="GET"} 1\n'],
    ['a page that was cut', 'coderd_api_requests_processed_total{code="200",me'],
  ])('%s', (_, text) => {
    expect(() => readServerCounts(text)).toThrow();
  });
});

const latency = fc.constantFrom(0.0005, 0.003, 0.02, 0.07, 0.3, 2, 60);
const route = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  path: fc.constantFrom('/a', '/b/{x}', 'STATIC'),
  latencies: fc.array(latency, { maxLength: 30 }),
});
/** Each method and path once. */
const routes: fc.Arbitrary<RouteOnPage[]> = fc.uniqueArray(route, {
  selector: ({ method, path }) => `${method} ${path}`,
});
const both = (first: readonly RouteOnPage[], second: readonly RouteOnPage[]): RouteOnPage[] => {
  const keys = new Set([...first, ...second].map(({ method, path }) => `${method ?? ''} ${path}`));
  return [...keys].map((key) => {
    const [method = '', path = ''] = key.split(' ');
    const same = [...first, ...second].filter((one) => one.method === method && one.path === path);
    return { method, path, latencies: same.flatMap(({ latencies = [] }) => latencies) };
  });
};

describe('what was counted between two pages', () => {
  it('is what was added, whatever was there before', () => {
    fc.assert(
      fc.property(routes, routes, (before, added) => {
        const between = countsBetween(
          readServerCounts(pageText(before)),
          readServerCounts(pageText(both(before, added))),
        );
        const wanted = readServerCounts(pageText(added.filter(({ latencies = [] }) => latencies.length > 0)));
        expect([...(between ?? new Map()).keys()].sort()).toEqual([...wanted.keys()].sort());
        for (const [key, { latency: expected, codes }] of wanted) {
          const found = between?.get(key);
          expect(found?.codes).toEqual(codes);
          expect(found?.latency.total).toBe(expected.total);
          expect(found?.latency.buckets).toEqual(expected.buckets);
          expect(found?.latency.sum).toBeCloseTo(expected.sum, 9);
        }
      }),
    );
  });

  it('is unknown as soon as one count fell', () => {
    fc.assert(
      fc.property(
        routes.filter((all) => all.some(({ latencies = [] }) => latencies.length > 0)),
        (all) => {
          const index = all.findIndex(({ latencies = [] }) => latencies.length > 0);
          const fewer = all.map((one, place) =>
            place === index ? { ...one, latencies: (one.latencies ?? []).slice(1) } : one,
          );
          const [full, less] = [readServerCounts(pageText(all)), readServerCounts(pageText(fewer))];
          expect(countsBetween(full, less)).toBeUndefined();
        },
      ),
    );
  });

  it('is unknown when a route is gone, or its buckets are others', () => {
    const one = readServerCounts(pageText([{ path: '/a', latencies: [1] }]));
    expect(countsBetween(one, new Map())).toBeUndefined();
    const finer = readServerCounts(
      pageText([{ path: '/a', latencies: [1, 1] }]).replaceAll('le="0.5"', 'le="0.3"'),
    );
    expect(countsBetween(one, finer)).toBeUndefined();
  });

  it('is unknown when a code is gone although there are more requests', () => {
    const before = readServerCounts(pageText([{ path: '/a', latencies: [1], codes: { 404: 1 } }]));
    const after = readServerCounts(pageText([{ path: '/a', latencies: [1, 1, 1], codes: { 200: 3 } }]));
    expect(countsBetween(before, after)).toBeUndefined();
  });
});

describe('sums', () => {
  it('of histograms with the same buckets are one histogram', () => {
    const read = (latencies: readonly number[]) =>
      [...readServerCounts(pageText([{ path: '/a', latencies }])).values()].map((one) => one.latency);
    const sum = sumLatencies([...read([0.002, 40]), ...read([]), ...read([0.2])]);
    expect(sum).toEqual(read([0.002, 40, 0.2])[0]);
  });

  it('of other buckets are refused, and of nothing are nothing', () => {
    const [a, b] = [0.5, 0.4].map((upTo) => ({ buckets: [{ upTo, count: 1 }], total: 1, sum: 0.1 }));
    expect(() => sumLatencies([a, b].flatMap((one) => one ?? []))).toThrow(/different buckets/);
    expect(sumLatencies([])).toEqual({ buckets: [], total: 0, sum: 0 });
    expect(sumCodes([{ 200: 1 }, { 200: 2, 500: 1 }])).toEqual({ 200: 3, 500: 1 });
  });
});
