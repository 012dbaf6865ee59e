import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../src/coder/version.js';
import type { DashboardBrowserStep } from '../../src/plan/plan-types.js';
import { chooseBrowser, type BrowserFacts } from '../../src/ready/browser.js';
import { serverOf } from '../support/facts.js';
import { browserStepWith, criterionOf } from '../support/plans.js';

const CHROMIUM = { path: '/usr/bin/chromium' };
const asked = criterionOf('p95 < 5s', { id: 'clicks', metric: 'dashboard.action_duration' });

function choose(wanted: DashboardBrowserStep['wanted'], server: string, changes: Partial<BrowserFacts> = {}) {
  return chooseBrowser(browserStepWith({ wanted }), {
    server: serverOf(server),
    cli: parseVersion(server),
    criteria: [],
    findChromium: () => Promise.resolve(CHROMIUM),
    ...changes,
  });
}
const noChromium = { findChromium: () => Promise.resolve({ unusable: 'no Chromium was found' }) };

describe('the choice of the browsers', () => {
  it.each(['v2.21.3', 'v2.7.0', 'v2.21.0+abc1234'])('runs them on %s with Chromium', async (server) => {
    for (const wanted of ['auto', 'always'] as const) {
      const { runs, check } = await choose(wanted, server);
      expect(runs).toBe(true);
      expect(check).toEqual({
        name: 'browser suite',
        status: 'ok',
        message: '5 browsers, with /usr/bin/chromium',
      });
    }
  });

  it.each(['v2.22.0', 'v2.29.3', 'v2.36.0+a1b2c3d', 'v3.0.0', 'v2.37.0-devel+abc'])(
    'leaves them out on %s without looking for Chromium, and says why',
    async (server) => {
      let looked = 0;
      const findChromium = () => Promise.resolve((looked++, CHROMIUM));
      const { runs, check } = await choose('auto', server, { findChromium });
      expect(runs).toBe(false);
      expect(check.status).toBe('ok');
      expect(check.message).toMatch(
        /^left out: .*does nothing on servers from v2\.22 on.*waits for an element/,
      );
      expect(check.message).toContain(server);
      expect(looked).toBe(0);
    },
  );

  it('refuses "always" where the suite does nothing', async () => {
    const { runs, check } = await choose('always', 'v2.36.0');
    expect(runs).toBe(false);
    expect(check.status).toBe('refused');
    expect(check.message).toMatch(/"dashboard.browser: always" cannot be met: .*from v2\.22 on.*v2\.36\.0/);
    expect(check.message).toMatch(/Use "auto" or "never"/);
  });

  it('goes by the pages of the server, not by the version of the CLI', async () => {
    expect((await choose('auto', 'v2.21.3', { cli: parseVersion('v2.36.0') })).runs).toBe(true);
    expect((await choose('auto', 'v2.36.0', { cli: parseVersion('v2.21.3') })).runs).toBe(false);
  });

  it.each<[string, Partial<BrowserFacts>, RegExp]>([
    ['Chromium is missing', noChromium, /no Chromium was found/],
    ['the CLI is too old', { cli: parseVersion('v2.6.0') }, /CLI 2\.6\.0 .*--target-users, since v2\.7/],
  ])('leaves them out or refuses where %s', async (_, facts, reason) => {
    const auto = await choose('auto', 'v2.21.3', facts);
    expect(auto).toMatchObject({ runs: false, check: { status: 'ok' } });
    expect(auto.check.message).toMatch(reason);
    const always = await choose('always', 'v2.21.3', facts);
    expect(always).toMatchObject({ runs: false, check: { status: 'refused' } });
    expect(always.check.message).toMatch(reason);
  });

  it('tries "always" on a server of unknown version, with a warning, and leaves "auto" out', async () => {
    const always = await choose('always', 'edge-build');
    expect(always).toMatchObject({ runs: true, check: { status: 'warning' } });
    expect(always.check.message).toMatch(/edge-build.*without any action the run is an error/);
    const auto = await choose('auto', 'edge-build');
    expect(auto).toMatchObject({ runs: false, check: { status: 'ok' } });
    expect(auto.check.message).toMatch(/edge-build/);
  });

  it('refuses a criterion that needs browsers where none run, unless it decides nothing', async () => {
    const refusal = await choose('auto', 'v2.36.0', { criteria: [asked] });
    expect(refusal).toMatchObject({ runs: false, check: { status: 'refused' } });
    expect(refusal.check.message).toMatch(/the criterion "clicks" asks for what browsers do/);
    const harmless = [
      { ...asked, informational: true },
      { ...asked, disabled: { reason: 'later' } },
      criterionOf('p95 < 5s'),
    ];
    expect((await choose('auto', 'v2.36.0', { criteria: harmless })).check.status).toBe('ok');
    expect((await choose('auto', 'v2.21.3', { criteria: [asked] })).runs).toBe(true);
  });
});
