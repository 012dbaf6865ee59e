import type { Expectation, QuantityKind } from '../config/expectation.js';
import type { KnownMetric } from './metric-names.js';

/** 0.9 of a ratio is 90 %. */
export const inUnitOf = ({ unit }: Pick<KnownMetric, 'unit'>, expectation: Expectation): Expectation =>
  unit === 'ratio' ? { ...expectation, unit } : expectation;

/** Why an expectation cannot be asked of a metric; undefined when it can. */
export function unfit(
  expectation: Expectation,
  metric: Pick<KnownMetric, 'name' | 'shape' | 'unit'>,
): string | undefined {
  const { aggregate, unit, text } = expectation;
  if (metric.shape === 'samples' || metric.shape === 'buckets') {
    if (aggregate.kind === 'value')
      return `"${text}" needs an aggregate, like "p95 ${text}": ${metric.name} has many samples`;
    const wanted = aggregate.kind === 'count' ? 'count' : metric.unit;
    return unit === wanted ? undefined : otherKind(text, wanted);
  }
  if (aggregate.kind !== 'value')
    return `"${text}" asks for an aggregate, but ${metric.name} is one number; write "${text.replace(/^\S+\s+/, '')}"`;
  // A bare number between 0 and 1 is a share as well: 0.99.
  if (metric.unit === 'ratio' && unit === 'count' && expectation.threshold <= 1) return undefined;
  return unit === metric.unit ? undefined : otherKind(text, metric.unit);
}

const EXAMPLES: Readonly<Record<QuantityKind, string>> = {
  seconds: 'a duration like "2m"',
  ratio: 'a share like "99%"',
  count: 'a plain number',
  bytes_per_second: 'a rate like "40KB/s"',
};

const otherKind = (text: string, wanted: QuantityKind): string =>
  `"${text}" compares with a quantity of another kind; ${EXAMPLES[wanted]} is needed`;
