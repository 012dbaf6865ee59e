import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fstatSync } from 'node:fs';
import { isAtLeast } from '../versions.js';
import type { ApiClient } from './api-client.js';
import { asList, type Json, text } from './answers.js';
import { GoError } from './go-errors.js';
import type { Values } from './parse.js';

export interface ParameterValue {
  name: string;
  value: string;
}

const SELECT_PROMPT = '\u001b[1A\u001b[?25l\u001b[?2004h';

/** Reads the lines of the YAML file that `--rich-parameter-file` takes: `name: value`. */
function fileParameters(path: string): ParameterValue[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^([\w.-]+):\s*(.*?)\s*$/.exec(line);
      return match === null
        ? []
        : [{ name: match[1] ?? '', value: (match[2] ?? '').replace(/^(['"])(.*)\1$/, '$2') }];
    });
}

export function givenParameters(values: Values): ParameterValue[] {
  const path = values.text('rich-parameter-file');
  const fromFile = path === '' ? [] : fileParameters(path);
  const fromFlags = values.list('parameter').map((pair) => {
    const [name = '', ...rest] = pair.split('=');
    if (rest.length === 0) throw new GoError(`unable to parse build parameters: invalid key-value: ${pair}`);
    return { name, value: rest.join('=') };
  });
  return [...fromFlags, ...fromFile.filter((one) => !fromFlags.some(({ name }) => name === one.name))];
}

function never(): Promise<never> {
  return new Promise(() => {
    // Something must keep the process alive: a prompt on an open pipe waits for ever.
    setInterval(() => undefined, 60_000);
  });
}

/** A pipe or socket can be polled; /dev/null and plain files cannot. */
function stdinCanBePolled(): boolean {
  const stat = fstatSync(0);
  return stat.isFIFO() || stat.isSocket();
}

/** The selection prompt; no answer is ever read from a pipe. */
async function askForOption(parameter: Json, version: string): Promise<string> {
  process.stdout.write(`${text(parameter, 'display_name') || text(parameter, 'name')}\n`);
  if (!isAtLeast(version, 'v2.16.0')) throw new GoError('EOF');
  process.stdout.write(SELECT_PROMPT);
  if (!stdinCanBePolled()) {
    throw new GoError('error creating cancelreader: add reader to epoll interest list');
  }
  return never();
}

let lines: Interface | null = null;

function nextLine(): Promise<string> {
  lines ??= createInterface({ input: process.stdin });
  const reader = lines;
  return new Promise((resolve, reject) => {
    reader.once('line', resolve);
    reader.once('close', () => reject(new GoError('EOF')));
  });
}

async function askForText(parameter: Json): Promise<string> {
  const fallback = text(parameter, 'default_value');
  const hint = fallback === '' ? '' : ` (default: ${JSON.stringify(fallback)})`;
  process.stdout.write(
    `${text(parameter, 'display_name') || text(parameter, 'name')}\n> Enter a value${hint}: `,
  );
  const line = await nextLine();
  return line === '' ? fallback : line;
}

/** The values for all parameters of the template: every one that was not given is asked for, defaults or not. */
export async function resolveParameters(
  client: ApiClient,
  version: string,
  templateVersionId: string,
  given: ParameterValue[],
): Promise<ParameterValue[]> {
  const parameters = asList(
    await client.get(`/api/v2/templateversions/${templateVersionId}/rich-parameters`),
  );
  await client.get(`/api/v2/templateversions/${templateVersionId}/external-auth`);
  for (const { name } of given) {
    if (!parameters.some((parameter) => text(parameter, 'name') === name)) {
      throw new GoError(`parameter "${name}" is not present in the template.`);
    }
  }
  const values = [...given];
  for (const parameter of parameters) {
    const name = text(parameter, 'name');
    if (parameter.ephemeral === true || given.some((one) => one.name === name)) continue;
    const options = asList(parameter.options);
    const value = options.length > 0 ? await askForOption(parameter, version) : await askForText(parameter);
    values.push({ name, value });
  }
  lines?.close();
  return values;
}
