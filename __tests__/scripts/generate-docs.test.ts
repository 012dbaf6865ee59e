import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const tsx = join(repository, 'node_modules/tsx/dist/cli.mjs');
const script = join(repository, 'scripts/generate-docs.ts');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const action = `
inputs:
  mode:
    description: |
      One of plan | gate,
      into <timestamp>/ or \`<results-dir>\`.
    default: gate
  coder-url: { description: The deployment, required: true }
  old: { description: Gone, deprecationMessage: Use mode. }
outputs:
  verdict: { description: pass or fail }
`;
const readme = `# Title

Before.

<!-- inputs:start -->
stale
<!-- inputs:end -->

Between.

<!-- outputs:start --><!-- outputs:end -->

After.
`;

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'generate-docs-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function run(folder: string, ...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [tsx, script, ...args], { cwd: folder, encoding: 'utf8' });
}

describe('generate-docs', () => {
  it('writes the tables between the markers and leaves the rest', () => {
    const folder = folderWith({ 'action.yml': action, 'README.md': readme });
    expect(run(folder).status).toBe(0);
    const written = readFileSync(join(folder, 'README.md'), 'utf8');
    const rows = written.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(rows).toContain(
      '| `mode` | `gate` | One of plan \\| gate, into \\<timestamp>/ or `<results-dir>`. |',
    );
    expect(rows).toContain('| `coder-url` | (required) | The deployment |');
    expect(rows).toContain('| `old` | | Gone **Deprecated:** Use mode. |');
    expect(rows).toContain('| `verdict` | pass or fail |');
    expect(written).not.toContain('stale');
    expect(written).toMatch(/^# Title\n\nBefore\.\n[^]*\nBetween\.\n[^]*\nAfter\.\n$/);
    expect(run(folder, '--check').status).toBe(0);
  });

  it('finds drift without writing', () => {
    const folder = folderWith({ 'action.yml': action, 'README.md': readme });
    expect(run(folder, '--check')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('README.md does not match action.yml.') as string,
    });
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe(readme);
  });

  it.each([
    [
      'a missing marker',
      { 'action.yml': action, 'README.md': readme.replace('<!-- outputs:end -->', '') },
      'no marker "<!-- outputs:end -->"',
    ],
    ['no README.md', { 'action.yml': action }, 'There is no README.md in'],
    ['no action.yml', { 'README.md': readme }, 'There is no action.yml in'],
  ])('says so: %s', (_case, files: Record<string, string>, sentence) => {
    const { status, stderr } = run(folderWith(files));
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
  });

  it('refuses an unknown argument', () => {
    const folder = folderWith({ 'action.yml': action, 'README.md': readme });
    expect(run(folder, '--chek').stderr).toContain('Unknown argument --chek');
  });
});
