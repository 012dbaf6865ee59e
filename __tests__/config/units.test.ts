import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  parseByteRate,
  parseDuration,
  parseRatio,
  QuantityError,
} from '../../src/config/units.js';
import { seconds } from '../../src/units.js';
import { thrownBy } from '../support/fakes.js';

describe('durations', () => {
  it.each([
    ['500ms', 0.5],
    ['90s', 90],
    ['2m', 120],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['1d', 86_400],
    [' 2m ', 120],
  ])('reads %s', (text, expected) => {
    expect(parseDuration(text)).toBeCloseTo(expected, 9);
  });

  it.each(['', '5', '5 m', 'm', '-5m', '5M', '5mm', '1e3s', '5m, 3s', 'p95', '٣s', '+5s'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(QuantityError);
    },
  );

  it('says how to write a bare number', () => {
    expect(() => parseDuration('300')).toThrow(/"300" is no duration; write it with a unit, like "90s"/);
  });

  it('writes what the flag parser of old CLIs reads: no days, and the same time again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000_000 }), (milliseconds) => {
        const text = formatDuration(seconds(milliseconds / 1000));
        expect(text).toMatch(/^(\d+h)?(\d+m)?(\d+(\.\d{1,3})?s)?$/);
        expect(text).not.toBe('');
        expect(parseDuration(text)).toBeCloseTo(milliseconds / 1000, 6);
      }),
    );
  });

  it.each([
    [2700, '45m'],
    [5400, '1h30m'],
    [90, '1m30s'],
    [0.25, '0.25s'],
    [0, '0s'],
    [59.9996, '1m'],
    [3599.9999, '1h'],
    [90_000, '25h'],
  ])('writes %f s as %s', (value, text) => {
    expect(formatDuration(seconds(value))).toBe(text);
  });

  it('reads any text or refuses it as a quantity, nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseDuration(text)).toBeGreaterThanOrEqual(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(QuantityError);
        }
      }),
    );
  });

  it('reads whole milliseconds as exactly what a measurement of so many is', () => {
    for (let milliseconds = 1; milliseconds <= 20_000; milliseconds += 1)
      expect(parseDuration(`${milliseconds}ms`)).toBe(milliseconds / 1000);
  });
});

describe('shares', () => {
  it.each([
    ['99%', 0.99],
    ['99.5 %', 0.995],
    ['0%', 0],
    ['100%', 1],
    ['0.99', 0.99],
    [0.5, 0.5],
    [1, 1],
  ])('reads %j', (value, expected) => {
    expect(parseRatio(value)).toBeCloseTo(expected, 12);
  });

  it.each(['', '101%', '1.01', '-1%', '%', '99 percent', 'NaN', '1e-2', 99])('refuses %j', (value) => {
    const thrown = thrownBy(() => parseRatio(value));
    expect(thrown).toBeInstanceOf(QuantityError);
    expect(String(thrown)).toMatch(/is no share; write "99%" or 0.99/);
  });

  it('reads a percentage as exactly what so many of a thousand are', () => {
    for (let good = 0; good <= 1000; good += 1)
      expect(parseRatio(`${(good / 10).toFixed(1)}%`)).toBe(good / 1000);
  });
});

describe('rates of bytes', () => {
  it.each([
    ['40KB/s', 40_000],
    ['40kB/s', 40_000],
    ['1.5MB/s', 1_500_000],
    ['2GB/s', 2e9],
    ['512B/s', 512],
    ['1KiB/s', 1024],
    ['2MiB/s', 2_097_152],
    [' 40KB/s ', 40_000],
  ])('reads %s', (text, expected) => {
    expect(parseByteRate(text)).toBe(expected);
  });

  it.each(['40', '40KB', '40Kb/s', '40kb/s', 'KB/s', '-1KB/s', '40 KB/s', '40KB/m', '40TB/s', '1e3B/s'])(
    'refuses %j',
    (text) => {
      expect(() => parseByteRate(text)).toThrow(QuantityError);
    },
  );
});
