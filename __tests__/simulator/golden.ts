import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The recordings of the real thing, beside the repository; a fresh clone does not have them. */
const shared = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../shared');

export const VERSIONS = ['v2.36.0', 'v2.31.0', 'v2.21.3'] as const;
export type Version = (typeof VERSIONS)[number];

export interface Recording {
  request: { method: string; path: string; body?: unknown; authenticated: boolean };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

export const hasRecordings = existsSync(path.join(shared, 'golden'));

/** Says why a suite is skipped. */
export function explainSkip(suite: string): void {
  if (!hasRecordings)
    console.warn(`${suite}: skipped, ../shared with the recordings of a real Coder is not there`);
}

export function sharedText(name: string): string {
  return readFileSync(path.join(shared, name), 'utf8');
}

export function sharedJson(name: string): unknown {
  return JSON.parse(sharedText(name)) as unknown;
}

export function recordingNames(version: Version): string[] {
  if (!hasRecordings) return [];
  return readdirSync(path.join(shared, 'golden', version, 'api'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
}

export function recording(version: Version, name: string): Recording {
  return sharedJson(`golden/${version}/api/${name}.json`) as Recording;
}

export interface CliRecording {
  stdout: string;
  /** Without the recorder's own last line. */
  stderr: string;
  exitCode: number | null;
}

export function cliRecording(version: Version, name: string): CliRecording {
  const read = (extension: string): string => {
    const file = `golden/${version}/cli/${name}.${extension}`;
    return existsSync(path.join(shared, file)) ? sharedText(file) : '';
  };
  const stderr = read('stderr');
  const noted = /rc=(\d+)\n$/.exec(stderr);
  return {
    stdout: read('stdout'),
    stderr: stderr.replace(/rc=\d+\n$/, ''),
    exitCode: noted === null ? null : Number(noted[1]),
  };
}
