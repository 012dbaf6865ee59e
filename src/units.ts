/** Numbers that carry their unit in the type, so that seconds are never added to milliseconds. */
declare const unit: unique symbol;

export type Seconds = number & { readonly [unit]: 'seconds' };
export type Milliseconds = number & { readonly [unit]: 'milliseconds' };
/** A share between 0 and 1. */
export type Ratio = number & { readonly [unit]: 'ratio' };

const isSeconds = (value: number): value is Seconds => !Number.isNaN(value);
const isMilliseconds = (value: number): value is Milliseconds => !Number.isNaN(value);
const isRatio = (value: number): value is Ratio => value >= 0 && value <= 1;

/** @throws RangeError when the value is not a number. Infinity is allowed: a run that failed is infinitely slow. */
export function seconds(value: number): Seconds {
  if (isSeconds(value)) return value;
  throw new RangeError('a number of seconds is needed, got NaN');
}

/** @throws RangeError when the value is not a number. */
export function milliseconds(value: number): Milliseconds {
  if (isMilliseconds(value)) return value;
  throw new RangeError('a number of milliseconds is needed, got NaN');
}

/** @throws RangeError outside 0 to 1. */
export function ratio(value: number): Ratio {
  if (isRatio(value)) return value;
  throw new RangeError(`a ratio lies between 0 and 1, got ${value}`);
}

export const toSeconds = (value: Milliseconds): Seconds => seconds(value / 1000);
export const toMilliseconds = (value: Seconds): Milliseconds => milliseconds(value * 1000);
export const minutes = (value: number): Seconds => seconds(value * 60);
