import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guideFiles, scaleTestReport } from '../../src/report/guide-files.js';
import type { RunReport } from '../../src/report/run-report.js';
import { ratioMetric, samplesMetric } from '../support/metrics.js';
import { reportOf, without } from '../support/reports.js';
import { summarizeLoad } from '../../src/measure/load-summary.js';
import { loadResultOf, seriesOf, upTo } from '../support/loads.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

const hasJq = spawnSync('jq', ['--version']).status === 0;
if (!hasJq) console.warn('the guide’s jq lines: skipped, jq is not installed');
explainSkip('the guide’s jq lines');

const namesOf = (report: RunReport): string[] => guideFiles(report).map(({ name }) => name);
const contentOf = (report: RunReport, name: string): unknown =>
  guideFiles(report).find((file) => file.name === name)?.content;
const POD_P95 = 66.5;

describe('the files of the groups', () => {
  it('have the guide’s names of all phases', () => {
    expect(namesOf(reportOf()).sort()).toEqual(
      [
        'pod-workspaces.json',
        'ec2-workspaces.json',
        'pod-scale-results.json',
        'ec2-scale-results.json',
      ].sort(),
    );
  });

  it('have the guide’s keys, in the guide’s units', () => {
    const content = contentOf(reportOf(), 'pod-workspaces.json');
    expect(content).toMatchObject({
      success_rate: 1,
      provisioning: { p95_seconds: expect.closeTo(POD_P95, 9) as number },
      provisioning_time_p95_ms: 66_500,
    });
    expect(contentOf(reportOf(), 'pod-scale-results.json')).toEqual(content);
  });

  it('never round the P95 down below a limit that it breaches', () => {
    const metrics = without(
      'pod_workspaces.provisioning',
      samplesMetric(
        Array.from({ length: 100 }, () => 120.0001),
        0,
        'create_workspaces.pod_workspaces.provisioning',
      ),
    );
    expect(contentOf(reportOf({ metrics }), 'pod-workspaces.json')).toMatchObject({
      provisioning_time_p95_ms: 120_001,
    });
  });

  it.each([
    ['were not measured', without('pod_workspaces.provisioning')],
    [
      'could not be measured',
      without('pod_workspaces.provisioning', {
        name: 'create_workspaces.pod_workspaces.provisioning',
        shape: 'missing',
        reason: 'x',
      }),
    ],
    [
      'never ended',
      without(
        'pod_workspaces.provisioning',
        samplesMetric([1, 2], 98, 'create_workspaces.pod_workspaces.provisioning'),
      ),
    ],
    [
      'have no samples',
      without(
        'pod_workspaces.provisioning',
        samplesMetric([], 0, 'create_workspaces.pod_workspaces.provisioning'),
      ),
    ],
    ['have no success rate', without('pod_workspaces.success_rate')],
    [
      'were not tried',
      without(
        'pod_workspaces.success_rate',
        ratioMetric(0, 0, 'create_workspaces.pod_workspaces.success_rate'),
      ),
    ],
  ])('are not written for workspaces that %s, because "// 0" would pass them', (_, metrics) => {
    const report = reportOf({ metrics });
    expect(namesOf(report)).toEqual(['ec2-workspaces.json', 'ec2-scale-results.json']);
    expect(JSON.stringify(scaleTestReport(report).content)).not.toContain('"pod_workspaces"');
  });

  it('hold no value that is not a number', () => {
    const metrics = without(
      'pod_workspaces.provisioning',
      samplesMetric(
        Array.from({ length: 97 }, () => 1),
        3,
        'create_workspaces.pod_workspaces.provisioning',
      ),
    );
    const text = JSON.stringify(contentOf(reportOf({ metrics }), 'pod-workspaces.json'));
    expect(text).not.toContain('null');
    expect(text).not.toContain('p99');
  });
});

describe('scale-test-report.json', () => {
  it('has the guide’s keys', () => {
    expect(scaleTestReport(reportOf())).toMatchObject({
      name: 'scale-test-report.json',
      content: {
        test_date: '2026-01-05T06:00:00Z',
        environment: 'https://coder.example.com',
        results: {
          workspace_creation: {
            success_rate: 1,
            provisioning: { p95_seconds: expect.closeTo(POD_P95, 9) as number },
          },
        },
        pass: true,
      },
    });
  });

  it('has no key for suites that were not run', () => {
    const { content } = scaleTestReport(reportOf()) as { content: { results: object } };
    expect(Object.keys(content.results)).toEqual(['workspace_creation']);
    const nothing = scaleTestReport(reportOf({ metrics: [] })) as {
      content: { results: object; pass: boolean };
    };
    expect(nothing.content).toMatchObject({ results: {}, pass: false });
  });

  it.each([
    [
      'a fail',
      {
        metrics: without(
          'pod_workspaces.provisioning',
          samplesMetric(
            Array.from({ length: 100 }, () => 500),
            0,
            'create_workspaces.pod_workspaces.provisioning',
          ),
        ),
      },
    ],
    ['an error', { metrics: [] }],
    ['a problem of the run', { problems: ['a group did not run'] }],
    ['evidence only', { evidenceOnly: true }],
    ['nothing to judge', { criteria: [] }],
  ])('passes only a pass, not %s', (_, changes) => {
    expect(scaleTestReport(reportOf(changes)).content).toMatchObject({ pass: false });
  });
});

describe.runIf(hasRecordings && hasJq)('the guide’s jq lines', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'guide-'));
    const report = reportOf({ load: summarizeLoad(loadResultOf([seriesOf('templates', upTo(400))])) });
    for (const { name, content } of [...guideFiles(report), scaleTestReport(report)])
      await writeFile(path.join(directory, name), JSON.stringify(content));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const run = async (script: string): Promise<string> =>
    (
      await promisify(execFile)('bash', ['-eu', '-c', script], { cwd: directory, timeout: 5000 })
    ).stdout.trim();

  /** Of phase 4 and of the workflow: `jq … file`, with the file's name as the guide finds it. */
  const lines = hasRecordings
    ? [...sharedText('seed/scaling-guide.md').matchAll(/jq (?:-r )?'[^']+' \S+?\.json/g)].map(([line]) =>
        line.replace(/"\$\{RESULTS_DIR\}\//, ''),
      )
    : [];

  it('are there, of both groups’ kind', () => {
    expect(lines.length).toBeGreaterThanOrEqual(6);
  });

  it('each give a number', async () => {
    for (const line of lines) {
      const text = await run(line);
      const numbers = text.startsWith('{')
        ? Object.values(JSON.parse(text) as Record<string, unknown>)
        : [text];
      for (const number of numbers) expect(Number(number), line).toBeGreaterThan(0);
    }
  });

  it('work in the guide’s own arithmetic of a workflow', async () => {
    const script = `POD_P95=$(jq -r '.provisioning_time_p95_ms // 0' "pod-workspaces.json")
      if [ "$POD_P95" -gt 120000 ]; then echo FAIL; else echo "PASS $POD_P95"; fi`;
    expect(await run(script)).toBe('PASS 66500');
  });

  it('read every file that is written, as JSON', async () => {
    for (const name of await readdir(directory)) expect(await run(`jq -e type ${name}`)).toBe('"object"');
  });
});
