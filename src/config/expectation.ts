import { parseByteRate, parseDuration, parseRatio, QuantityError } from './units.js';

/** What a number stands for. All are kept in their base unit (s, 0 to 1, bytes a second). */
export type QuantityKind = 'seconds' | 'ratio' | 'count' | 'bytes_per_second';

export type Aggregate =
  | { readonly kind: 'quantile'; readonly q: number; readonly name: string }
  | { readonly kind: 'max' }
  | { readonly kind: 'min' }
  | { readonly kind: 'mean' }
  | { readonly kind: 'count' }
  /** The number itself: for a ratio or a count. */
  | { readonly kind: 'value' };

export type Operator = '<' | '<=' | '>' | '>=' | '==';

/** `p95 < 2m`: an aggregate of a metric, an operator and a quantity. */
export interface Expectation {
  readonly text: string;
  readonly aggregate: Aggregate;
  readonly operator: Operator;
  readonly threshold: number;
  readonly unit: QuantityKind;
}

/** A text that is no expectation; `offset` is the 0-based place of the mistake in it. */
export class ExpectationError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

const OPERATORS: readonly Operator[] = ['<=', '>=', '==', '<', '>'];

/**
 * Reads an expectation: `<aggregate> <op> <quantity>`, for a ratio or a count just `<op> <quantity>`.
 * @throws ExpectationError with the place of the mistake.
 */
export function parseExpectation(text: string): Expectation {
  const start = text.length - text.trimStart().length;
  const name = /^[A-Za-z][A-Za-z0-9.]*/.exec(text.slice(start))?.[0];
  const operatorAt = skipSpace(text, start + (name ?? '').length);
  const operator = OPERATORS.find((known) => text.startsWith(known, operatorAt));
  if (operator === undefined) throw noExpectation(text, operatorAt);
  const aggregate = parseAggregate(name, start);
  const quantityAt = skipSpace(text, operatorAt + operator.length);
  const quantity = /^\S*/.exec(text.slice(quantityAt))?.[0] ?? '';
  const end = skipSpace(text, quantityAt + quantity.length);
  if (quantity === '' || end < text.length) throw noExpectation(text, end);
  return { text: text.trim(), aggregate, operator, ...parseQuantity(quantity, quantityAt) };
}

const skipSpace = (text: string, from: number): number => text.length - text.slice(from).trimStart().length;

const noExpectation = (text: string, offset: number): ExpectationError =>
  new ExpectationError(
    `"${text}" is no expectation; write for example "p95 < 2m", "max <= 90s" or ">= 99%"`,
    offset,
  );

function parseAggregate(name: string | undefined, offset: number): Aggregate {
  if (name === undefined) return { kind: 'value' };
  const lower = name.toLowerCase();
  const quantile = /^p(\d{1,2}(?:\.\d+)?)$/.exec(lower);
  if (quantile?.[1] !== undefined) {
    const percent = Number(quantile[1]);
    if (percent >= 50 && percent <= 99.9) return { kind: 'quantile', q: percent / 100, name: lower };
    throw new ExpectationError(`quantiles go from p50 to p99.9, not ${name}`, offset);
  }
  switch (lower) {
    case 'max':
    case 'min':
    case 'mean':
    case 'count':
      return { kind: lower };
    case 'slope':
      throw new ExpectationError(
        '"slope" needs a metric that is watched over time; none is available yet',
        offset,
      );
    default:
      throw new ExpectationError(
        `"${name}" is no aggregate; there are p50 to p99.9, max, min, mean and count`,
        offset,
      );
  }
}

function parseQuantity(text: string, offset: number): { threshold: number; unit: QuantityKind } {
  try {
    if (text.endsWith('%')) return { threshold: parseRatio(text), unit: 'ratio' };
    if (/^\d+(\.\d+)?$/.test(text) && Number.isFinite(Number(text)))
      return { threshold: Number(text), unit: 'count' };
    if (text.endsWith('/s')) return { threshold: parseByteRate(text), unit: 'bytes_per_second' };
    return { threshold: parseDuration(text), unit: 'seconds' };
  } catch (thrown) {
    if (!(thrown instanceof QuantityError)) throw thrown;
    throw new ExpectationError(
      `"${text}" is no quantity; write for example "500ms", "2m", "99%", "40KB/s" or "0"`,
      offset,
    );
  }
}
