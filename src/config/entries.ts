/** The keys and indices that lead to a part of the config file. */
export type Path = readonly PropertyKey[];

/** What stands under a key; undefined where there is none. */
export function entryOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === String(key))?.[1];
}
