import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LONGEST_SCENARIO_MS } from './support.js';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/** A way in which a gate stops being one: one place of the committed bundle is replaced. */
interface Break {
  readonly what: string;
  readonly place: string;
  readonly by: string;
  /** The fail-open tests that have to notice. */
  readonly noticed: readonly string[];
}

const BREAKS: readonly Break[] = [
  {
    what: 'whose verdict is always "pass"',
    place: 'function decide(results, problems, cancelled) {',
    by: `function decide(results, problems, cancelled) {
      return { schema: 1, verdict: 'pass', reason: 'broken', results, failedCriteria: [], inconclusiveCriteria: [] };`,
    noticed: ['F5', 'F15'],
  },
  {
    what: 'whose verdict does not reach the exit code',
    place: 'if (!isGreen)',
    by: 'if (false)',
    noticed: ['F15'],
  },
  {
    what: 'that leaves out what was not measured',
    place: "{ verdict: 'error', sentence: metric.reason }",
    by: "{ verdict: 'skipped', sentence: metric.reason }",
    noticed: ['F5'],
  },
];

/** A copy of the committed action with one place of its bundle replaced. */
function brokenAction(folder: string, { place, by }: Break): string {
  for (const name of ['action.yml', 'package.json', 'dist'])
    cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
  const bundle = path.join(folder, 'dist/index.js');
  const parts = readFileSync(bundle, 'utf8').split(place);
  expect(parts, `"${place}" has to be in the bundle once`).toHaveLength(2);
  writeFileSync(bundle, parts.join(by));
  return folder;
}

const vitestReport = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ title: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

interface TestResult {
  readonly title: string;
  readonly status: string;
  readonly message: string;
}

/** Runs rows of the fail-open suite against another action, in a process of their own. */
async function runRows(action: string, rows: readonly string[]): Promise<readonly TestResult[]> {
  const report = path.join(action, 'report.json');
  const vitest = path.join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const args = ['run', '__tests__/e2e/fail-open.test.ts', '-t', ` (${rows.join('|')}): `];
  await new Promise<void>((resolve) => {
    execFile(
      process.execPath,
      [vitest, ...args, '--reporter=json', `--outputFile=${report}`],
      { cwd: REPOSITORY, env: { ...process.env, ACTION_UNDER_TEST: action }, timeout: LONGEST_SCENARIO_MS },
      // It ends with 1 because tests fail, as they should; which ones is in the report.
      () => resolve(),
    );
  });
  const { testResults } = vitestReport.parse(JSON.parse(readFileSync(report, 'utf8')));
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ title, status, failureMessages }) => ({ title, status, message: failureMessages.join('\n') }));
}

describe.concurrent('the fail-open suite', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(BREAKS.map((one) => [one.what, one] as const))('F14: notices a gate %s', async (_, broken) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'broken-gate-'));
    try {
      const results = await runRows(brokenAction(folder, broken), broken.noticed);
      expect(results.map(({ title }) => title.split(':')[0]).sort()).toEqual([...broken.noticed].sort());
      for (const { title, status, message } of results) {
        expect(status, title).toBe('failed');
        expect(message).toContain('the gate is green');
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
