import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpositionError, histogramsOf, parseExposition, type Sample } from '../../src/measure/exposition.js';
import { thrownBy } from '../support/fakes.js';
import { explainSkip, hasRecordings, sharedRoot, sharedText } from '../support/shared.js';

explainSkip('recorded metrics pages');

const samplesOf = (text: string): readonly Sample[] => parseExposition(text).samples;
const only = (text: string): Sample | undefined => samplesOf(`${text}\n`)[0];

describe('parseExposition', () => {
  it('reads names, labels, values and timestamps', () => {
    expect(samplesOf('up 1\nrequests_total{method="GET",code="200"} 12 1700000000000\n')).toEqual([
      { name: 'up', labels: {}, value: 1 },
      {
        name: 'requests_total',
        labels: { method: 'GET', code: '200' },
        value: 12,
        timestamp: 1_700_000_000_000,
      },
    ]);
  });

  it('keeps _bucket, _sum and _count, and the types and help of families', () => {
    const page = parseExposition(
      '# HELP t_seconds How long\\nit \\\\ takes.\n# TYPE t_seconds histogram\nt_seconds_bucket{le="+Inf"} 2\nt_seconds_sum 3.5\nt_seconds_count 2\n',
    );
    expect(page.samples.map(({ name }) => name)).toEqual([
      't_seconds_bucket',
      't_seconds_sum',
      't_seconds_count',
    ]);
    expect(page.types.get('t_seconds')).toBe('histogram');
    expect(page.help.get('t_seconds')).toBe('How long\nit \\ takes.');
  });

  it.each([
    ['+Inf', Infinity],
    ['Inf', Infinity],
    ['-Inf', -Infinity],
    ['infinity', Infinity],
    ['NaN', Number.NaN],
    ['1e-05', 1e-5],
    ['+1.5E+3', 1500],
    ['.5', 0.5],
    ['5.', 5],
    ['-0', -0],
  ])('reads the value %s', (text, value) => {
    expect(only(`x ${text}`)?.value).toBe(value);
  });

  it.each([
    ['x{a="say \\"hi\\""} 1', 'say "hi"'],
    ['x{a="back\\\\slash"} 1', 'back\\slash'],
    ['x{a="two\\nlines"} 1', 'two\nlines'],
    ['x{a="} , = #"} 1', '} , = #'],
    ['x{a="é💥"} 1', 'é💥'],
    ['x{a=""} 1', ''],
    ['x { a = "spaced" , } 1', 'spaced'],
  ])('reads the label of %s', (line, value) => {
    expect(only(line)?.labels).toEqual({ a: value });
  });

  it('passes over comments, empty lines and an empty page', () => {
    expect(samplesOf('')).toEqual([]);
    expect(samplesOf('\n# a comment\n#\n  \n\tx 1\n')).toEqual([{ name: 'x', labels: {}, value: 1 }]);
    expect(samplesOf('x{} 1\n')).toEqual([{ name: 'x', labels: {}, value: 1 }]);
  });

  it.each([
    ['<html><body>Not found</body></html>\n', /line 1: the name of a metric was expected/],
    ['{"error": 1}\n', /the name of a metric/],
    ['x\n', /one value was expected/],
    ['x 1 2 3\n', /one value/],
    ['x one\n', /"one" is no number/],
    ['x 0x10\n', /"0x10" is no number/],
    ['x 1_000\n', /is no number/],
    ['x 1 soon\n', /"soon" is no timestamp/],
    ['x{a="1" 1\n', /labels cannot be read/],
    ['x{a=1} 1\n', /labels cannot be read/],
    ['x{1a="1"} 1\n', /labels cannot be read/],
    ['x{a="1",a="2"} 1\n', /label a is given twice/],
    ['x{a="\\t"} 1\n', /"\\t" is no escape/],
    ['x 1', /ends in the middle of a line/],
    ['ok 1\n# TYPE x meter\n', /line 2: "meter" is no type/],
    ['# TYPE x counter\n# TYPE x gauge\n', /type of x is given twice/],
  ])('rejects %j', (text, why) => {
    const thrown = thrownBy(() => parseExposition(text));
    expect(thrown).toBeInstanceOf(ExpositionError);
    expect((thrown as Error).message).toMatch(why);
  });

  it('shows only the beginning of a long line', () => {
    const thrown = thrownBy(() => parseExposition(`x ${'y'.repeat(10_000)}\n`)) as Error;
    expect(thrown.message.length).toBeLessThan(10_200);
    expect(thrown.message).toMatch(/…$/);
  });
});

const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((one) => one !== '__proto__');
const value = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, Number.NaN), fc.integer());
const sample: fc.Arbitrary<Sample> = fc
  .record(
    {
      name,
      labels: fc.dictionary(labelName, fc.string({ unit: 'binary' }), { maxKeys: 4 }),
      value,
      timestamp: fc.integer(),
    },
    { requiredKeys: ['name', 'labels', 'value'] },
  )
  .map(({ timestamp, ...rest }) => ({ ...rest, ...(timestamp !== undefined && { timestamp }) }));

function numberText(one: number): string {
  if (Number.isNaN(one)) return 'NaN';
  if (!Number.isFinite(one)) return one > 0 ? '+Inf' : '-Inf';
  return Object.is(one, -0) ? '-0' : String(one);
}

function lineOf({ name: metric, labels, value: one, timestamp }: Sample): string {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const list = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${metric}{${list.join(',')}} ${numberText(one)}${timestamp === undefined ? '' : ` ${timestamp}`}\n`;
}

describe('what was written', () => {
  it('is read again as it was, whatever the labels hold', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), (samples) => {
        const read = samplesOf(samples.map(lineOf).join(''));
        expect(read.map((one) => ({ ...one, labels: { ...one.labels } }))).toEqual(
          samples.map((one) => ({ ...one, labels: { ...one.labels } })),
        );
      }),
    );
  });

  it('is read or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const thrown = thrownBy(() => {
          parseExposition(text);
          throw new ExpositionError('read');
        });
        expect(thrown).toBeInstanceOf(ExpositionError);
      }),
    );
  });
});

describe('histogramsOf', () => {
  const series = (label: string, counts: readonly number[]): string =>
    [
      `t_bucket{w="${label}",le="0.1"} ${counts[0]}`,
      `t_bucket{w="${label}",le="1"} ${counts[1]}`,
      `t_bucket{w="${label}",le="+Inf"} ${counts[2]}`,
      `t_sum{w="${label}"} 2.5`,
      `t_count{w="${label}"} ${counts[2]}`,
      '',
    ].join('\n');

  it('puts the series together by their labels, whatever the order of the lines', () => {
    const page = parseExposition(`t_other 1\n${series('b', [1, 2, 3])}${series('a', [0, 0, 1])}`);
    expect(histogramsOf(page, 't')).toEqual([
      {
        labels: { w: 'b' },
        buckets: [
          { upTo: 0.1, count: 1 },
          { upTo: 1, count: 2 },
        ],
        count: 3,
        sum: 2.5,
      },
      {
        labels: { w: 'a' },
        buckets: [
          { upTo: 0.1, count: 0 },
          { upTo: 1, count: 0 },
        ],
        count: 1,
        sum: 2.5,
      },
    ]);
  });

  it.each([
    ['counts that fall', series('a', [3, 2, 4])],
    ['a total below its last bucket', series('a', [1, 2, 1])],
    ['no sum', 't_bucket{le="+Inf"} 1\nt_count 1\n'],
    ['a bucket without a bound', 't_bucket 1\nt_sum 1\nt_count 1\n'],
    ['a count that is no number', series('a', [0, 0, Number.NaN])],
  ])('refuses %s', (_, text) => {
    expect(thrownBy(() => histogramsOf(parseExposition(text), 't'))).toBeInstanceOf(ExpositionError);
  });
});

const recorded = hasRecordings
  ? readdirSync(path.join(sharedRoot, 'golden'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.txt'))
      .map((file) => `golden/${file}`)
      .sort()
  : [];

describe.runIf(hasRecordings)('every recorded page', () => {
  it('is there', () => expect(recorded.length).toBeGreaterThanOrEqual(7));

  it.each(recorded)('%s keeps every sample', (file) => {
    const text = sharedText(file);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const { samples, types } = parseExposition(text);
    expect(samples).toHaveLength(lines.length);
    for (const [family, type] of types)
      if (type === 'histogram')
        expect(histogramsOf({ samples, types, help: new Map() }, family).length).toBeGreaterThan(0);
  });
});

const prometheus = spawnSync('prometheus', ['--version']).status === 0;
if (!prometheus) console.warn('a real Prometheus as oracle: skipped, no "prometheus" on PATH');

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );

/** What a real Prometheus has of a page once it has scraped it: metric with labels → value. */
async function scrapedBy(page: string): Promise<Map<string, string>> {
  const directory = mkdtempSync(path.join(tmpdir(), 'prometheus-'));
  const target = createHttpServer((_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(page);
  });
  const targetPort = await listening(target);
  const reserved = createServer();
  const port = await listening(reserved);
  await new Promise((resolve) => reserved.close(resolve));
  const config = path.join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: page\n    honor_labels: true\n    static_configs: [{ targets: ["127.0.0.1:${targetPort}"] }]\n`,
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  try {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent('{job="page"}')}`;
    for (let attempt = 0; attempt < 60; attempt += 1) {
      await wait(500);
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok !== true) continue;
      const body = (await answer.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      const series = body.data.result.map(({ metric, value: [, text] }) => {
        const labels = Object.entries(metric).filter(
          ([label]) => !['__name__', 'job', 'instance'].includes(label),
        );
        return [keyOf(metric['__name__'] ?? '', Object.fromEntries(labels)), text] as const;
      });
      if (series.some(([key]) => key.startsWith('coderd'))) return new Map(series);
    }
    throw new Error('Prometheus did not scrape the page in 30 s');
  } finally {
    child.kill('SIGKILL');
    target.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Prometheus takes an empty label for none. */
const keyOf = (metric: string, labels: Readonly<Record<string, string>>): string =>
  `${metric}${JSON.stringify(
    Object.entries(labels)
      .filter(([, text]) => text !== '')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )}`;

const normalLabels = (labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  'le' in labels ? { ...labels, le: String(Number(labels.le.replace('+Inf', 'Infinity'))) } : labels;

describe.runIf(prometheus && hasRecordings)('a real Prometheus', () => {
  it.each(recorded.filter((file) => !file.includes('dashboard')))(
    'reads the same from %s',
    { timeout: 60_000 },
    async (file) => {
      const page = sharedText(file);
      const oracle = [...(await scrapedBy(page))].map(([key, text]) => [
        key.replace(/"le","([^"]+)"/, (_, le: string) => `"le","${Number(le.replace('+Inf', 'Infinity'))}"`),
        Number(text.replace('+Inf', 'Infinity')),
      ]);
      const known = new Map(oracle as [string, number][]);
      for (const { name: metric, labels, value: one } of samplesOf(page))
        expect(known.get(keyOf(metric, normalLabels(labels)))).toBe(one);
    },
  );
});

const promtool = spawnSync('promtool', ['--version']).status === 0;
describe.runIf(promtool && hasRecordings)('promtool', () => {
  it.each(recorded.filter((file) => existsSync(path.join(sharedRoot, file))))('takes %s as well', (file) => {
    // Lint remarks are exit code 3, what cannot be parsed is 1.
    const status = (() => {
      try {
        execFileSync('promtool', ['check', 'metrics'], { input: sharedText(file), stdio: 'pipe' });
        return 0;
      } catch (thrown) {
        return (thrown as { status: number }).status;
      }
    })();
    expect([0, 3]).toContain(status);
  });
});
