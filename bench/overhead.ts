import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { node24Path } from '../simulator/runner/runner.js';
import { startSimulatedWorld } from '../simulator/simulated-world.js';

const CONFIG = `
create_workspaces:
  count: 1000
  templates:
    pod_workspaces: { template: pod-swdev, count: 700, concurrency: 100, expected_p95: "2m" }
    ec2_workspaces: { template: ec2-datasci, count: 300, concurrency: 50, expected_p95: "5m" }
`;

const verdictShape = z.object({ verdict: z.string() });
const leftoversShape = z.object({ seconds: z.number(), deletedWorkspaces: z.number() });

/** What the gate takes beyond the load and the deletions, for 1,000 simulated workspaces. */
export async function benchOverhead(): Promise<readonly string[]> {
  const fast = { startSeconds: { median: 0.5, sigma: 0.2 }, deleteSeconds: { median: 0.2, sigma: 0.2 } };
  const world = await startSimulatedWorld({
    deployment: {
      disableRateLimits: true,
      provisionerSlots: 150,
      templateOverrides: { 'pod-swdev': fast, 'ec2-datasci': fast },
    },
  });
  try {
    const nodePath = node24Path();
    const times = new Map<string, number>();
    const began = performance.now();
    const run = await world.run(CONFIG, {
      ...(nodePath !== undefined && { nodePath }),
      onLog: (line) => {
        const at = performance.now() - began;
        if (line === '##[group]Create workspaces') times.set('load begins', at);
        if (line.startsWith('##[group]Clean up')) times.set('clean-up begins', at);
        if (/: done after \d+ s/.test(line)) times.set('load ends', at);
        if (line.startsWith('Clean-up: ')) times.set('clean-up ends', at);
      },
    });
    const results = run.outputs['results-dir'] ?? '';
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(path.join(results, name), 'utf8'));
    const { verdict } = verdictShape.parse(await read('verdict.json'));
    const { deletedWorkspaces } = leftoversShape.parse(await read('leftovers.json'));
    const span = (from: string, to: string): number =>
      ((times.get(to) ?? Number.NaN) - (times.get(from) ?? Number.NaN)) / 1000;
    const total = run.main.durationMs / 1000;
    const load = span('load begins', 'load ends');
    const cleanup = span('clean-up begins', 'clean-up ends');
    await run.cleanUp();
    return [
      `Gate with 1,000 simulated workspaces (verdict ${verdict}, ${deletedWorkspaces} deleted): ${total.toFixed(1)} s`,
      `  load ${load.toFixed(1)} s, clean-up ${cleanup.toFixed(1)} s`,
      `  the gate's own overhead (start, install, checks, measuring, judging, report, upload): ${(total - load - cleanup).toFixed(1)} s,`,
      `  of that between the end of the load and the clean-up: ${span('load ends', 'clean-up begins').toFixed(1)} s`,
    ];
  } finally {
    await world.close();
  }
}
