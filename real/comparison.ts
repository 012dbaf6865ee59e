import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Owner } from './owner.js';

const observed = z.object({
  workspaces: z.array(
    z.object({
      name: z.string(),
      builds: z.array(
        z.object({
          id: z.string(),
          createdAt: z.string(),
          startedAt: z.string().optional(),
          completedAt: z.string().optional(),
        }),
      ),
    }),
  ),
});
const build = z.object({
  workspace_name: z.string(),
  status: z.string(),
  job: z.object({
    created_at: z.string(),
    started_at: z.string().optional(),
    completed_at: z.string().optional(),
  }),
});
const results = z.object({
  runs: z.record(z.string(), z.object({ duration_ms: z.number(), error: z.string() })),
});

const span = (from: string | undefined, to: string | undefined): number =>
  from === undefined || to === undefined ? Number.NaN : (Date.parse(to) - Date.parse(from)) / 1000;

const shown = (value: number): string => (Number.isNaN(value) ? 'not over' : `${value.toFixed(3)} s`);

/** What the action measured beside what the server says of the same builds, which it keeps after they were deleted. */
export async function compareWithServer(
  resultsDirectory: string,
  group: string,
  owner: Owner,
): Promise<readonly string[]> {
  const evidence = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(path.join(resultsDirectory, 'evidence', name), 'utf8'));
  const { workspaces } = observed.parse(await evidence('workspaces.json'));
  const rows: string[] = [];
  let differences = 0;
  for (const workspace of workspaces) {
    const ours = workspace.builds.at(-1);
    if (ours === undefined) continue;
    const theirs = build.parse(await owner.call('GET', `/api/v2/workspacebuilds/${ours.id}`));
    const [queue, run] = [
      span(theirs.job.created_at, theirs.job.started_at),
      span(theirs.job.started_at, theirs.job.completed_at),
    ];
    const [ourQueue, ourRun] = [span(ours.createdAt, ours.startedAt), span(ours.startedAt, ours.completedAt)];
    // A build that went on after a cancelled run was looked at has no time on our side.
    if (Math.abs(queue - ourQueue) > 0.001 || Math.abs(run - ourRun) > 0.001) differences += 1;
    rows.push(
      `${workspace.name.padEnd(24)} queue ${shown(ourQueue)} / ${shown(queue)}   build ${shown(ourRun)} / ${shown(run)}`,
    );
  }
  const file = await evidence(`create-workspaces.${group}.json`).catch(() => undefined);
  const durations =
    file === undefined
      ? []
      : Object.values(results.parse(file).runs).map(({ duration_ms }) => duration_ms / 1000);
  const slowest =
    durations.length === 0
      ? 'no result file'
      : `${durations.length} runs, slowest ${Math.max(...durations).toFixed(2)} s`;
  return [
    `Builds, ours / the server's (${differences} of ${rows.length} differ):`,
    ...rows.map((row) => `  ${row}`),
    `Provisioning by the result file: ${slowest}`,
  ];
}
