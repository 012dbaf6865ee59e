import { isAtLeast } from '../versions.js';
import { CliFailure } from './exit.js';
import type { Flag } from './flags.js';
import { parseGoDuration } from './go-format.js';

/** Values by flag name: text, or a list. */
export class Values {
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, string[]>();
  readonly given = new Set<string>();

  set(name: string, text: string): void {
    this.#texts.set(name, text);
  }

  append(name: string, items: string[]): void {
    this.#lists.set(name, [...(this.#lists.get(name) ?? []), ...items]);
  }

  text(name: string): string {
    return this.#texts.get(name) ?? '';
  }

  list(name: string): string[] {
    return this.#lists.get(name) ?? [];
  }

  number(name: string): number {
    return Number(this.text(name) || '0');
  }

  flag(name: string): boolean {
    return TRUE_TEXTS.includes(this.text(name));
  }

  /** Milliseconds. */
  duration(name: string): number {
    return parseGoDuration(this.text(name) || '0', true) ?? 0;
  }
}

const TRUE_TEXTS = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE_TEXTS = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** One CSV record, as Go's encoding/csv reads it: quotes keep commas. */
export function csvRecord(text: string): string[] {
  const cells = text.match(/("(?:[^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  const values = cells
    .map((cell) => cell.replace(/,$/, ''))
    .map((cell) => {
      return /^".*"$/s.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell;
    });
  // The expression also matches the empty rest at the end.
  return text.endsWith(',') ? values : values.slice(0, -1);
}

/** Why a text is no value of the flag, in the parser's words; null when it is. */
function valueProblem(flag: Flag, text: string, version: string): string | null {
  switch (flag.type) {
    case 'int':
      return /^[+-]?\d+$/.test(text) ? null : `strconv.ParseInt: parsing "${text}": invalid syntax`;
    case 'float':
      return text !== '' && Number.isFinite(Number(text))
        ? null
        : `strconv.ParseFloat: parsing "${text}": invalid syntax`;
    case 'bool':
      if (TRUE_TEXTS.includes(text) || FALSE_TEXTS.includes(text)) return null;
      return text === '' ? null : `strconv.ParseBool: parsing "${text}": invalid syntax`;
    case 'duration':
      if (parseGoDuration(text, isAtLeast(version, 'v2.29.0')) !== null) return null;
      return `time: invalid duration "${text}"`;
    case 'enum':
      return flag.choices.includes(text.toLowerCase())
        ? null
        : `invalid choice: ${text}, should be one of [${flag.choices.join(', ')}]`;
    case 'string':
    case 'string-list':
    case 'url':
      return null;
  }
}

function assign(values: Values, flag: Flag, text: string): void {
  if (flag.type === 'string-list') values.append(flag.name, text === '' ? [] : csvRecord(text));
  else values.set(flag.name, flag.type === 'enum' ? text.toLowerCase() : text);
}

export interface ParseRequest {
  version: string;
  /** `coder exp scaletest create-workspaces` */
  path: string;
  flags: Flag[];
  /** What came after the command's own words. */
  args: string[];
  /** Everything after `coder`, for the message. */
  allArgs: string[];
  environment: NodeJS.ProcessEnv;
}

/** Reads defaults, then variables, then flags. Lists of variable and flag add up. */
export function parseFlags(request: ParseRequest): { values: Values; help: boolean } {
  const values = new Values();
  for (const flag of request.flags) {
    if (flag.default !== null && flag.type !== 'string-list') values.set(flag.name, flag.default);
  }
  readEnvironment(request, values);
  const help = readArguments(request, values);
  for (const flag of request.flags) {
    if (flag.type === 'string-list' && flag.default !== null && values.list(flag.name).length === 0) {
      values.append(flag.name, [flag.default]);
    }
  }
  if (!help) requireFlags(request, values);
  return { values, help };
}

function readEnvironment({ flags, environment, version }: ParseRequest, values: Values): void {
  for (const flag of flags) {
    const text = flag.env === null ? undefined : environment[flag.env];
    if (text === undefined) continue;
    // Up to v2.33 an empty variable was as none; since v2.34 it is an empty value.
    if (text === '' && !isAtLeast(version, 'v2.34.0')) continue;
    const problem = valueProblem(flag, text, version);
    if (problem !== null) {
      throw new CliFailure(`parsing env: parse "${flag.env ?? ''}" value "${text}": ${problem}`);
    }
    assign(values, flag, text);
    values.given.add(flag.name);
  }
}

/** True when help was asked for. */
function readArguments(request: ParseRequest, values: Values): boolean {
  const fail = (why: string): CliFailure =>
    new CliFailure(`parsing flags ([${request.allArgs.join(' ')}]) for "${request.path}": ${why}`);
  const rest = [...request.args];
  let help = false;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') break;
    if (word === '--help' || word === '-h') {
      help = true;
      continue;
    }
    if (!word.startsWith('-') || word === '-') continue;
    const [key = '', ...more] = word.replace(/^--?/, '').split('=');
    const isLong = word.startsWith('--');
    const flag = request.flags.find((one) => (isLong ? one.name === key : one.short === key.charAt(0)));
    if (flag === undefined) {
      throw fail(isLong ? `unknown flag: --${key}` : `unknown shorthand flag: '${key.charAt(0)}' in -${key}`);
    }
    let text = more.length > 0 ? more.join('=') : undefined;
    if (!isLong && key.length > 1) text ??= key.slice(1);
    if (text === undefined) {
      // A boolean takes no separate value.
      text = flag.type === 'bool' ? 'true' : rest.shift();
      if (text === undefined)
        throw fail(`flag needs an argument: ${isLong ? `--${key}` : `'${key}' in -${key}`}`);
    }
    const problem = valueProblem(flag, text, request.version);
    if (problem !== null) throw fail(`invalid argument "${text}" for "--${flag.name}" flag: ${problem}`);
    assign(values, flag, text);
    values.given.add(flag.name);
  }
  return help;
}

function requireFlags({ flags }: ParseRequest, values: Values): void {
  const missing = flags
    .filter((flag) => flag.required && !values.given.has(flag.name))
    .map((flag) => flag.name);
  if (missing.length > 0) {
    throw new CliFailure(`Missing values for the required flags: ${missing.sort().join(', ')}`);
  }
}
