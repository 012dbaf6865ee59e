import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as prettier from 'prettier';
import { parse } from 'yaml';
import { z } from 'zod';

/*
 * Writes the tables of inputs and outputs in README.md from action.yml, between markers:
 *   <!-- inputs:start --> … <!-- inputs:end -->   <!-- outputs:start --> … <!-- outputs:end -->
 * `tsx scripts/generate-docs.ts` rewrites, `--check` only compares. Both use the files of the working directory.
 */

const described = z.looseObject({ description: z.string().default('') });
const actionSchema = z.looseObject({
  inputs: z
    .record(
      z.string(),
      described.extend({
        default: z.union([z.string(), z.number(), z.boolean()]).optional(),
        required: z.boolean().default(false),
        deprecationMessage: z.string().optional(),
      }),
    )
    .default({}),
  outputs: z.record(z.string(), described).default({}),
});

type Action = z.infer<typeof actionSchema>;

/** The README with the tables of this action.yml; throws when a marker is missing. */
export async function withTables(readme: string, actionYaml: string): Promise<string> {
  const action = actionSchema.parse(parse(actionYaml));
  const withInputs = replaceBetween(readme, 'inputs', await formatted(inputTable(action)));
  return replaceBetween(withInputs, 'outputs', await formatted(outputTable(action)));
}

function inputTable({ inputs }: Action): string[][] {
  const rows = Object.entries(inputs).map(([name, input]) => {
    const deprecated =
      input.deprecationMessage === undefined ? '' : ` **Deprecated:** ${input.deprecationMessage}`;
    return [code(name), defaultOf(input.default, input.required), cell(input.description + deprecated)];
  });
  return [['Input', 'Default', 'Meaning'], ...rows];
}

const outputTable = ({ outputs }: Action): string[][] => [
  ['Output', 'Meaning'],
  ...Object.entries(outputs).map(([name, { description }]) => [code(name), cell(description)]),
];

function defaultOf(value: string | number | boolean | undefined, required: boolean): string {
  if (value === undefined || value === '') return required ? '(required)' : '';
  return code(String(value));
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

/** One line; pipes would end the cell, and `<…>` outside code would vanish as HTML. */
const cell = (text: string): string =>
  text
    .trim()
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<')))
    .join('');

/** Through prettier, so that the generated part passes the same format check as the rest of the file. */
async function formatted([header = [], ...rows]: string[][]): Promise<string> {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
  const config = await prettier.resolveConfig(resolve(import.meta.dirname, '../README.md'));
  return prettier.format(table, { ...config, parser: 'markdown' });
}

function replaceBetween(readme: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = readme.indexOf(start);
  const to = readme.indexOf(end, from);
  for (const [marker, at] of [[start, from] as const, [end, to] as const]) {
    if (at < 0)
      throw new Error(`README.md has no marker "${marker}" where it belongs, so its tables cannot be kept.`);
  }
  return `${readme.slice(0, from + start.length)}\n\n${table}\n${readme.slice(to)}`;
}

function readRequired(name: string): string {
  if (!existsSync(name)) throw new Error(`There is no ${name} in ${process.cwd()}.`);
  return readFileSync(name, 'utf8');
}

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((argument) => argument !== '--check');
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown.join(' ')}; the only one is --check.`);
  const [actionYaml, readme] = [readRequired('action.yml'), readRequired('README.md')];
  const wanted = await withTables(readme, actionYaml);
  if (wanted === readme) return 0;
  if (args.includes('--check')) {
    console.error(
      'README.md does not match action.yml. Run `npx tsx scripts/generate-docs.ts` and commit the result.',
    );
    return 1;
  }
  writeFileSync('README.md', wanted);
  console.log('README.md: tables of inputs and outputs rewritten.');
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
