import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface ExecutableOptions {
  /** As `coder version` shows it: `v2.36.0` or `v2.36.0+a1b2c3d`. */
  version: string;
  slim?: boolean;
}

/** Bundles the simulated CLI into one executable file named `coder`; gives its path. */
export async function buildCoderExecutable(
  directory: string,
  { version, slim = false }: ExecutableOptions,
): Promise<string> {
  await mkdir(directory, { recursive: true });
  const outfile = path.join(directory, 'coder');
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    banner: { js: '#!/usr/bin/env node' },
    define: { CODER_VERSION: JSON.stringify(version), CODER_SLIM: JSON.stringify(slim) },
    logLevel: 'silent',
  });
  await chmod(outfile, 0o755);
  return outfile;
}
