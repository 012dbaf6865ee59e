import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { post } from '../../src/post.js';
import { browserProfiles } from '../../src/run/browser-profiles.js';
import type { World } from '../../src/world.js';
import { KeptLog } from '../support/fakes.js';

/** Post after a main that left nothing but its raw results. */
async function postAfter(rawDirectory: string): Promise<string> {
  const log = new KeptLog();
  const state = {
    read: (name: string) => (name === 'raw-directory' ? rawDirectory : ''),
    save: () => undefined,
    clear: () => undefined,
  };
  await post({ log, state } satisfies Partial<World> as unknown as World);
  return log.lines.join('\n');
}

describe('post after a main that was killed', () => {
  it('removes its raw results and its browsers’ profiles', async () => {
    const rawDirectory = await mkdtemp(path.join(tmpdir(), 'raw-results-'));
    const profiles = browserProfiles(rawDirectory);
    for (const folder of [rawDirectory, profiles]) {
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, 'secret'), 'x');
    }
    expect(await postAfter(rawDirectory)).toContain('main left nothing to do');
    expect([rawDirectory, profiles].filter((folder) => existsSync(folder))).toEqual([]);
  });

  it('goes on to the rest when they cannot be removed, and says where they are', async () => {
    // Nothing can be below a file.
    const rawDirectory = path.join(import.meta.filename, 'raw');
    const log = await postAfter(rawDirectory);
    expect(log).toContain(`could not be removed from ${rawDirectory}`);
    expect(log).toContain('main left nothing to do');
  });
});
