import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Where the browsers of a run keep their profiles, with their users' sessions: post knows the place by the run's raw
 * directory. The path has to be short, since Chromium makes a socket below it.
 */
export const browserProfiles = (rawDirectory: string): string =>
  path.join(tmpdir(), `browsers-${path.basename(rawDirectory).slice(-8)}`);
