import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../src/config/load.js';
import { parseInputs } from '../src/inputs.js';
import { makePlan } from '../src/plan/plan.js';

const FOLDER = path.resolve(import.meta.dirname, '../examples');
const CONFIG = 'scaletest-config.yaml';
const workflow = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      steps: z.array(
        z.object({ uses: z.string().optional(), with: z.record(z.string(), z.unknown()).optional() }),
      ),
    }),
  ),
});

/** The inputs of every gate step in the example workflows. */
const gateSteps = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yml'))
  .flatMap((file) => {
    const { jobs } = workflow.parse(parse(readFileSync(path.join(FOLDER, file), 'utf8')));
    return Object.values(jobs)
      .flatMap(({ steps }) => steps)
      .filter(({ uses }) => uses?.includes('coder-scaletest-gate'))
      .map((step, index) => ({ name: `${file}, step ${index + 1}`, inputs: step.with ?? {} }));
  });

describe('the examples', () => {
  it('are there', () => {
    expect(gateSteps.length).toBeGreaterThanOrEqual(5);
  });

  it.each(gateSteps)('$name can be planned with the example config', ({ inputs }) => {
    const secrets: Record<string, string> = {
      'coder-url': 'https://coder.example.com',
      'coder-session-token': 'aBcD123456-aBcDeFgHiJkLmNoPqRsTuV',
    };
    const values = Object.entries(inputs).map(([name, value]) => [name, secrets[name] ?? String(value)]);
    const parsed = parseInputs(
      Object.fromEntries(values.map(([name, value]) => [`INPUT_${name?.toUpperCase()}`, value])),
    );
    if (parsed.mode === 'cleanup') return;
    const text = readFileSync(path.join(FOLDER, parsed.configPath ?? CONFIG), 'utf8');
    const plan = makePlan(loadConfig(CONFIG, text, parsed.profile), {
      tests: parsed.tests,
      maxDuration: parsed.maxDuration,
      cleanupInMain: true,
      rawDirectory: '/tmp/raw',
      ...(parsed.maxWorkspaces !== undefined && { maxWorkspaces: parsed.maxWorkspaces }),
    });
    expect(plan.effects.workspaces).toBeGreaterThan(0);
    expect(plan.criteria.every((criterion) => criterion.disabled === undefined)).toBe(true);
  });
});
