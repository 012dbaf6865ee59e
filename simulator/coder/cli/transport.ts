import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

/** As Go's transport: authorities from SSL_CERT_FILE, which take the place of the system's, and the proxies of the environment. */
export function agentFor(protocol: string, options: http.AgentOptions): http.Agent {
  const file = process.env.SSL_CERT_FILE ?? '';
  // Node knows `proxyEnv` since 24.5.
  const all = { ...options, proxyEnv: process.env };
  return protocol === 'https:'
    ? new https.Agent({ ...all, ...(file !== '' && { ca: readFileSync(file) }) })
    : new http.Agent(all);
}
