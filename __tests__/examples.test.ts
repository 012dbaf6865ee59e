import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../src/config/load.js';
import { parseInputs, type Inputs } from '../src/inputs.js';
import { makePlan } from '../src/plan/plan.js';
import type { Plan } from '../src/plan/plan-types.js';
import { planTime } from '../src/plan/time.js';
import { minutes } from '../src/units.js';

const ROOT = path.resolve(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, 'examples');
const CONFIG = 'scaletest-config.yaml';
/** Coder's default for each replica. */
const PROVISIONERS = 3;
/** For the checkout, the upload and what else a job does beside the gate. */
const REST_OF_JOB_MINUTES = 5;

const group = z.object({
  group: z.string(),
  'cancel-in-progress': z.boolean(),
  queue: z.string().optional(),
});
const workflow = z.object({
  concurrency: group.optional(),
  jobs: z.record(
    z.string(),
    z.object({
      'timeout-minutes': z.number(),
      concurrency: group.optional(),
      steps: z.array(
        z.object({ uses: z.string().optional(), with: z.record(z.string(), z.unknown()).optional() }),
      ),
    }),
  ),
});

interface GateJob {
  readonly name: string;
  readonly timeoutMinutes: number;
  readonly concurrency: z.infer<typeof group> | undefined;
  /** Of each gate step, as the action reads them, and whether it says its own ceiling. */
  readonly steps: readonly { readonly inputs: Inputs; readonly hasCeiling: boolean }[];
}

/** Every job of the example workflows that uses the gate. */
const gateJobs = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yml'))
  .flatMap((file): GateJob[] => {
    const { jobs, concurrency } = workflow.parse(parse(readFileSync(path.join(FOLDER, file), 'utf8')));
    return Object.entries(jobs).flatMap(([id, job]) => {
      const steps = job.steps
        .filter(({ uses }) => uses?.includes('coder-scaletest-gate'))
        .map(({ with: inputs = {} }) => ({
          inputs: readInputs(inputs),
          hasCeiling: 'max-duration' in inputs,
        }));
      if (steps.length === 0) return [];
      const group = job.concurrency ?? concurrency;
      return [
        { name: `${file}, job ${id}`, timeoutMinutes: job['timeout-minutes'], concurrency: group, steps },
      ];
    });
  });
const loadJobs = gateJobs.filter(({ steps }) => steps.some(({ inputs }) => inputs.mode === 'gate'));
const gateSteps = gateJobs.flatMap(({ name, steps }) =>
  steps.map(({ inputs }, index) => ({ name: `${name}, step ${index + 1}`, inputs })),
);

function readInputs(inputs: Readonly<Record<string, unknown>>): Inputs {
  const expressions: Record<string, string> = { 'coder-url': 'https://coder.example.com' };
  return parseInputs(
    Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [
        `INPUT_${name.toUpperCase()}`,
        expressions[name] ?? String(value),
      ]),
    ),
  );
}

function planOf(
  text: string,
  inputs: Pick<Inputs, 'profile' | 'tests' | 'maxDuration' | 'maxWorkspaces'>,
): Plan {
  return makePlan(loadConfig(CONFIG, text, inputs.profile), {
    tests: inputs.tests,
    maxDuration: inputs.maxDuration,
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
    ...(inputs.maxWorkspaces !== undefined && { maxWorkspaces: inputs.maxWorkspaces }),
  });
}

const examplePlan = (inputs: Inputs): Plan =>
  planOf(readFileSync(path.join(FOLDER, inputs.configPath ?? CONFIG), 'utf8'), inputs);

describe('the examples', () => {
  it('are there', () => {
    expect(gateSteps.length).toBeGreaterThanOrEqual(7);
    expect(loadJobs.length).toBeGreaterThanOrEqual(4);
  });

  it.each(gateSteps)('$name can be planned with the example config', ({ inputs }) => {
    if (inputs.mode === 'cleanup') return;
    const plan = examplePlan(inputs);
    expect(plan.effects.workspaces).toBeGreaterThan(0);
    expect(plan.criteria.every((criterion) => criterion.disabled === undefined)).toBe(true);
  });

  it.each(loadJobs)('$name is not killed in its clean-up', ({ steps, timeoutMinutes }) => {
    for (const { inputs, hasCeiling } of steps) {
      expect(hasCeiling).toBe(true);
      expect(planTime(examplePlan(inputs).phases, PROVISIONERS).total).toBeLessThanOrEqual(
        inputs.maxDuration,
      );
    }
    const ceilings = steps.reduce((sum, { inputs }) => sum + inputs.maxDuration, 0);
    expect(ceilings / 60 + REST_OF_JOB_MINUTES).toBeLessThanOrEqual(timeoutMinutes);
  });

  it.each(loadJobs)('$name waits its turn, and cancels no other that waits', ({ concurrency }) => {
    expect(concurrency).toMatchObject({ 'cancel-in-progress': false, queue: 'max' });
    expect(concurrency?.group).toMatch(/^scaletest-\$\{\{ vars\.(STAGING_)?CODER_URL \}\}$/);
  });
});

describe('the config file that the README shows', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const [text = ''] = [...readme.matchAll(/^```yaml\n([^]*?)^```/gm)]
    .map(([, block]) => block)
    .filter((block) => block?.startsWith('create_workspaces:'));
  const { profiles } = z
    .object({ profiles: z.record(z.string(), z.unknown()).default({}) })
    .parse(parse(text) ?? {});
  const names = Object.keys(profiles);

  it('has a profile', () => {
    expect(names).not.toEqual([]);
  });

  it.each([undefined, ...names, 'smoke'])('can be planned with profile %s', (profile) => {
    const plan = planOf(text, {
      tests: 'all',
      maxDuration: minutes(300),
      ...(profile !== undefined && { profile }),
    });
    expect(plan.suites).toEqual(['create-workspaces', 'dashboard', 'workspace-traffic']);
  });
});
