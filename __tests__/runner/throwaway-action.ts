import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ThrowawayAction {
  /** Plain ESM statements, run as main; `append` and `heredoc` write to the runner. */
  main: string;
  post?: string;
  postIf?: string;
  inputs?: string;
}

/** Speaks the runner's protocol by hand, so that the tests show the protocol and not a toolkit. */
const prelude = `
import { appendFileSync } from 'node:fs';
const append = (file, text) => appendFileSync(process.env[file], text);
const heredoc = (file, name, value) => append(file, name + '<<ghadelimiter_1\\n' + value + '\\nghadelimiter_1\\n');
`;

const folders: string[] = [];

/** Writes an action to a new folder and gives that folder. */
export function throwawayAction({ main, post, postIf, inputs = '' }: ThrowawayAction): string {
  const folder = mkdtempSync(join(tmpdir(), 'throwaway-action-'));
  const runs = [
    'name: throwaway',
    `inputs:\n${inputs === '' ? '  greeting: { default: hello }' : inputs}`,
    'runs:',
    '  using: node24',
    '  main: main.mjs',
    ...(post === undefined ? [] : ['  post: post.mjs']),
    ...(postIf === undefined ? [] : [`  post-if: ${postIf}`]),
  ];
  folders.push(folder);
  writeFileSync(join(folder, 'action.yml'), `${runs.join('\n')}\n`);
  writeFileSync(join(folder, 'main.mjs'), prelude + main);
  if (post !== undefined) writeFileSync(join(folder, 'post.mjs'), prelude + post);
  return folder;
}

export function removeThrowawayActions(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
