/** A version of Coder as far as behaviour depends on it. */
export interface CoderVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Without the leading v and the build suffix, as release assets are named: `2.36.0`, `2.34.0-rc.0`. */
  readonly release: string;
  /** A development build: there is no release of exactly this. */
  readonly isDevelopment: boolean;
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Reads `v2.36.1+a1b2c3d`, `v2.36.0-devel+a1b2c3d`, `2.34.0-rc.0`. */
export function parseVersion(text: string): CoderVersion | undefined {
  const match = VERSION.exec(text.trim());
  if (match === null) return undefined;
  const [, major, minor, patch, suffix = ''] = match;
  const isDevelopment = suffix.startsWith('-devel');
  const core = `${major}.${minor}.${patch}`;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    release: isDevelopment ? core : `${core}${suffix}`,
    isDevelopment,
  };
}

export function isAtLeast(version: CoderVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
