import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The recordings of the real thing, beside the repository; a fresh clone does not have them. */
export const sharedRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../shared');

export const VERSIONS = ['v2.21.3', 'v2.31.0', 'v2.36.0'] as const;

export const hasRecordings = existsSync(path.join(sharedRoot, 'golden'));

/** Says why a suite is skipped. */
export function explainSkip(suite: string): void {
  if (!hasRecordings)
    console.warn(`${suite}: skipped, ../shared with the recordings of a real Coder is not there`);
}

export const sharedText = (name: string): string => readFileSync(path.join(sharedRoot, name), 'utf8');

export const sharedJson = (name: string): unknown => JSON.parse(sharedText(name));

/** The result files of the CLI's suites: `version/name`. */
export function resultFiles(filter: (name: string) => boolean = () => true): string[] {
  if (!hasRecordings) return [];
  return VERSIONS.flatMap((version) =>
    readdirSync(path.join(sharedRoot, 'golden', version, 'cli'))
      .filter((name) => name.endsWith('.json') && filter(name))
      .map((name) => `golden/${version}/cli/${name}`),
  );
}

/** The example config of the guide, as people copy it. */
export function guideConfig(): string {
  const guide = sharedText('seed/scaling-guide.md');
  const block = /```yaml\n(# Key configuration sections:[\s\S]*?)```/.exec(guide);
  if (block?.[1] === undefined) throw new Error('the guide has no example config any more');
  return block[1];
}
