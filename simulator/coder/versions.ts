/** Comparison of release versions, and of what changed with which release. */

export type Release = readonly [number, number, number];

export function parseRelease(version: string): Release {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  if (match === null) throw new Error(`not a release version: ${version}`);
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** True when `version` is `release` or newer. */
export function isAtLeast(version: string, release: string): boolean {
  const left = parseRelease(version);
  const right = parseRelease(release);
  for (const index of [0, 1, 2] as const) {
    if (left[index] !== right[index]) return left[index] > right[index];
  }
  return true;
}

/** What the real server changed, and when. A question mark in the comment: only known to lie between two recordings. */
export interface ServerTraits {
  /** v2.32: limits count per user after authentication, and the bypass header works for owners. */
  limitsPerUser: boolean;
  /** v2.36 (?): an unknown user in a path is 404, before 400. */
  unknownUserIs404: boolean;
  hasDebugMetrics: boolean;
  /** v2.23: jobs that wait too long are failed; before, only hung ones were. */
  reapsPending: boolean;
  prebuildSettings: boolean;
  wwwAuthenticate: boolean;
  expectStatus: boolean;
  adminTokenLimit: boolean;
  prolongsTokens: boolean;
  hidesExpiredTokens: boolean;
  /** The newer key sets of users, templates, workspaces and tokens. */
  modernKeys: boolean;
  newestKeys: boolean;
}

export function serverTraits(version: string): ServerTraits {
  return {
    limitsPerUser: isAtLeast(version, 'v2.32.0'),
    unknownUserIs404: isAtLeast(version, 'v2.36.0'),
    hasDebugMetrics: isAtLeast(version, 'v2.28.0'),
    reapsPending: isAtLeast(version, 'v2.23.0'),
    prebuildSettings: isAtLeast(version, 'v2.26.0'),
    wwwAuthenticate: isAtLeast(version, 'v2.25.0'),
    expectStatus: isAtLeast(version, 'v2.25.0'),
    adminTokenLimit: isAtLeast(version, 'v2.24.0'),
    prolongsTokens: !isAtLeast(version, 'v2.34.3'),
    hidesExpiredTokens: isAtLeast(version, 'v2.31.0'),
    modernKeys: isAtLeast(version, 'v2.25.0'),
    newestKeys: isAtLeast(version, 'v2.36.0'),
  };
}
