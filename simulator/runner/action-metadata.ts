import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const inputSchema = z
  .looseObject({ default: z.union([z.string(), z.number(), z.boolean()]).optional() })
  .nullable();
const metadataSchema = z.looseObject({
  inputs: z.record(z.string(), inputSchema).optional(),
  runs: z.looseObject({
    using: z.enum(['node20', 'node24']),
    main: z.string(),
    post: z.string().optional(),
    'post-if': z.string().optional(),
  }),
});

export interface ActionMetadata {
  /** Each input that action.yml declares, with its default as it is written there. */
  inputDefaults: Record<string, string>;
  main: string;
  post?: string;
  postIf: string;
}

export function readActionMetadata(actionDirectory: string): ActionMetadata {
  const file = ['action.yml', 'action.yaml']
    .map((name) => join(actionDirectory, name))
    .find((path) => existsSync(path));
  if (file === undefined) {
    throw new Error(`Can't find 'action.yml' or 'action.yaml' under '${actionDirectory}'.`);
  }
  const { inputs = {}, runs } = metadataSchema.parse(parse(readFileSync(file, 'utf8')));
  const inputDefaults = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, String(input?.default ?? '')]),
  );
  return {
    inputDefaults,
    main: join(actionDirectory, runs.main),
    ...(runs.post !== undefined && { post: join(actionDirectory, runs.post) }),
    postIf: runs['post-if'] ?? 'always()',
  };
}

/** `${{ github.x }}` and `${{ runner.x }}` are looked up; the token and every other expression are empty. */
export function resolveDefault(text: string, environment: Record<string, string>): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_whole, expression: string) => {
    const match = /^(github|runner)\.([a-z_]+)$/.exec(expression);
    return match ? (environment[`${match[1] ?? ''}_${match[2] ?? ''}`.toUpperCase()] ?? '') : '';
  });
}

export const inputVariable = (name: string): string => `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
