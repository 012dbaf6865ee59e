import { writeFileSync } from 'node:fs';
import { GoError } from './go-errors.js';

export interface OutputSpec {
  format: 'text' | 'json';
  /** `-` is stdout. */
  path: string;
}

/** Reads `--output`: `<format>[:<path>]`, only one of them without a path. */
export function parseOutputs(texts: string[]): OutputSpec[] {
  const refuse = (): GoError => new GoError('could not parse --output flags');
  const specs = texts.map((text): OutputSpec => {
    const [format = '', ...rest] = text.split(':');
    if (format !== 'text' && format !== 'json') throw refuse();
    const path = rest.join(':');
    return { format, path: path === '' ? '-' : path };
  });
  if (specs.filter(({ path }) => path === '-').length > 1) throw refuse();
  return specs;
}

export function writeOutput(spec: OutputSpec, content: string): void {
  if (spec.path === '-') {
    process.stdout.write(content);
    return;
  }
  try {
    writeFileSync(spec.path, content);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const why = code === 'ENOENT' ? 'no such file or directory' : 'permission denied';
    throw new GoError(
      `write output "${spec.format}" to "${spec.path}": create output file: open ${spec.path}: ${why}`,
    );
  }
}
