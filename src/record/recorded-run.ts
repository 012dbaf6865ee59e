import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import type { Metric } from '../measure/metric.js';
import type { Plan } from '../plan/plan-types.js';
import type { Readiness } from '../ready/readiness.js';
import { checkChecksums, SUMS_FILE } from './checksums.js';
import { metricsSchema } from './metric-schema.js';
import { planSchema } from './plan-schema.js';
import { RUN_FILE, type RunAccount } from './run-account.js';
import { readinessSchema, runSchema } from './run-schema.js';

/** What a run is judged and reported by. */
export interface RecordedRun {
  readonly plan: Plan;
  readonly readiness: Readiness;
  readonly metrics: readonly Metric[];
  readonly account: RunAccount;
  /** The files that these were read from, as they are. */
  readonly files: Readonly<Record<RecordFile, string>>;
}

const RECORD_FILES = ['plan.json', 'readiness.json', 'metrics.json', RUN_FILE] as const;
export type RecordFile = (typeof RECORD_FILES)[number];

const MOST_NAMED = 5;

/** A directory that cannot be judged; the sentence says why. */
export class UnusableRecord extends Error {}

/**
 * Reads a run back from its results directory.
 * @param shown how the user names the directory.
 * @throws UnusableRecord when it is none, or not as the run left it.
 */
export async function readRecordedRun(directory: string, shown: string): Promise<RecordedRun> {
  const sums = await checkChecksums(directory);
  if (sums === undefined)
    throw new UnusableRecord(
      `"${shown}" (input "from") is no results directory of a gate or run that came to its end, since it has no ${SUMS_FILE}; give the folder that holds ${RUN_FILE}, as it was written or downloaded`,
    );
  const unlisted = RECORD_FILES.filter((name) => !sums.listed.has(name));
  const damage = [...sums.damage, ...unlisted.map((name) => `${SUMS_FILE} does not list ${name}`)];
  if (damage.length > 0) {
    const more = damage.length > MOST_NAMED ? `, and ${damage.length - MOST_NAMED} more` : '';
    throw new UnusableRecord(
      `the results in "${shown}" (input "from") are not as the run left them: ${damage.slice(0, MOST_NAMED).join(', ')}${more}; download them again`,
    );
  }
  const read = (name: RecordFile): Promise<string> => readFile(path.join(directory, name), 'utf8');
  const files = {
    'plan.json': await read('plan.json'),
    'readiness.json': await read('readiness.json'),
    'metrics.json': await read('metrics.json'),
    [RUN_FILE]: await read(RUN_FILE),
  };
  return {
    plan: parseRecord(files, 'plan.json', planSchema),
    readiness: parseRecord(files, 'readiness.json', readinessSchema),
    metrics: parseRecord(files, 'metrics.json', metricsSchema).metrics,
    account: parseRecord(files, RUN_FILE, runSchema),
    files,
  };
}

function parseRecord<T>(files: RecordedRun['files'], name: RecordFile, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(files[name]));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : ` (${[...issue.path.map(String), issue.message].join(': ')})`;
  throw new UnusableRecord(
    `${name} is not of the form that this version of the action writes${where}; judge with the version that made it`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
