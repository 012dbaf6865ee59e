import { ConfigurationError, type Mistake, type SourceLocation } from '../errors.js';
import { contradictions } from './contradictions.js';
import { entryOf, type Path } from './entries.js';
import { mistakesOf } from './issues.js';
import { Places } from './places.js';
import { applyProfile, type BuiltInProfile, type ProfiledConfig } from './profiles.js';
import { configSchema, type Config } from './schema.js';
import { ConfigSource } from './source.js';

export interface LoadedConfig {
  readonly config: Config;
  /** Where a value stands, or the nearest part of the file around it: under the profile when it comes from there. */
  readonly locate: (path: Path) => SourceLocation;
  readonly locateKey: (path: Path, key: string) => SourceLocation;
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
  const { config, places, mistakes: own } = readOver(source, profiled, profile);
  if (config === undefined) throw new ConfigurationError(own);
  const mistakes = [...own, ...otherProfiles(source, value, { selected: profile, known: own })];
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    config,
    locate: (path) => places.of(path),
    locateKey: (path, key) => places.ofKey(path, key),
    ...(profiled.builtIn && { builtInProfile: profiled.builtIn }),
  };
}

interface Reading {
  readonly places: Places;
  /** Undefined when the mistakes are those of its form. */
  readonly config?: Config;
  readonly mistakes: readonly Mistake[];
}

function readOver(source: ConfigSource, { value, criteria }: ProfiledConfig, profile?: string): Reading {
  const places = new Places(source, { profile, criteria });
  const parsed = configSchema.safeParse(value, { reportInput: true });
  if (!parsed.success)
    return { places, mistakes: parsed.error.issues.flatMap((issue) => mistakesOf(issue, places)) };
  return {
    places,
    config: parsed.data,
    mistakes: contradictions(parsed.data, (...path) => places.of(path)),
  };
}

/** A mistake in a profile that is not selected today is one all the same. */
function otherProfiles(
  source: ConfigSource,
  value: unknown,
  { selected, known }: { selected: string | undefined; known: readonly Mistake[] },
): Mistake[] {
  // A built-in profile leaves them out, so nobody has looked at them yet.
  const profiles = configSchema.shape.profiles.safeParse(entryOf(value, 'profiles'), { reportInput: true });
  if (!profiles.success) {
    const places = new Places(source);
    return profiles.error.issues.flatMap((issue) =>
      mistakesOf({ ...issue, path: ['profiles', ...issue.path] }, places),
    );
  }
  // What stands in the file itself comes up again in each profile.
  const seen = new Set(known.map(identityOf));
  return Object.keys(profiles.data)
    .filter((profile) => profile !== selected)
    .flatMap((profile) => {
      const found = mistakesIn(profile, source, value).filter((mistake) => !seen.has(identityOf(mistake)));
      for (const mistake of found) seen.add(identityOf(mistake));
      return found.map((mistake) => ({ ...mistake, message: `profile "${profile}": ${mistake.message}` }));
    });
}

function mistakesIn(profile: string, source: ConfigSource, value: unknown): readonly Mistake[] {
  const profiled = applyProfile(value, profile);
  if ('message' in profiled)
    return [{ message: profiled.message, location: source.locationOfKey(['profiles'], profile) }];
  return readOver(source, profiled, profile).mistakes;
}

const identityOf = ({ message, location }: Mistake): string =>
  JSON.stringify([message, location?.line, location?.column]);

/** `x-…` keys at the top are the user's own: anchors, notes. */
function withoutExtensions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}
