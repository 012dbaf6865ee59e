import { asJson, asList, type Json, text } from './answers.js';
import { commandFailure } from './exit.js';
import { asGoError, GoError } from './go-errors.js';
import { type Limits, type Run, runHarness } from './harness.js';
import { type Invocation, traced } from './invocation.js';
import { framesOf } from './frames.js';
import { failures, resultsText } from './results.js';
import { deleteWorkspace } from './workspace-runner.js';

const PAGE = 100;
const PREFIX = 'scaletest-';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function listAll(invocation: Invocation, path: string, key: string): Promise<Json[]> {
  const rows: Json[] = [];
  for (;;) {
    const answer = asJson(await invocation.client.get(`${path}&limit=${PAGE}&offset=${rows.length}`));
    const found = asList(answer[key]);
    rows.push(...found);
    if (found.length === 0) return rows;
  }
}

function isScaletestUser(invocation: Invocation, user: Json): boolean {
  if (text(user, 'email').endsWith('@scaletest.local')) return true;
  return invocation.isAtLeast('v2.27.0') && text(user, 'username').startsWith(PREFIX);
}

async function deletePhase(
  invocation: Invocation,
  kind: 'workspaces' | 'users',
  rows: Json[],
  remove: (row: Json, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (rows.length === 0) return;
  process.stderr.write(`ERROR: Found ${rows.length} scaletest ${kind}\n\n`);
  say(`Deleting scaletest ${kind}...`);
  const { values } = invocation;
  const limits: Limits = {
    concurrency: values.number('cleanup-concurrency'),
    timeout: values.duration('cleanup-timeout'),
    jobTimeout: values.duration('cleanup-job-timeout'),
  };
  const runs = rows.map((row, index): Run => ({
    id: String(index),
    logs: [],
    execute: (signal) => remove(row, signal),
  }));
  const results = await runHarness('cleanup', runs, limits);
  say(`Done deleting scaletest ${kind}:`);
  process.stderr.write(resultsText(results));
  if (failures(results) > 0) throw new GoError(`failed to delete scaletest ${kind}`);
}

/** Since v2.34 the prebuild reconciler is paused first, which needs a Premium licence. */
async function pausePrebuilds(invocation: Invocation, paused: boolean): Promise<void> {
  if (!invocation.isAtLeast('v2.34.0')) return;
  if (paused) say('Pausing prebuilds reconciler...');
  await traced(`${paused ? 'pause' : 'resume'} prebuilds reconciler`, () =>
    invocation.client.call('PUT', '/api/v2/prebuilds/settings', { reconciliation_paused: paused }),
  );
}

async function cleanUp(invocation: Invocation): Promise<void> {
  const { client, values, version, behaviour } = invocation;
  await invocation.requireOwner();
  client.options.bypassLimits = true;
  await client.get('/api/v2/deployment/config');
  await pausePrebuilds(invocation, true);
  const template = values.text('template');
  if (template !== '' && invocation.isAtLeast('v2.34.0')) {
    throw new GoError(
      `template "${template}" is not a scaletest prebuilds template (expected prefix "scaletest-prebuilds-template-")`,
    );
  }
  say('Fetching scaletest workspaces...');
  const query = `name:"${PREFIX}"${template === '' ? '' : ` template:"${template}"`}`;
  const workspaces = await listAll(
    invocation,
    `/api/v2/workspaces?q=${encodeURIComponent(query)}`,
    'workspaces',
  );
  const mine = workspaces.filter(
    (row) => text(row, 'name').startsWith(PREFIX) || text(row, 'owner_name').startsWith(PREFIX),
  );
  const quiet = { write: (): void => undefined };
  const frame = framesOf(version).buildEnd;
  await deletePhase(invocation, 'workspaces', mine, (row, signal) =>
    deleteWorkspace({ client, logs: quiet, signal, pollScale: behaviour.pollScale, frame }, text(row, 'id')),
  );
  say('Fetching scaletest users...');
  const users = (await listAll(invocation, `/api/v2/users?q=${PREFIX}`, 'users')).filter((user) =>
    isScaletestUser(invocation, user),
  );
  await deletePhase(invocation, 'users', users, async (row, signal) => {
    await client.call('DELETE', `/api/v2/users/${text(row, 'id')}`, undefined, signal);
  });
  await pausePrebuilds(invocation, false);
}

/** `coder exp scaletest cleanup` */
export async function cleanup(invocation: Invocation): Promise<void> {
  try {
    await cleanUp(invocation);
  } catch (error) {
    throw commandFailure(invocation.path, asGoError(error).short());
  }
}
