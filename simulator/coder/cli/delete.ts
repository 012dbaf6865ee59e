import { asJson, text } from './answers.js';
import type { ApiClient } from './api-client.js';
import { CliFailure, commandFailure } from './exit.js';
import { framesOf } from './frames.js';
import { asGoError } from './go-errors.js';
import { deleteBuild } from './workspace-runner.js';

/**
 * `coder delete OWNER/NAME --yes` as cli/delete.go has it: finds the workspace, asks for a build that deletes it, and
 * follows that to its end.
 */
export async function deleteWorkspaceByName(
  client: ApiClient,
  args: string[],
  { version, pollScale }: { version: string; pollScale: number },
): Promise<void> {
  const [name, ...others] = args.filter((word) => !word.startsWith('-'));
  if (name === undefined || others.length > 0)
    throw commandFailure(
      'coder delete',
      `wanted 1 args but got ${others.length + (name === undefined ? 0 : 1)} []`,
    );
  if (!args.includes('--yes') && !args.includes('-y'))
    throw new CliFailure('coder simulator: "coder delete" without --yes is not simulated');
  const [owner, workspace] = name.includes('/') ? name.split('/') : ['me', name];
  try {
    const found = asJson(await client.get(`/api/v2/users/${owner ?? ''}/workspace/${workspace ?? ''}`));
    const wait = {
      client,
      logs: { write: (line: string): void => void process.stdout.write(line) },
      signal: new AbortController().signal,
      pollScale,
      frame: framesOf(version).buildEnd,
    };
    await deleteBuild(wait, text(found, 'id'));
    process.stdout.write(`\n${name} has been deleted at ${new Date().toString()}!\n`);
  } catch (error) {
    throw commandFailure('coder delete', asGoError(error).short());
  }
}
