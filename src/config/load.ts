import type { z } from 'zod';
import { ConfigurationError, type Mistake, type SourceLocation } from '../errors.js';
import { contradictions } from './contradictions.js';
import { suggestion } from './nearest.js';
import { applyProfile, type BuiltInProfile } from './profiles.js';
import { configSchema, KNOWN_KEYS, type Config } from './schema.js';
import { ConfigSource } from './source.js';

export interface LoadedConfig {
  readonly config: Config;
  readonly source: ConfigSource;
  /** Where a key stands: under the profile when it comes from there. */
  readonly locateKey: (path: readonly PropertyKey[], key: string) => SourceLocation;
  readonly builtInProfile?: BuiltInProfile;
}

/**
 * Reads a config file's text with a profile laid over it.
 * @throws ConfigurationError with every mistake, each at its line and column.
 */
export function loadConfig(file: string, text: string, profile?: string): LoadedConfig {
  const source = new ConfigSource(file, text);
  const value = withoutExtensions(source.value);
  const profiled = profile === undefined ? { value } : applyProfile(value, profile);
  if ('message' in profiled) {
    const { message, key } = profiled;
    const location =
      key === undefined ? source.locationOfKey([], 'profiles') : source.locationOfKey(['profiles'], key);
    throw new ConfigurationError([{ message, location }]);
  }
  const parsed = configSchema.safeParse(profiled.value, { reportInput: true });
  if (!parsed.success) {
    throw new ConfigurationError(parsed.error.issues.flatMap((issue) => mistakesOf(issue, source, profile)));
  }
  const elsewhere = otherProfiles(source, value, profile);
  if (elsewhere.length > 0) throw new ConfigurationError(elsewhere);
  const locate = (...path: PropertyKey[]): SourceLocation =>
    source.locationOf(existingPath(path, source, profile));
  const mistakes = contradictions(parsed.data, locate);
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  const builtIn = 'builtIn' in profiled ? { builtInProfile: profiled.builtIn } : {};
  const locateKey: LoadedConfig['locateKey'] = (path, key) =>
    source.locationOfKey(existingPath([...path, key], source, profile).slice(0, -1), key);
  return { config: parsed.data, source, locateKey, ...builtIn };
}

/** A mistake in a profile that is not selected today is one all the same. */
function otherProfiles(source: ConfigSource, value: unknown, selected: string | undefined): Mistake[] {
  // A built-in profile leaves them out, so nobody has looked at them yet.
  const profiles = configSchema.shape.profiles.safeParse(entryOf(value, 'profiles'), { reportInput: true });
  if (!profiles.success)
    return profiles.error.issues.flatMap((issue) =>
      mistakesOf({ ...issue, path: ['profiles', ...issue.path] }, source, undefined),
    );
  return Object.keys(profiles.data)
    .filter((profile) => profile !== selected)
    .flatMap((profile) => {
      const profiled = applyProfile(value, profile);
      if ('message' in profiled)
        return [{ message: profiled.message, location: source.locationOfKey(['profiles'], profile) }];
      const parsed = configSchema.safeParse(profiled.value, { reportInput: true });
      if (parsed.success) return [];
      return parsed.error.issues.flatMap((issue) => mistakesOf(issue, source, profile));
    });
}

/** `x-…` keys at the top are the user's own: anchors, notes. */
function withoutExtensions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}

function mistakesOf(issue: z.core.$ZodIssue, source: ConfigSource, profile: string | undefined): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = existingPath(issue.path, source, profile);
      return {
        message: `unknown key "${key}"${inside(issue.path)}; ${suggestion(key, knownKeys(issue.path))}`,
        location: source.locationOfKey(path, key),
      };
    });
  }
  if (issue.code === 'invalid_union') return unionMistakes(issue, source, profile);
  const path = existingPath(issue.path, source, profile);
  const offset =
    issue.code === 'custom' && typeof issue.params?.['offset'] === 'number' ? issue.params['offset'] : 0;
  const where = issue.path.length === 0 ? 'the config file' : issue.path.map(String).join('.');
  return [{ message: `${where}: ${explain(issue)}`, location: source.locationOf(path, offset) }];
}

/** Of the shapes that a criterion may have, the mistakes in the one that was meant. */
function unionMistakes(
  issue: z.core.$ZodIssueInvalidUnion,
  source: ConfigSource,
  profile: string | undefined,
): Mistake[] {
  // A text is no try at an object, however few mistakes that would be.
  const isOtherKind = (mistakes: readonly z.core.$ZodIssue[]): number =>
    mistakes.some(({ code, path }) => code === 'invalid_type' && path.length === 0) ? 1 : 0;
  const ranked = [...issue.errors].sort((a, b) => isOtherKind(a) - isOtherKind(b) || a.length - b.length);
  const meant = ranked[0];
  if (meant === undefined || meant.length === 0) {
    return [
      {
        message: `${issue.path.map(String).join('.')}: ${issue.message}`,
        location: source.locationOf(issue.path),
      },
    ];
  }
  return meant.flatMap((inner) =>
    mistakesOf({ ...inner, path: [...issue.path, ...inner.path] }, source, profile),
  );
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.startsWith('Invalid')) {
    return 'this key is required';
  }
  return issue.message;
}

/** The path as the user wrote it: under the profile when the value comes from there. */
function existingPath(
  path: readonly PropertyKey[],
  source: ConfigSource,
  profile: string | undefined,
): readonly PropertyKey[] {
  if (profile === undefined) return path;
  const inProfile = ['profiles', profile, ...path];
  return hasPath(source.value, inProfile) ? inProfile : path;
}

function hasPath(value: unknown, path: readonly PropertyKey[]): boolean {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false;
    current = entryOf(current, key);
  }
  return true;
}

function entryOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === String(key))?.[1];
}

function inside(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : ` in ${path.map(String).join('.')}`;
}

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const exact = path.map(String).join('.');
  const wildcard = path
    .map((key, index) => (index > 0 && index === path.length - 1 ? '*' : String(key)))
    .join('.');
  return KNOWN_KEYS.get(exact) ?? KNOWN_KEYS.get(wildcard) ?? [];
}
