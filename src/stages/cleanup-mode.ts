import { ApiError } from '../coder/http.js';
import type { Inputs } from '../inputs.js';
import { capitalized, cell, code, sections, table } from '../report/markdown.js';
import type { CleanupResult } from '../coder/cleanup-result.js';
import { heldSentence } from '../ready/lease-check.js';
import { milliseconds } from '../units.js';
import type { World } from '../world.js';
import { clean, cleanupSentence, isClean } from './cleaning.js';
import { readConfig } from './configuring.js';
import { connect, disconnect, type Connection } from './connecting.js';
import { obtainLease, underLease } from './leasing.js';
import { suiteTraces } from './restoring.js';
import { setVerdict } from './reporting.js';

/**
 * Mode cleanup, the janitor: removes every scale-test resource of the deployment, unless a test is running.
 * @throws ConfigurationError when the config that the inputs name has mistakes.
 */
export async function removeLeftovers(inputs: Inputs, world: World): Promise<void> {
  const orphan = await mayOrphan(inputs, world);
  try {
    const connection = await connect(inputs, world);
    try {
      await removeUnderLease({ connection, orphan }, inputs, world);
    } finally {
      await disconnect(connection, world);
    }
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    await world.step.writeSummary(sections(['### Scale-test clean-up failed', cell(thrown.message)]));
    world.log.error(thrown.message, { title: 'Scale-test clean-up' });
    setVerdict('error', thrown.message, world);
    world.step.fail();
  }
}

/** A janitor usually has no checkout, so a config file is read only where the inputs name one. */
async function mayOrphan(inputs: Inputs, world: World): Promise<boolean> {
  if (inputs.configPath === undefined) return false;
  const { config } = await readConfig(inputs, world.job.workspace);
  return config.cleanup.orphan;
}

interface Removal {
  readonly connection: Connection;
  readonly orphan: boolean;
}

async function removeUnderLease(
  { connection, orphan }: Removal,
  inputs: Inputs,
  world: World,
): Promise<void> {
  const me = await connection.identity.api.me();
  if (!me.roles.some(({ name }) => name === 'owner')) {
    throw new ApiError(
      'status',
      `the user "${me.username}" is not an owner; clean-up needs an owner's token or password login`,
    );
  }
  const taken = await obtainLease(connection, inputs, world);
  if ('heldBy' in taken) {
    await reportBusy(heldSentence(taken.heldBy, world.job.runUrl), world);
    return;
  }
  const { lease } = taken;
  await underLease(lease, world, async () => {
    const result = await clean(
      {
        connection,
        scope: { ownUserId: me.id },
        orphan,
        queue: 'short',
        deadline: milliseconds(world.clock.monotonic() + inputs.maxDuration * 1000),
        lease,
      },
      world,
    );
    await report({ result, traces: await suiteTraces(connection, world) }, connection.url, world);
  });
}

/** Nothing is wrong when a scheduled clean-up meets a test: what that leaves is for the next one. */
async function reportBusy(held: string, world: World): Promise<void> {
  const sentence = `nothing was removed, because ${held}`;
  await world.step.writeSummary(sections(['### Scale-test clean-up did nothing', cell(`${sentence}.`)]));
  world.log.warning(sentence, { title: 'Scale-test clean-up' });
  world.step.setOutput('reason', sentence);
}

interface Findings {
  readonly result: CleanupResult;
  /** What else a lost run may have left. */
  readonly traces: readonly string[];
}

async function report({ result, traces }: Findings, url: string, world: World): Promise<void> {
  const sentence = cleanupSentence(result);
  const left = [...result.leftoverWorkspaces, ...result.leftoverUsers];
  const rows = left.slice(0, 50).map(({ name, createdAt, reason }) => [code(name), createdAt, cell(reason)]);
  await world.step.writeSummary(
    sections([
      `### Scale-test clean-up of ${code(url)}`,
      cell(`${capitalized(sentence)}.`),
      rows.length > 0 ? table(['Left', 'Created', 'Why'], rows) : undefined,
      ...traces.map((trace) => cell(`${capitalized(trace)}.`)),
    ]),
  );
  for (const trace of traces) world.log.warning(trace, { title: 'Scale-test clean-up' });
  if (isClean(result)) {
    world.log.info(sentence);
    world.step.setOutput('reason', sentence);
    return;
  }
  world.log.error(sentence, { title: 'Scale-test clean-up' });
  setVerdict('error', sentence, world);
  world.step.fail();
}
