import { formatDuration } from '../config/units.js';
import type { CreateWorkspacesStep } from './plan-types.js';

type StepWithoutCommand = Omit<CreateWorkspacesStep, 'command'>;

/**
 * The argument vector of `coder exp scaletest create-workspaces` for a step. `--name=value` throughout: the CLI's
 * booleans take no separate value. Never `--token`: the CLI repeats its arguments in error messages.
 */
export function createWorkspacesCommand(step: StepWithoutCommand): readonly string[] {
  return [
    'coder',
    'exp',
    'scaletest',
    'create-workspaces',
    `--count=${step.count}`,
    `--template=${step.template}`,
    `--concurrency=${step.concurrency}`,
    `--timeout=${formatDuration(step.timeout)}`,
    `--job-timeout=${formatDuration(step.jobTimeout)}`,
    ...(step.retries > 0 ? [`--retry=${step.retries}`] : []),
    ...(step.owner === 'token-user' ? ['--use-host-login'] : []),
    ...Object.entries(step.parameters).map(([name, value]) => `--parameter=${csvField(`${name}=${value}`)}`),
    // The CLI's own clean-up reports oddly and needs a licence since v2.34; the gate cleans up through the API.
    '--no-cleanup',
    `--output=${csvField(`json:${step.resultFile}`)}`,
  ];
}

/** The CLI reads list flags as CSV, so a comma, quote or line break needs quoting. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
