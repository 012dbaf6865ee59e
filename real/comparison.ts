import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Owner } from './owner.js';

const STAGES = ['init', 'plan', 'graph', 'apply'] as const;
/** Times are kept to milliseconds, the server's have microseconds. */
const ROUNDING_S = 0.002;

const part = z.number().optional();
const stagesFile = z.object({
  workspaces: z.array(
    z.object({
      workspace: z.string(),
      buildId: z.string(),
      total: z.number(),
      driverSpan: part,
      serverSpan: z.number(),
      scripts: part,
      parts: z.object({
        user: part,
        queue: part,
        build: part,
        init: part,
        plan: part,
        graph: part,
        apply: part,
        between: part,
        agent: part,
        client: part,
      }),
    }),
  ),
});
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
const interval = z.object({ stage: z.string(), started_at: z.string(), ended_at: z.string() });
const timings = z.object({
  provisioner_timings: z.array(interval),
  agent_script_timings: z.array(interval),
});

type Times = Record<string, number | undefined>;

const span = (from: string | undefined, to: string | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : (Date.parse(to) - Date.parse(from)) / 1000;

const shown = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(3));

/** What the server says of a build now, computed anew from all its intervals; it keeps them after a workspace was deleted. */
async function timesOfServer(buildId: string, owner: Owner): Promise<Times> {
  const { job } = build.parse(await owner.call('GET', `/api/v2/workspacebuilds/${buildId}`));
  const { provisioner_timings: stages, agent_script_timings: scripts } = timings.parse(
    await owner.call('GET', `/api/v2/workspacebuilds/${buildId}/timings`),
  );
  return {
    queue: span(job.created_at, job.started_at),
    build: span(job.started_at, job.completed_at),
    ...Object.fromEntries(STAGES.map((stage) => [stage, wallTime(stages, stage)])),
    scripts: wallTime(scripts, 'start'),
  };
}

function wallTime(intervals: readonly z.infer<typeof interval>[], stage: string): number | undefined {
  const own = intervals.filter((one) => one.stage === stage);
  if (own.length === 0) return undefined;
  const ends = own.map(({ ended_at }) => Date.parse(ended_at));
  return (Math.max(...ends) - Math.min(...own.map(({ started_at }) => Date.parse(started_at)))) / 1000;
}

/** What the action measured beside what the server says of the same builds. */
export async function compareWithServer(resultsDirectory: string, owner: Owner): Promise<readonly string[]> {
  const evidence = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(path.join(resultsDirectory, 'evidence', name), 'utf8'));
  const { workspaces } = observed.parse(await evidence('workspaces.json'));
  const attributed = stagesFile.parse(await evidence('stages.json')).workspaces;
  const rows: string[] = [];
  let differences = 0;
  for (const workspace of workspaces) {
    const ours = workspace.builds.at(-1);
    if (ours === undefined) continue;
    const theirs = await timesOfServer(ours.id, owner);
    const own = attributed.find(({ buildId }) => buildId === ours.id);
    const measured: Times = {
      queue: span(ours.createdAt, ours.startedAt),
      build: span(ours.startedAt, ours.completedAt),
      ...Object.fromEntries(STAGES.map((stage) => [stage, own?.parts[stage]])),
      scripts: own?.scripts,
    };
    const differs = Object.keys(theirs).filter((name) => isApart(measured[name], theirs[name]));
    // After a cancel, and of what went on when it was looked at, there is nothing on our side.
    const unread = Object.keys(theirs).filter(
      (name) => measured[name] === undefined && theirs[name] !== undefined,
    );
    if (differs.length > 0) differences += 1;
    rows.push(
      `${workspace.name.padEnd(24)} ${Object.keys(theirs)
        .map((name) => `${name} ${shown(measured[name])} / ${shown(theirs[name])}`)
        .join(
          '   ',
        )}${differs.length > 0 ? `   DIFFERENT: ${differs.join(', ')}` : ''}${unread.length > 0 ? `   not read: ${unread.join(', ')}` : ''}`,
    );
    if (own?.driverSpan !== undefined)
      rows.push(
        `${''.padEnd(24)} provisioning ${shown(own.driverSpan)}, of which on the server ${shown(own.serverSpan)}, user ${shown(own.parts.user)}, client ${shown(own.parts.client)}; between the stages ${shown(own.parts.between)}, agent ${shown(own.parts.agent)}`,
      );
  }
  return [
    `Builds, ours / the server's in seconds (${differences} of ${workspaces.length} differ):`,
    ...rows.map((row) => `  ${row}`),
  ];
}

function isApart(ours: number | undefined, theirs: number | undefined): boolean {
  if (ours === undefined) return false;
  if (theirs === undefined) return true;
  return Math.abs(ours - theirs) > ROUNDING_S;
}
