import * as core from '@actions/core';
import { messageOf } from '../errors.js';
import type { Redactor } from '../redact/redactor.js';
import type { StepResult, StepState } from '../ports.js';

/** Outputs, summary and result of the step. Written at once, so that they count when the job is cancelled. */
export const githubStep = (redactor: Redactor): StepResult => ({
  setOutput: (name, value) => core.setOutput(name, redactor.clean(value)),
  writeSummary: async (markdown) => {
    await core.summary.addRaw(redactor.clean(markdown)).write({ overwrite: true });
    core.summary.emptyBuffer();
  },
  fail: () => {
    process.exitCode = core.ExitCode.Failure;
  },
});

/** What main leaves for post. */
export const githubState: StepState = {
  save: (name, value) => core.saveState(name, value),
  clear: (name) => {
    try {
      core.saveState(name, '');
    } catch (thrown) {
      core.debug(`the state "${name}" could not be taken back: ${messageOf(thrown)}`);
    }
  },
  read: (name) => core.getState(name),
};
