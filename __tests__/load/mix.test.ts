import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { deriveMix, mixModule, RECORDING } from '../../scripts/derive-mix.js';
import { dashboardMix } from '../../src/load/mix-data.js';
import {
  fillBody,
  fillPath,
  withoutRoutes,
  withoutWorkspaces,
  type Batch,
  type Mix,
} from '../../src/load/mix.js';
import { explainSkip, hasRecordings, sharedJson } from '../support/shared.js';

const batchesOf = (mix: Mix): readonly Batch[] => mix.pages.flatMap(({ batches }) => batches);

explainSkip('the mix and its recording');
describe.skipIf(!hasRecordings)('the mix and its recording', () => {
  it('is what the script derives', async () => {
    const committed = readFileSync(path.join(import.meta.dirname, '../../src/load/mix-data.ts'), 'utf8');
    expect(committed).toBe(await mixModule(sharedJson(RECORDING)));
  });

  it('holds every recorded call of a page load, in order', () => {
    const { calls } = sharedJson(RECORDING) as {
      calls: { phase: string; ms: number; method: string; url: string; type: string }[];
    };
    for (const page of dashboardMix.pages) {
      const recorded = calls.filter(
        ({ phase, ms, type }) =>
          phase.startsWith(`${page.id}, page load`) && ms < 20_000 && type !== 'websocket',
      );
      const ids = { user: '', workspaceName: '', nonce: '', template: 'ID', workspace: 'ID', build: 'ID' };
      const values = { ...ids, agent: 'ID', templateVersion: 'ID' };
      const sent = page.batches.flatMap((batch) => batch.calls.map((call) => fillPath(call.path, values)));
      const expected = recorded.map(({ url }) =>
        url
          .replaceAll('{scaletest-name}', '')
          .replaceAll('{uuid}', 'ID')
          .replace(/cache_bust=.*/, 'cache_bust='),
      );
      expect(sent).toEqual(expected);
    }
  });

  it('refuses a recording with ids that nobody explained', () => {
    const recording = sharedJson(RECORDING) as { role: string; calls: object[] };
    const stranger = {
      phase: 'templates, page load',
      ms: 900,
      method: 'GET',
      url: '/api/v2/gadgets/{uuid}',
      type: 'xhr',
    };
    expect(() => deriveMix({ ...recording, calls: [...recording.calls, stranger] })).toThrow(
      /nobody said what the ids in \/api\/v2\/gadgets/,
    );
  });
});

describe('the committed mix', () => {
  it('asks the polls in their recorded periods', () => {
    expect(dashboardMix.polls.map(({ everyMs, call }) => [call.route, everyMs])).toEqual([
      ['workspaces', 30_000],
      ['tasks', 60_000],
    ]);
  });

  it('waits only for earlier calls of the batch, and its first calls for none', () => {
    for (const { calls } of batchesOf(dashboardMix)) {
      expect(calls[0]?.waitsFor).toEqual([]);
      for (const [index, { waitsFor }] of calls.entries()) {
        for (const before of waitsFor) expect(before).toBeLessThan(index);
      }
    }
  });

  it('asks for ids only after the call whose answer names them', () => {
    for (const { calls } of batchesOf(dashboardMix)) {
      for (const { path: url, waitsFor } of calls) {
        if (!/\/(templates|workspacebuilds|workspaces|workspaceagents|templateversions)\/\{/.test(url))
          continue;
        const before = waitsFor.map((index) => calls[index]?.route);
        expect(before.some((route) => route === 'workspaces' || route === 'user-workspace-name')).toBe(true);
      }
    }
  });

  it('keeps HTML, latency-check and buildinfo out of the pool', () => {
    const out = dashboardMix.routes.filter(({ pool }) => !pool).map(({ id }) => id);
    expect(out.sort()).toEqual(['document', 'latency-check']);
    expect(
      dashboardMix.routes.filter(({ pattern }) => pattern.startsWith('/api/')).every(({ pool }) => pool),
    ).toBe(true);
  });

  it('names at most ten resource ids in a body, as the server demands', () => {
    for (const { body } of batchesOf(dashboardMix).flatMap(({ calls }) => calls)) {
      if (body === undefined) continue;
      const filled = fillBody(body, { workspace: 'w', template: 't' });
      expect(Object.keys(JSON.parse(filled ?? '') as object)).toEqual(['checks']);
      expect((filled?.match(/resource_id/g) ?? []).length).toBeLessThanOrEqual(10);
    }
  });
});

describe('changing the mix', () => {
  it('lets what waited for a dropped call wait for what that call waited for', () => {
    const without = withoutRoutes(dashboardMix, new Set(['authcheck']));
    const batch = without.pages.find(({ id }) => id === 'workspaces')?.batches[1];
    const build = batch?.calls.find(({ route }) => route === 'build-parameters');
    expect(build?.waitsFor.map((index) => batch?.calls[index]?.route)).toEqual(['workspaces']);
    expect(without.version).toBe(`${dashboardMix.version} without authcheck`);
    expect(without.routes.some(({ id }) => id === 'authcheck')).toBe(false);
  });

  it('leaves out pages and polls of which nothing is left', () => {
    const without = withoutRoutes(dashboardMix, new Set(['tasks']));
    expect(without.polls.map(({ call }) => call.route)).toEqual(['workspaces']);
    expect(withoutRoutes(dashboardMix, new Set(dashboardMix.routes.map(({ id }) => id))).pages).toEqual([]);
  });

  it('lets users without a workspace visit the two lists only', () => {
    const mix = withoutWorkspaces(dashboardMix);
    expect(mix.pages.map(({ id }) => id)).toEqual(['workspaces', 'templates']);
    const paths = batchesOf(mix).flatMap(({ calls }) => calls.map(({ path: url }) => url));
    expect(paths.filter((url) => /\{(workspace|build|agent|workspaceName)\}/.test(url))).toEqual([]);
  });

  it('fills placeholders, escaped, or says that one has no value', () => {
    expect(fillPath('/a/{user}?q={nonce}', { user: 'a b/c', nonce: '1' })).toBe('/a/a%20b%2Fc?q=1');
    expect(fillPath('/a/{user}', {})).toBeUndefined();
    expect(fillBody('{"a":{"b":"{user}"}}', { user: 'quote"d' })).toBe('{"a":{"b":"quote\\"d"}}');
  });
});
