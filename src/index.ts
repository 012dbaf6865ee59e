import path from 'node:path';
import { Cancelled, messageOf } from './errors.js';
import { githubWorld } from './github/world.js';
import { secretsIn } from './inputs.js';
import { main } from './main.js';
import { post } from './post.js';

/**
 * The one entry of main and post. `post.js` imports it, so the file that the runner started says which of them this is:
 * a mark that main leaves would be missing when main is killed before it can.
 */
const isPost = path.basename(process.argv[1] ?? '') === 'post.js';
/** Connections that are kept alive would hold the process; by then everything has been written. */
const LAST_EXIT_MS = 3000;

const cancel = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => cancel.abort(new Cancelled(signal)));
}
const world = githubWorld(process.env, cancel.signal);

try {
  for (const secret of secretsIn(process.env)) world.log.mask(secret);
  if (isPost) await post(world);
  else await main(world);
} catch (thrown) {
  world.log.error(messageOf(thrown), { title: 'Scale test gate' });
  world.step.fail();
}
setTimeout(() => process.exit(), LAST_EXIT_MS).unref();
