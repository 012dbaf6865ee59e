import { z } from 'zod';
import type { EarlyEnd } from '../judge/early-end.js';
import type { ServerComparison } from '../judge/server-comparison.js';
import type { Observed } from '../judge/verdict.js';
import type { LoadSummary } from '../measure/load-summary.js';
import type { RouteCounts } from '../measure/server-counts.js';
import type { TimeShare } from '../measure/time-share.js';
import { PARTS } from '../measure/workspace-time.js';
import type { Readiness } from '../ready/readiness.js';
import type { CleanupReport, StepReport } from '../report/run-report.js';
import type { ServerReport } from '../report/server.js';
import type { Unavailable } from '../server-evidence.js';
import type { Milliseconds, Seconds } from '../units.js';
import { bucketSchema, numberSchema as number } from './metric-schema.js';
import type { RunAccount } from './run-account.js';

/** The shapes of run.json and readiness.json. */

const text = z.string();
const counts = z.record(text, number);
const seconds = number.pipe(z.custom<Seconds>((value) => typeof value === 'number'));
const milliseconds = number.pipe(z.custom<Milliseconds>((value) => typeof value === 'number'));

export const readinessSchema: z.ZodType<Readiness> = z.object({
  schema: z.literal(1),
  checks: z.array(z.object({ name: text, status: z.enum(['ok', 'warning', 'refused']), message: text })),
  driver: z.object({ driver: z.enum(['cli', 'api']), reason: text }).exactOptional(),
  serverVersion: text.exactOptional(),
  cliVersion: text.exactOptional(),
});

const cause = z.object({ summary: text, count: number });

const step: z.ZodType<StepReport> = z.object({
  group: text,
  driver: z.enum(['cli', 'api', 'load']),
  seconds,
  exitCode: number.exactOptional(),
  exitSignal: text.exactOptional(),
  endedBy: z.enum(['itself', 'deadline', 'early', 'cancel']),
  causes: z.array(cause),
});

const parts = z.partialRecord(z.enum(PARTS), number);

const workspaceTime = z.object({
  workspace: text,
  owner: text,
  build: number,
  buildId: text,
  total: number,
  parts,
  serverSpan: number,
  driverSpan: number.exactOptional(),
  scripts: number.exactOptional(),
  scriptsBlockLogin: z.literal(true).exactOptional(),
});

const timeShare: z.ZodType<TimeShare> = z.object({
  group: text,
  clock: z.enum(['driver', 'server']),
  driver: z.enum(['cli', 'api']),
  planned: number,
  failed: number,
  created: number,
  unmatched: number,
  p95: number.exactOptional(),
  slow: number,
  stillQueued: number,
  shares: parts,
  withoutStages: number,
  scripts: z.object({ p95: number, workspaces: number, blockLogin: z.boolean() }).exactOptional(),
  clocks: z
    .object({
      workspaces: number,
      gap: z.object({ median: number, largest: number, smallest: number }),
      user: number.exactOptional(),
      client: number,
    })
    .exactOptional(),
  slowest: z.array(workspaceTime),
});

const latencies = {
  n: number,
  failed: number,
  throttled: number,
  p50: milliseconds,
  p95: milliseconds,
  p99: milliseconds,
  max: milliseconds,
};
const route = z.object({ route: text, method: text, pattern: text, ...latencies });

const load: z.ZodType<LoadSummary> = z.object({
  mix: text,
  users: number,
  usersSeen: number,
  lasted: seconds,
  calls: z.object({
    ok: number,
    failed: number,
    throttled: number,
    leftOut: number,
    unfinished: number,
    resent: number,
  }),
  sockets: z.object({ opened: number, drops: number, refused: number, openAtEnd: number, reasons: counts }),
  health: z.object({
    sendLagP99Ms: number,
    sendLagMaxMs: number,
    eventLoopLagP99Ms: number,
    eventLoopLagMaxMs: number,
    cpuShare: number,
    largestBacklog: number,
    connectionWaitP99Ms: number,
    saturated: text.exactOptional(),
  }),
  closestLimit: z.object({ route: text, limit: number, leastRemaining: number }).exactOptional(),
  warmUpCalls: number,
  all: z.object(latencies).exactOptional(),
  phases: z.array(z.object({ phase: text, ...latencies })),
  routes: z.array(route),
  baseline: route.exactOptional(),
  failures: z.array(z.object({ reason: text, count: number })),
});

const unavailable: z.ZodType<Unavailable> = z.object({
  unavailable: z.enum(['skipped', 'failed']),
  reason: text,
});

const serverRoute: z.ZodType<RouteCounts> = z.object({
  method: text,
  path: text,
  latency: z.object({ buckets: z.array(bucketSchema), total: number, sum: number }),
  codes: counts,
});

const share = z.object({ ours: number, server: number });
const comparedRoute = z.object({
  ids: z.array(text),
  method: text.exactOptional(),
  path: text.exactOptional(),
  ours: z.object({ n: number, failed: number, throttled: number, connectionWaitP95Ms: number }),
  server: z.object({ n: number, errors: number, codes: counts }),
  share,
  missing: number,
  quantiles: z.array(
    z.object({
      name: z.enum(['P95', 'P99']),
      oursMs: number,
      aboveMs: number,
      upToMs: number,
      outsideByMs: number,
    }),
  ),
});
const comparison: z.ZodType<ServerComparison> = z.object({
  pooled: comparedRoute,
  routes: z.array(comparedRoute),
  share,
  uncounted: z.array(text),
});

const server: z.ZodType<ServerReport> = z.object({
  delta: z.union([
    unavailable,
    z.object({ seconds: number, processes: number, routes: z.array(serverRoute) }),
  ]),
  restarts: text.exactOptional(),
  comparison: z.union([unavailable, comparison]).exactOptional(),
});

const cleanup: z.ZodType<CleanupReport> = z.object({
  workspaces: number,
  users: number,
  seconds,
  leftovers: z.array(z.object({ name: text, reason: text })),
  problem: text.exactOptional(),
  skipped: text.exactOptional(),
});

/** With the keys in the order in which judging makes them: it stands in verdict.json again. */
const observed: z.ZodType<Observed> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('quantile'),
    n: number,
    rank: number,
    value: number,
    lower: number.exactOptional(),
    upper: number.exactOptional(),
  }),
  z.object({
    kind: z.literal('ratio'),
    value: number,
    lower: number,
    upper: number,
    good: number,
    n: number,
  }),
  z.object({ kind: z.literal('number'), value: number, n: number.exactOptional() }),
  z.object({ kind: z.literal('bucket'), above: number, upTo: number.exactOptional(), n: number }),
]);

const earlyEnd: z.ZodType<EarlyEnd> = z.object({
  seconds: number,
  breaches: z.array(z.object({ id: text, metric: text, expect: text, observed, sentence: text })),
  complete: z.array(text),
});

export const runSchema: z.ZodType<RunAccount> = z.object({
  schema: z.literal(1),
  mode: z.enum(['gate', 'run']),
  environment: text,
  startedAt: z.iso.datetime(),
  resultsDirectory: text,
  problems: z.array(text),
  withheld: z.record(text, text),
  cancelled: text.exactOptional(),
  endedEarly: earlyEnd.exactOptional(),
  steps: z.array(step),
  timeShares: z.array(timeShare),
  timingsUnread: z.object({ builds: number, reason: text }).exactOptional(),
  retries: z.object({ workspaces: number, succeeded: number, causes: z.array(cause) }).exactOptional(),
  load: load.exactOptional(),
  server: server.exactOptional(),
  cleanup: cleanup.exactOptional(),
});
