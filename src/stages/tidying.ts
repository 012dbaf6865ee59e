import { rm } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { endStrays } from '../run/strays.js';
import type { World } from '../world.js';

const STATE = 'raw-directory';

/** From here on post ends the children that write into the folder, and removes it, if main does not come to it. */
export const oweTidying = (rawDirectory: string, world: World): void => world.state.save(STATE, rawDirectory);

export const settleTidying = (world: World): void => world.state.clear(STATE);

/** After a main that was killed: its children, and their raw results, which hold secrets. */
export async function tidyAfterMain(world: World): Promise<void> {
  const rawDirectory = world.state.read(STATE);
  if (rawDirectory === '') return;
  try {
    const ended = await endStrays(rawDirectory);
    if (ended > 0) world.log.info(`${ended} processes of main were still running, and were ended`);
    // A child that was ended a moment ago may still be making a file.
    await rm(rawDirectory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch (thrown) {
    // The clean-up of the deployment does not wait for it.
    world.log.warning(
      `the raw results of main, which may hold secrets, could not be removed from ${rawDirectory}: ${messageOf(thrown)}`,
    );
  }
}
