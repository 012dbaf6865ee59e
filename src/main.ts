import { ConfigurationError, messageOf } from './errors.js';
import { readInputs } from './stages/configuring.js';
import { checkAndRun } from './stages/gate.js';
import { removeLeftovers } from './stages/cleanup-mode.js';
import { judgeAgain } from './stages/judge-mode.js';
import { planRun } from './stages/planning.js';
import { reportMistakes, reportUnexpected } from './stages/reporting.js';
import type { World } from './world.js';

/** The action's main step: plan, check, run, measure, clean up, judge, report. */
export async function main(world: World): Promise<void> {
  try {
    const inputs = await readInputs(world);
    if (inputs.mode === 'cleanup') {
      await removeLeftovers(inputs, world);
      return;
    }
    if (inputs.mode === 'judge') {
      await judgeAgain(inputs, world);
      return;
    }
    const planned = await planRun(inputs, world);
    if (inputs.mode === 'plan') return;
    await checkAndRun(planned, inputs, world);
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) await reportMistakes(thrown, world);
    else await reportUnexpected(messageOf(thrown), world);
  }
}
