import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Deployment } from './deployment.js';

export const JSON_TYPE = 'application/json; charset=utf-8';

export interface Target {
  method: string;
  path: string;
  query: URLSearchParams;
}

export function targetOf(request: IncomingMessage): Target {
  const url = new URL(request.url ?? '/', 'http://localhost');
  // Several slashes are one (since v2.20, so in every version simulated here).
  return {
    method: request.method ?? 'GET',
    path: url.pathname.replace(/\/{2,}/g, '/'),
    query: url.searchParams,
  };
}

/** On every answer of the server itself. */
export function baseHeaders(deployment: Deployment): Record<string, string> {
  return {
    'X-Coder-Request-Id': randomUUID(),
    'X-Coder-Build-Version': deployment.buildVersion,
    'X-Content-Type-Options': 'nosniff',
  };
}

/** What an answer takes: a base, more with every other request in flight, and what was ordered on top. */
export async function loadDelay({ options, latencyRandom, state }: Deployment): Promise<void> {
  const { baseMs, sigma, perRequestMs } = options.latency;
  const load = perRequestMs * Math.max(0, state.inFlight - 1);
  const milliseconds =
    latencyRandom.logNormal({ median: baseMs, sigma }) + load + options.latencySeconds * 1000;
  if (milliseconds >= 1) await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
