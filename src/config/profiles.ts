import { z } from 'zod';
import type { Mistake } from '../errors.js';
import { minutes, type Seconds } from '../units.js';
import { entryOf, type Path } from './entries.js';
import { suggestion } from './nearest.js';
import { formatDuration, parseDuration, QuantityError } from './units.js';

/** A part of the config file's value, before it is validated. */
type Raw = Record<string, unknown>;

const rawObject = z.record(z.string(), z.unknown());

export interface BuiltInProfile {
  readonly name: string;
  readonly workspaces: number;
  /** Quantiles of few workspaces decide nothing: every build has to be below the limit. */
  readonly provisioning: 'max';
  /** Traffic is sent no longer than this. */
  readonly longestTraffic: Seconds;
  /** At most so many virtual users, for at most so long. */
  readonly dashboard: { readonly users: number; readonly longest: Seconds };
}

const SMOKE: BuiltInProfile = {
  name: 'smoke',
  workspaces: 10,
  provisioning: 'max',
  longestTraffic: minutes(1),
  dashboard: { users: 5, longest: minutes(2) },
};
const BUILT_IN: readonly BuiltInProfile[] = [SMOKE];
const NOT_YET = ['baseline', 'full', 'extended', 'pre-production'];

/** A mistake in the choice of a profile, with the key in the file where it stands. */
export interface ProfileMistake extends Mistake {
  readonly key?: string;
}

export interface ProfiledConfig {
  readonly value: unknown;
  readonly builtIn?: BuiltInProfile;
  /** Where in the file each of the criteria stands, when the profile has some. */
  readonly criteria?: readonly Path[];
}

/**
 * Lays a profile over the config file's value. The file's own profiles come before the built-in ones.
 * @returns the value to validate, or the mistake when there is no such profile.
 */
export function applyProfile(value: unknown, profile: string): ProfiledConfig | ProfileMistake {
  const config = rawObject.safeParse(value);
  if (!config.success) return { value };
  const own = rawObject.safeParse(config.data['profiles']);
  const ownProfiles = own.success ? own.data : {};
  if (Object.hasOwn(ownProfiles, profile)) {
    const change = rawObject.safeParse(ownProfiles[profile]);
    if (change.success) return ownProfile(config.data, change.data, profile);
    return {
      message: `the profile "${profile}" has no content; write under it what it changes`,
      key: profile,
    };
  }
  const builtIn = BUILT_IN.find(({ name }) => name === profile);
  if (builtIn) {
    const total = rawObject.safeParse(config.data['create_workspaces']);
    const configured = z.number().safeParse(total.success ? total.data['count'] : undefined);
    const count = Math.min(builtIn.workspaces, configured.success ? configured.data : builtIn.workspaces);
    const change = {
      ...(total.success && { create_workspaces: { count, simultaneous: undefined } }),
      ...shorter(config.data, 'workspace_traffic', builtIn.longestTraffic),
      ...smallerDashboard(config.data, builtIn.dashboard),
    };
    return { value: overlay(config.data, change), builtIn };
  }
  if (NOT_YET.includes(profile)) {
    return {
      message: `the built-in profile "${profile}" is not available yet; there is "smoke", or define your own under "profiles"`,
    };
  }
  const known = [...Object.keys(ownProfiles), ...BUILT_IN.map(({ name }) => name)];
  return { message: `there is no profile "${profile}"; ${suggestion(profile, known)}` };
}

/** A duration that cannot be read is left as it is: validation says what is wrong with it. */
function shorter(config: Raw, name: string, longest: Seconds): Raw {
  const section = z.object({ duration: z.string() }).safeParse(config[name]);
  if (!section.success) return {};
  try {
    if (parseDuration(section.data.duration) <= longest) return {};
  } catch (thrown) {
    if (thrown instanceof QuantityError) return {};
    throw thrown;
  }
  return { [name]: { duration: formatDuration(longest) } };
}

function smallerDashboard(config: Raw, { users, longest }: BuiltInProfile['dashboard']): Raw {
  const changes = rawObject.safeParse(shorter(config, 'dashboard', longest)['dashboard']);
  const section = z.object({ concurrency: z.number().gt(users) }).safeParse(config['dashboard']);
  const dashboard = {
    ...(changes.success && changes.data),
    ...(section.success && { concurrency: users }),
  };
  return Object.keys(dashboard).length === 0 ? {} : { dashboard };
}

function ownProfile(base: Raw, change: Raw, profile: string): ProfiledConfig {
  const value = overlay(base, change);
  const { criteria: ofFile = [] } = base;
  const { criteria: ofProfile } = change;
  if (!Array.isArray(ofFile) || !Array.isArray(ofProfile)) return { value };
  const merged = mergeCriteria(
    ofFile.map((criterion: unknown, index) => ({ criterion, path: ['criteria', index] })),
    ofProfile.map((criterion: unknown, index) => ({
      criterion,
      path: ['profiles', profile, 'criteria', index],
    })),
  );
  return {
    value: { ...value, criteria: merged.map(({ criterion }) => criterion) },
    criteria: merged.map(({ path }) => path),
  };
}

interface WrittenCriterion {
  readonly criterion: unknown;
  readonly path: Path;
}

/** A criterion of the profile takes the place of the file's with the same id; the others are added. */
function mergeCriteria(
  ofFile: readonly WrittenCriterion[],
  ofProfile: readonly WrittenCriterion[],
): readonly WrittenCriterion[] {
  const merged = [...ofFile];
  for (const written of ofProfile) {
    const id = entryOf(written.criterion, 'id');
    const at = ofFile.findIndex(({ criterion }) => id !== undefined && entryOf(criterion, 'id') === id);
    // An id that the profile has twice is a mistake, which must not vanish here.
    if (at >= 0 && merged[at] === ofFile[at]) merged[at] = written;
    else merged.push(written);
  }
  return merged;
}

function overlay(base: Raw, change: Raw): Raw {
  return scaleGroups(rawObject.parse(merge({ ...base, profiles: undefined }, change)), change);
}

function merge(base: unknown, change: unknown): unknown {
  const baseObject = rawObject.safeParse(base);
  const changeObject = rawObject.safeParse(change);
  if (!baseObject.success || !changeObject.success) return change;
  const both = { ...baseObject.data, ...changeObject.data };
  const merged = Object.keys(both)
    .filter((key) => both[key] !== undefined)
    .map((key) => {
      const isInBoth = Object.hasOwn(baseObject.data, key) && Object.hasOwn(changeObject.data, key);
      return [key, isInBoth ? merge(baseObject.data[key], changeObject.data[key]) : both[key]];
    });
  return Object.fromEntries(merged);
}

/** When a profile changes only the total, the groups shrink or grow in proportion. */
function scaleGroups(merged: Raw, change: unknown): Raw {
  const changed = z
    .object({ create_workspaces: z.object({ count: z.number(), templates: z.unknown().optional() }) })
    .safeParse(change);
  if (!changed.success || changed.data.create_workspaces.templates !== undefined) return merged;
  const shape = z.looseObject({
    templates: z.record(
      z.string(),
      z.looseObject({ count: z.number(), concurrency: z.unknown().optional() }),
    ),
  });
  const suite = shape.safeParse(merged['create_workspaces']);
  if (!suite.success) return merged;
  const names = Object.keys(suite.data.templates);
  const before = names.map((name) => suite.data.templates[name]?.count ?? 0);
  const counts = proportionally(changed.data.create_workspaces.count, before);
  const templates = Object.fromEntries(
    names.map((name, index) => {
      const group = suite.data.templates[name];
      const count = counts[index] ?? 0;
      const concurrency =
        typeof group?.concurrency === 'number'
          ? Math.max(1, Math.min(group.concurrency, count))
          : group?.concurrency;
      return [name, { ...group, count, concurrency }];
    }),
  );
  const kept = Object.fromEntries(Object.entries(templates).filter(([, group]) => group.count > 0));
  return { ...merged, create_workspaces: { ...suite.data, templates: kept } };
}

/** Shares a total in proportion to weights, in whole numbers that add up to it (largest remainder). */
export function proportionally(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (sum === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const shares = exact.map(Math.floor);
  const missing = total - shares.reduce((all, share) => all + share, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, missing)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}
