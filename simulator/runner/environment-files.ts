import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files through which a step speaks to the runner. They exist before the step starts. */
export interface EnvironmentFiles {
  output: string;
  state: string;
  env: string;
  path: string;
  summary: string;
}

export function createEnvironmentFiles(temp: string): EnvironmentFiles {
  const folder = join(temp, '_runner_file_commands');
  mkdirSync(folder, { recursive: true });
  const suffix = randomUUID();
  const create = (prefix: string): string => {
    const path = join(folder, `${prefix}_${suffix}`);
    writeFileSync(path, '');
    return path;
  };
  return {
    output: create('set_output'),
    state: create('save_state'),
    env: create('set_env'),
    path: create('add_path'),
    summary: create('step_summary'),
  };
}

export const environmentFileVariables = (files: EnvironmentFiles): Record<string, string> => ({
  GITHUB_OUTPUT: files.output,
  GITHUB_STATE: files.state,
  GITHUB_ENV: files.env,
  GITHUB_PATH: files.path,
  GITHUB_STEP_SUMMARY: files.summary,
});

/** Reads `NAME=value` and `NAME<<DELIMITER … DELIMITER`; throws with the runner's words on anything else. */
export function parseKeyValueFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      requireName(line, line.slice(0, equals));
      values[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      requireName(line, name, delimiter);
      const end = lines.indexOf(delimiter, index + 1);
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
      values[name] = lines.slice(index + 1, end).join('\n');
      index = end;
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}

function requireName(line: string, ...parts: string[]): void {
  if (parts.includes('')) {
    throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
  }
}

export const readKeyValueFile = (path: string): Record<string, string> =>
  parseKeyValueFile(readFileSync(path, 'utf8'));

export const readPathFile = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');

export const readSummaryFile = (path: string): { text: string; bytes: number } => ({
  text: readFileSync(path, 'utf8'),
  bytes: statSync(path).size,
});
