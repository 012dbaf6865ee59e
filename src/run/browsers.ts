import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { browserAtMetricsPort } from '../plan/dashboard-browser.js';
import type { DashboardBrowserStep } from '../plan/plan-types.js';
import { milliseconds } from '../units.js';
import { browserProfiles } from './browser-profiles.js';
import { freePort } from './metrics-page.js';
import { runPagedSuite } from './paged-suite.js';
import type { RunContext, StepOutcome } from './run-types.js';

/** Where the suite does something, its page is gone with the load: what was counted after the last read is lost. */
const BETWEEN_READS = milliseconds(1000);
/** Messages of a newer Chromium that the CLI does not know; hundreds a minute, and they do no harm. */
const UNKNOWN_MESSAGE = /ERROR: could not unmarshal event: /;

/** Runs the CLI's dashboard suite, which starts a Chromium for each of its users. */
export async function runBrowsers(step: DashboardBrowserStep, context: RunContext): Promise<StepOutcome> {
  // The CLI often fails to remove them.
  const profiles = browserProfiles(path.dirname(step.resultFile));
  await mkdir(profiles, { mode: 0o700 });
  try {
    return await runPagedSuite(
      {
        step: browserAtMetricsPort(step, await freePort()),
        describe: context.describeBrowserPage,
        interval: BETWEEN_READS,
        isNoise: (line) => UNKNOWN_MESSAGE.test(line),
        // Browsers that start would make the calls of the virtual users late.
        givesWay: true,
      },
      { ...context, childEnvironment: { ...context.childEnvironment, TMPDIR: profiles } },
    );
  } finally {
    await rm(profiles, { recursive: true, force: true, maxRetries: 3 });
  }
}
