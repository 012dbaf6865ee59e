import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { latenciesBesideServer } from '../../real/server-latency.js';
import { compareServer } from '../../src/judge/server-comparison.js';
import type { LoadSeries } from '../../src/load/load-types.js';
import { serverDelta } from '../../src/measure/server-latency.js';
import { skipped } from '../../src/server-evidence.js';
import { loadResultOf, seriesOf } from '../support/load-results.js';
import { observation, serverPage } from '../support/server-pages.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** As the action writes it. */
function resultsWith(content: unknown): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'results-'));
  folders.push(folder);
  mkdirSync(path.join(folder, 'evidence'));
  const text = JSON.stringify(content, (_, value: unknown) => (value === Infinity ? 'infinite' : value));
  writeFileSync(path.join(folder, 'evidence/server-latency.json'), text);
  return folder;
}

const delta = serverDelta(
  observation(
    [serverPage([])],
    [
      serverPage([
        { path: '/api/v2/users/{user}', latencies: [0.03, 0.03] },
        { path: '/api/v2/slow', latencies: [40] },
      ]),
    ],
  ),
);
const comparedWith = (...series: LoadSeries[]): string =>
  resultsWith({ schema: 1, delta, comparison: compareServer(loadResultOf(series), delta) });

describe('the latencies of a run against a real server', () => {
  it('are printed side by side, with what lies outside', async () => {
    const slow = seriesOf([45_000], { route: 'slow', pattern: '/api/v2/slow' });
    const lines = await latenciesBesideServer(comparedWith(seriesOf([70, 70]), slow));
    expect(lines[0]).toBe("Latencies, ours / the server's (3 of 3 requests to its API were ours):");
    expect(lines[1]).toMatch(
      /GET \/api\/v2\/users\/\{user\} +n 2 \/ 2 \(2 ours\) {3}P95 70 ms \/ 25 ms to 50 ms OUTSIDE by 20 ms/,
    );
    expect(lines[2]).toMatch(/GET \/api\/v2\/slow .* P95 45000 ms \/ 30000 ms to no bound {3}P99/);
    expect(lines[3]).toMatch(/all pooled routes +n 3 \/ 3/);
  });

  it('show calls that failed as without a bound', async () => {
    const lines = await latenciesBesideServer(comparedWith(seriesOf([70], { failed: 1 })));
    expect(lines[1]).toMatch(/P95 no bound \/ 25 ms to 50 ms OUTSIDE by no bound/);
  });

  it('are the server’s alone without virtual users', async () => {
    const lines = await latenciesBesideServer(resultsWith({ schema: 1, delta }));
    expect(lines[0]).toMatch(/^The server's own latencies, in 60 s/);
    expect(lines[1]).toMatch(/GET \/api\/v2\/users\/\{user\} .* 25 ms to 50 ms, 25 ms to 50 ms/);
    expect(lines[2]).toMatch(/30000 ms to no bound/);
  });

  it('are not there where they were skipped', async () => {
    expect(await latenciesBesideServer(resultsWith({ schema: 1, delta: skipped('old') }))).toEqual([
      "The server's own latencies: skipped, old",
    ]);
  });
});
