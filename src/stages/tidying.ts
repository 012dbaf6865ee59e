import { rm } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { browserProfiles } from '../run/browser-profiles.js';
import { endStrays } from '../run/strays.js';
import type { World } from '../world.js';

const STATE = 'raw-directory';

/** From here on post ends the children that write into the folder, and removes it, if main does not come to it. */
export const oweTidying = (rawDirectory: string, world: World): void => world.state.save(STATE, rawDirectory);

export const settleTidying = (world: World): void => world.state.clear(STATE);

/** After a main that was killed: its children, their raw results and its browsers' profiles, which hold secrets. */
export async function tidyAfterMain(world: World): Promise<void> {
  const rawDirectory = world.state.read(STATE);
  if (rawDirectory === '') return;
  try {
    const ended = await endStrays(rawDirectory);
    if (ended > 0) world.log.info(`${ended} processes of main were still running, and were ended`);
    // A child that was ended a moment ago may still be making a file.
    for (const folder of [rawDirectory, browserProfiles(rawDirectory)])
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch (thrown) {
    // The clean-up of the deployment does not wait for it.
    world.log.warning(
      `the raw results of main, which may hold secrets, could not be removed from ${rawDirectory}: ${messageOf(thrown)}`,
    );
  }
}
