import { GoError } from './go-errors.js';

/** Reading the server's JSON: the few fields that the CLI looks at. */

export type Json = Record<string, unknown>;

export function asJson(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GoError('unexpected JSON');
  return { ...value };
}

export function asList(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asJson) : [];
}

export function text(value: Json, name: string): string {
  const found = value[name];
  return typeof found === 'string' ? found : '';
}

export function child(value: Json, name: string): Json {
  return asJson(value[name]);
}

export function texts(value: Json, name: string): string[] {
  const found = value[name];
  return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
}

/** All agents of a workspace's latest build. */
export function agentsOf(workspace: Json): Json[] {
  return asList(child(workspace, 'latest_build').resources).flatMap((resource) => asList(resource.agents));
}
