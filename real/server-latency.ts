import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const unavailable = z.object({ unavailable: z.string(), reason: z.string() });
const share = z.object({ ours: z.number(), server: z.number() });
/** What is infinite stands there as a word. */
const milliseconds = z.union([z.number(), z.literal('infinite')]);
const compared = z.object({
  ids: z.array(z.string()),
  method: z.string().optional(),
  path: z.string().optional(),
  ours: z.object({ n: z.number() }),
  server: z.object({ n: z.number(), errors: z.number() }),
  share,
  quantiles: z.array(
    z.object({
      name: z.string(),
      oursMs: milliseconds,
      aboveMs: z.number(),
      upToMs: milliseconds,
      outsideByMs: milliseconds,
    }),
  ),
});
const bucketed = z.object({
  method: z.string(),
  path: z.string(),
  latency: z.object({
    buckets: z.array(z.object({ upTo: z.number(), count: z.number() })),
    total: z.number(),
  }),
});
const file = z.object({
  delta: z.union([unavailable, z.object({ seconds: z.number(), routes: z.array(bucketed) })]),
  comparison: z
    .union([unavailable, z.object({ pooled: compared, routes: z.array(compared), share })])
    .optional(),
});

type Compared = z.infer<typeof compared>;

/** The latencies of virtual users beside the server's own histogram of the same window, route by route; without virtual users the latter alone. */
export async function latenciesBesideServer(resultsDirectory: string): Promise<readonly string[]> {
  const text = await readFile(path.join(resultsDirectory, 'evidence', 'server-latency.json'), 'utf8');
  const { delta, comparison } = file.parse(JSON.parse(text));
  if ('unavailable' in delta) return [`The server's own latencies: ${delta.unavailable}, ${delta.reason}`];
  if (comparison === undefined || 'unavailable' in comparison)
    return [
      `The server's own latencies, in ${delta.seconds} s (bucket of the P95, of the P99):`,
      ...delta.routes
        .filter(({ latency }) => latency.total > 0)
        .map(({ method, path: route, latency }) => {
          const [p95, p99] = [0.95, 0.99].map((q) => bucketOf(latency, q));
          return `  ${`${method} ${route}`.padEnd(70)} n ${String(latency.total).padStart(6)}   ${p95 ?? ''}, ${p99 ?? ''}`;
        }),
    ];
  const { pooled, routes, share: all } = comparison;
  return [
    `Latencies, ours / the server's (${all.ours} of ${all.server} requests to its API were ours):`,
    ...[...routes, pooled].flatMap(linesOf),
  ];
}

function linesOf(route: Compared): string[] {
  const name = route.path === undefined ? 'all pooled routes' : `${route.method ?? ''} ${route.path}`;
  const quantiles = route.quantiles.map(({ name: quantile, oursMs, aboveMs, upToMs, outsideByMs }) => {
    const outside = outsideByMs === 0 ? '' : ` OUTSIDE by ${shown(outsideByMs)}`;
    return `${quantile} ${shown(oursMs)} / ${shown(aboveMs)} to ${shown(upToMs)}${outside}`;
  });
  return [
    `  ${name.padEnd(70)} n ${route.ours.n} / ${route.server.n} (${route.share.ours} ours)   ${quantiles.join('   ')}`,
  ];
}

const shown = (value: number | 'infinite'): string =>
  value === 'infinite' ? 'no bound' : `${Math.round(value * 10) / 10} ms`;

function bucketOf({ buckets, total }: z.infer<typeof bucketed>['latency'], q: number): string {
  const rank = Math.max(1, Math.ceil(q * total - 1e-9));
  const index = buckets.findIndex(({ count }) => count >= rank);
  const above = index < 0 ? (buckets.at(-1)?.upTo ?? 0) : (buckets[index - 1]?.upTo ?? 0);
  return `${shown(above * 1000)} to ${shown(index < 0 ? 'infinite' : (buckets[index]?.upTo ?? 0) * 1000)}`;
}
