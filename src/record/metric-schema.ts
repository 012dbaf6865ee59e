import { z } from 'zod';
import type { Metric } from '../measure/metric.js';

/**
 * JSON has no infinity, so it is written as a text: what never ended is not the same as what was not measured. What is no
 * number becomes `null`.
 */
export const numberSchema = z.union([
  z.number(),
  z.literal('infinite').transform(() => Infinity),
  z.null().transform(() => Number.NaN),
]);

const text = z.string();
const number = numberSchema;
const origin = {
  name: text,
  phase: text,
  source: z.enum(['cli-result', 'cli-prometheus', 'server-metrics', 'coder-api', 'load']),
  evidence: z.array(text),
  doubt: text.exactOptional(),
  ownDelay: number.exactOptional(),
};

export const bucketSchema = z.object({ upTo: number, count: number });

/** The quantiles that are judged are ranks, which mean something only in ascending order. */
const isAscending = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || value >= (values[index - 1] ?? value));

const metric: z.ZodType<Metric> = z.discriminatedUnion('shape', [
  z.object({
    ...origin,
    shape: z.literal('samples'),
    unit: z.enum(['seconds', 'count']),
    samples: z.array(number).refine(isAscending, 'the samples are not in ascending order'),
    failed: z.number(),
  }),
  z.object({ ...origin, shape: z.literal('ratio'), good: number, total: number }),
  z.object({ ...origin, shape: z.literal('count'), value: number }),
  z.object({
    ...origin,
    shape: z.literal('value'),
    unit: z.enum(['ratio', 'bytes_per_second']),
    value: number,
  }),
  z.object({
    ...origin,
    shape: z.literal('buckets'),
    unit: z.literal('seconds'),
    buckets: z.array(bucketSchema),
    total: number,
    sum: number,
  }),
  z.object({
    name: text,
    shape: z.literal('missing'),
    reason: text,
    skipped: z.literal(true).exactOptional(),
  }),
]);

/** The shape of metrics.json. */
export const metricsSchema = z.object({ schema: z.literal(1), metrics: z.array(metric) });
