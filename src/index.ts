import { githubWorld } from './github/world.js';
import { messageOf } from './errors.js';
import { main } from './main.js';
import { post } from './post.js';

/** The one entry of main and post: main leaves a mark in the state by which the second start is known as post. */
const IS_POST = 'is-post';
/** Connections that are kept alive would hold the process; by then everything has been written. */
const LAST_EXIT_MS = 3000;

const cancel = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => cancel.abort(new Error(`the job was cancelled (${signal})`)));
}
const world = githubWorld(process.env, cancel.signal);

try {
  if (world.state.read(IS_POST) === '') {
    world.state.save(IS_POST, 'true');
    await main(world);
  } else {
    await post(world);
  }
} catch (thrown) {
  world.log.error(messageOf(thrown), { title: 'Scale test gate' });
  world.step.fail();
}
setTimeout(() => process.exit(), LAST_EXIT_MS).unref();
