import type { z } from 'zod';
import type { Mistake } from '../errors.js';
import type { Path } from './entries.js';
import { suggestion } from './nearest.js';
import type { Places } from './places.js';
import { KNOWN_KEYS } from './schema.js';

/** What the validator found, in the words of the file, each at its place. */
export function mistakesOf(issue: z.core.$ZodIssue, places: Places): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      message: `unknown key "${key}"${inside(places.shown(issue.path))}; ${suggestion(key, knownKeys(issue.path))}`,
      location: places.ofKey(issue.path, key),
    }));
  }
  if (issue.code === 'invalid_union') return unionMistakes(issue, places);
  const path = places.shown(issue.path);
  const message = `${path.length === 0 ? 'the config file' : path.map(String).join('.')}: ${explain(issue)}`;
  if (issue.code === 'invalid_key')
    return [{ message, location: places.ofKey(issue.path.slice(0, -1), String(issue.path.at(-1))) }];
  const offset =
    issue.code === 'custom' && typeof issue.params?.['offset'] === 'number' ? issue.params['offset'] : 0;
  return [{ message, location: places.of(issue.path, offset) }];
}

/** Of the shapes that a criterion may have, the mistakes in the one that was meant. */
function unionMistakes(issue: z.core.$ZodIssueInvalidUnion, places: Places): Mistake[] {
  // A text is no try at an object, however few mistakes that would be.
  const isOtherKind = (mistakes: readonly z.core.$ZodIssue[]): number =>
    mistakes.some(({ code, path }) => code === 'invalid_type' && path.length === 0) ? 1 : 0;
  const ranked = [...issue.errors].sort((a, b) => isOtherKind(a) - isOtherKind(b) || a.length - b.length);
  const meant = ranked[0];
  if (meant === undefined || meant.length === 0) {
    const where = places.shown(issue.path).map(String).join('.');
    return [{ message: `${where}: ${issue.message}`, location: places.of(issue.path) }];
  }
  return meant.flatMap((inner) => mistakesOf({ ...inner, path: [...issue.path, ...inner.path] }, places));
}

/** The schema's own sentences stay; the validator's are about types, and say nothing of what to do. */
function explain(issue: z.core.$ZodIssue): string {
  if (!issue.message.startsWith('Invalid')) return issue.message;
  if (issue.code === 'invalid_type') return explainType(issue.expected, issue.input, issue.path);
  if (issue.code === 'invalid_value')
    return `it can be ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
  return (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message;
}

const NEEDED: Readonly<Record<string, string>> = {
  object: 'keys and values are needed here',
  record: 'a map of names is needed here',
  array: 'a list is needed here',
  string: 'a text is needed here',
  number: 'a number is needed here',
  boolean: 'true or false is needed here',
};

/** `expected received`: how to make the one of the other. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  'object list': 'write "key: value" lines without "- "',
  'record list': 'write "name:" in place of each "- "',
  'array map': 'begin each entry with "- "',
  'array text': 'write it in brackets, like [a, b]',
  'string number': 'put it in quotes',
  'string true/false': 'put it in quotes',
  'number text': 'write the digits alone, without quotes',
  'boolean text': 'yes, no, on, off and what stands in quotes are texts in YAML',
};

function explainType(expected: string, input: unknown, path: Path): string {
  if (input === undefined) return 'this key is required';
  const needed = NEEDED[expected] ?? `${expected} is needed here`;
  if (input === null) {
    return path.length === 0
      ? 'it is empty; write at least one section, like "create_workspaces"'
      : `${needed}, but it is empty; fill it in, or remove the key where it is not needed`;
  }
  const received = kindOf(input);
  const way = WAYS_OUT[`${expected} ${received}`];
  return `${needed}, not ${WITH_ARTICLE[received] ?? received}${way === undefined ? '' : `; ${way}`}`;
}

const WITH_ARTICLE: Readonly<Record<string, string>> = {
  list: 'a list',
  map: 'keys and values',
  text: 'a text',
  number: 'a number',
};

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'list';
  if (typeof input === 'object') return 'map';
  if (typeof input === 'string') return 'text';
  if (typeof input === 'boolean') return 'true/false';
  return Number.isFinite(input) ? 'number' : 'one that is infinite or none';
}

const inside = (path: Path): string => (path.length === 0 ? '' : ` in ${path.map(String).join('.')}`);

function knownKeys(path: Path): readonly string[] {
  const exact = path.map(String).join('.');
  const wildcard = path
    .map((key, index) => (index > 0 && index === path.length - 1 ? '*' : String(key)))
    .join('.');
  return KNOWN_KEYS.get(exact) ?? KNOWN_KEYS.get(wildcard) ?? [];
}
