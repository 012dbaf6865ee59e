import type { SourceLocation } from '../errors.js';
import { entryOf, type Path } from './entries.js';
import type { ConfigSource } from './source.js';

/** What of a config came from where. */
export interface Overlay {
  readonly profile?: string | undefined;
  /** Where each of the criteria was written, when file and profile have them both. */
  readonly criteria?: readonly Path[] | undefined;
}

/** Where the parts of a config stand in its file: under the profile when they come from there. */
export class Places {
  constructor(
    private readonly source: ConfigSource,
    private readonly overlay: Overlay = {},
  ) {}

  /** Where a value stands, or the nearest part of the file around it. */
  of(path: Path, offsetInText = 0): SourceLocation {
    return this.source.locationOf(this.#written(path), offsetInText);
  }

  ofKey(path: Path, key: string): SourceLocation {
    return this.source.locationOfKey(this.#written([...path, key]).slice(0, -1), key);
  }

  /** The path as the user counts: criteria of a profile begin anew. */
  shown(path: Path): Path {
    const criterion = this.#criterion(path);
    return criterion === undefined ? path : [...criterion.slice(-2), ...path.slice(2)];
  }

  #written(path: Path): Path {
    const criterion = this.#criterion(path);
    if (criterion !== undefined) return [...criterion, ...path.slice(2)];
    const { profile } = this.overlay;
    if (profile === undefined) return path;
    const root = ['profiles', profile];
    const inProfile = depth(entryOf(entryOf(this.source.value, 'profiles'), profile), path);
    // A key that is missing is missing in what there is more of.
    return inProfile > 0 && inProfile >= depth(this.source.value, path) ? [...root, ...path] : path;
  }

  #criterion([section, index]: Path): Path | undefined {
    return section === 'criteria' && typeof index === 'number' ? this.overlay.criteria?.[index] : undefined;
  }
}

/** How many keys of a path are there. */
function depth(value: unknown, path: Path): number {
  let current = value;
  for (const [index, key] of path.entries()) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return index;
    current = entryOf(current, key);
  }
  return path.length;
}
