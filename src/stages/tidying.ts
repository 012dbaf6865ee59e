import { rm } from 'node:fs/promises';
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
  const ended = await endStrays(rawDirectory);
  if (ended > 0) world.log.info(`${ended} processes of main were still running, and were ended`);
  await rm(rawDirectory, { recursive: true, force: true });
}
