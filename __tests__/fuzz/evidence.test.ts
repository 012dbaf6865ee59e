import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpositionError, parseExposition } from '../../src/measure/exposition.js';
import { describeBrowserPage } from '../../src/measure/browser-page.js';
import { ResultFileError } from '../../src/measure/result-file-error.js';
import { readResultFile } from '../../src/measure/result-file.js';
import { suiteMetrics } from '../../src/measure/suite-metrics.js';
import { describeSuitePage } from '../../src/measure/suite-page.js';
import { describeTrafficPage } from '../../src/measure/traffic-page.js';
import { workspaceMetrics } from '../../src/measure/workspace-metrics.js';
import { readerOf, resultDocument } from '../support/result-documents.js';
import { hasRecordings, sharedRoot } from '../support/shared.js';
import { cases, damaged, LONGEST_MS } from './cases.js';

const TIMES = '"started_at":"2026-01-05T06:00:00Z","duration":"4s","duration_ms":4000';
const RESULT = `{"total_runs":3,"total_pass":2,"total_fail":1,"elapsed":"9s","elapsed_ms":9000,"runs":{${[
  `"w/0":{"full_id":"w/0","logs":"a \\"b\\" \\\\",${TIMES},"error":"<nil>"}`,
  `"w/1":{"full_id":"w/1","logs":"",${TIMES},"error":"broken","metrics":{"bytes_read":1,"bytes_written":2}}`,
  `"w/2":{"full_id":"w/2","logs":"c",${TIMES},"error":null,"metrics":{"wait_seconds":1.5,"by":{"x":"5ms"}}}`,
].join(',')}}}`;
const HURTFUL_JSON = [
  ...[
    '"',
    '\\',
    '\\"',
    '\\\\"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    '-1',
    '1e999',
    '-0',
    '01',
    'NaN',
    '0.1',
  ],
  ...[
    '"logs":"',
    '","started_at":"',
    '"runs":{',
    '"error":"<nil>"',
    '"total_fail":0',
    '\u0000',
    '\n',
    '\ud800',
  ],
];

describe('any result file', { timeout: LONGEST_MS }, () => {
  it('like a good one is read as JSON.parse reads it or refused; what only logs hold may be no JSON', async () => {
    await fc.assert(
      fc.asyncProperty(damaged([RESULT], HURTFUL_JSON), fc.constantFrom(1, 7, 4096), async (text, size) => {
        const bytes = Buffer.from(text);
        const file = await readResultFile(readerOf(bytes, size)).catch((thrown: unknown) => {
          expect(thrown).toBeInstanceOf(ResultFileError);
          return undefined;
        });
        if (file === undefined) return;
        // Without its logs it has to be JSON, and the runs that passed have to be those that it says.
        let kept = '';
        let place = 0;
        for (const { logs } of file.runs) {
          if (logs === undefined) continue;
          kept += bytes.toString('utf8', place, logs.start);
          place = logs.end;
        }
        const document = JSON.parse(kept + bytes.toString('utf8', place)) as {
          runs: Record<string, { error?: unknown }>;
        };
        const passed = [...file.runs].filter(({ error }) => error === undefined).map(({ id }) => id);
        for (const id of passed) expect([undefined, null, '<nil>']).toContain(document.runs[id]?.error);
      }),
      cases(800),
    );
  });

  it('that is read is measured without a crash, and nothing measured is not a number', async () => {
    const files = fc.oneof(
      resultDocument.map((one) => JSON.stringify(one)),
      damaged([RESULT], HURTFUL_JSON),
    );
    await fc.assert(
      fc.asyncProperty(files, fc.nat(8), async (text, planned) => {
        const file = await readResultFile(readerOf(Buffer.from(text), 4096)).catch(() => undefined);
        if (file === undefined) return;
        const { runs } = file;
        const metrics = [
          ...suiteMetrics({ suite: 's', planned, runs, evidence: '', notMeasured: [] }),
          ...workspaceMetrics([{ group: 'g', template: 't', planned, driver: 'cli', runs, evidence: '' }], {
            unusable: 'not asked',
          }),
        ];
        for (const metric of metrics) {
          if (metric.shape !== 'samples') continue;
          expect(metric.samples.filter((sample) => !Number.isFinite(sample) || sample < 0)).toEqual([]);
          if (metric.name.startsWith('create_workspaces'))
            expect(metric.samples.length + metric.failed).toBe(planned);
        }
      }),
      cases(400),
    );
  });
});

const PAGE = `# HELP coderd_api_requests_processed_total The total
# TYPE coderd_api_requests_processed_total counter
coderd_api_requests_processed_total{code="200",method="GET",path="/api/v2/users"} 12
# TYPE coderd_api_request_latencies_seconds histogram
coderd_api_request_latencies_seconds_bucket{method="GET",path="/a",le="0.1"} 1
coderd_api_request_latencies_seconds_bucket{method="GET",path="/a",le="+Inf"} 3
coderd_api_request_latencies_seconds_sum{method="GET",path="/a"} 1.5
coderd_api_request_latencies_seconds_count{method="GET",path="/a"} 3
process_start_time_seconds 1.7e+09
`;
const HURTFUL_PAGE = [
  ...[
    'NaN',
    '+Inf',
    '-Inf',
    '-1',
    '1e999',
    '0x1p4',
    '1_000',
    '{',
    '}',
    '"',
    '\\',
    '\\n',
    'le="',
    ',',
    '=',
    ' ',
  ],
  ...['\n', '\r\n', '# TYPE ', 'histogram', '_bucket', '\u0000', '\ud800', '99999999999999999999', '# EOF'],
];
const recordedPages = (): string[] =>
  hasRecordings
    ? ['v2.36.0/cli/workspace-traffic.metrics-end.txt'].map((name) =>
        readFileSync(path.join(sharedRoot, 'golden', name), 'utf8').slice(0, 20_000),
      )
    : [];

it('any metrics page is read or refused, and no reader of one crashes', { timeout: LONGEST_MS }, () => {
  fc.assert(
    fc.property(damaged([PAGE, ...recordedPages()], HURTFUL_PAGE), (text) => {
      try {
        parseExposition(text);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ExpositionError);
      }
      for (const describePage of [describeTrafficPage, describeBrowserPage, describeSuitePage])
        describePage(text);
    }),
    cases(500),
  );
});
