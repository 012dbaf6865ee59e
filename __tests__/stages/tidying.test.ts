import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { post } from '../../src/post.js';
import type { World } from '../../src/world.js';
import { KeptLog } from '../support/fakes.js';

describe('post', () => {
  it('goes on to the rest when main’s raw results cannot be removed, and says where they are', async () => {
    const log = new KeptLog();
    // Nothing can be below a file.
    const rawDirectory = path.join(import.meta.filename, 'raw');
    const world = {
      log,
      state: {
        read: (name: string) => (name === 'raw-directory' ? rawDirectory : ''),
        save: () => undefined,
        clear: () => undefined,
      },
    } satisfies Partial<World> as unknown as World;
    await post(world);
    expect(log.lines.join('\n')).toContain(`could not be removed from ${rawDirectory}`);
    expect(log.lines.join('\n')).toContain('main left nothing to do');
  });
});
