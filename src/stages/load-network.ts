import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Inputs } from '../inputs.js';
import type { World } from '../world.js';

const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);
const AUTHORITIES_FILE = 'authorities.pem';

/** How the load reaches the deployment: directly, unless the config says that it shall go through the proxy. */
export interface LoadNetwork {
  readonly headers: Readonly<Record<string, string>>;
  /** The variables that name proxies; empty: none is used. */
  readonly proxies: Readonly<Record<string, string>>;
  /** Variables for the CLI, beside its usual ones. */
  readonly childVariables: Readonly<Record<string, string>>;
}

export async function loadNetwork(
  { extraHeaders, caFile }: Inputs,
  { loadThroughProxy, rawDirectory }: { readonly loadThroughProxy: boolean; readonly rawDirectory: string },
  { environment, authorities }: World,
): Promise<LoadNetwork> {
  const proxies = loadThroughProxy ? present(environment, PROXY_VARIABLES) : {};
  const header = [environment['CODER_HEADER'] ?? '', ...Object.entries(extraHeaders).map(asListEntry)]
    .filter((entry) => entry !== '')
    .join(',');
  const file = path.join(rawDirectory, AUTHORITIES_FILE);
  // Go reads this file instead of the system's, so that it holds all.
  if (caFile !== undefined) await writeFile(file, `${authorities.all()}\n`, { mode: 0o600 });
  return {
    headers: extraHeaders,
    proxies,
    childVariables: {
      ...proxies,
      ...(header !== '' && { CODER_HEADER: header }),
      ...(caFile !== undefined && { SSL_CERT_FILE: file }),
    },
  };
}

/** The CLI reads lists in variables as lines of CSV; an entry is `name=value`. */
const asListEntry = ([name, value]: readonly [string, string]): string => {
  const entry = `${name}=${value}`;
  return /[",]/.test(entry) ? `"${entry.replaceAll('"', '""')}"` : entry;
};

function present(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const pairs = names.flatMap((name) => {
    const value = environment[name] ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}
