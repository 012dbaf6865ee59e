import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { criteriaAnew } from '../plan/plan.js';
import type { Plan } from '../plan/plan-types.js';
import { judgedReport } from '../record/judged-report.js';
import { readRecordedRun, type RecordedRun } from '../record/recorded-run.js';
import { ResultsDirectory } from '../results-directory.js';
import type { World } from '../world.js';
import { readConfig } from './configuring.js';
import { reportRun } from './reporting.js';
import { planUpload, uploadEvidence } from './uploading.js';

/**
 * Mode judge: the verdict and every report again from the results of a gate or run, also by other criteria. It asks nobody,
 * and leaves nothing for post.
 */
export async function judgeAgain(inputs: Inputs, world: World): Promise<void> {
  const from = inputs.from ?? '';
  const directory = path.resolve(world.job.workspace, from);
  const run = await readRecordedRun(directory, from);
  const plan = await planToJudge(run, inputs, world);
  await refuseInside(directory, inputs, world);
  const place = { workspace: world.job.workspace, parent: inputs.resultsDirectory };
  const results = await ResultsDirectory.create(place, world.clock.now(), world.redactor);
  world.step.setOutput('results-dir', results.path);
  const { serverVersion } = run.readiness;
  if (serverVersion !== undefined) world.step.setOutput('coder-version', serverVersion);
  for (const [name, text] of Object.entries(run.files)) await results.writeText(name, text);
  if (plan !== run.plan) await results.writeJson('plan.json', plan);
  world.step.setOutput('plan', JSON.stringify(plan));
  world.log.info(`The run of ${run.account.startedAt} against ${run.account.environment} is judged again`);
  await reportRun(judgedReport({ ...run, plan }), inputs, results, world);
  const upload = planUpload(inputs, results.path, world);
  if (upload !== undefined && !world.cancelled.aborted) await uploadEvidence(upload, world);
}

/** The plan of the run, with the criteria of the config where one is named. */
async function planToJudge({ plan, metrics }: RecordedRun, inputs: Inputs, world: World): Promise<Plan> {
  const { configPath, subject } = inputs;
  const named = subject === undefined || subject === plan.subject ? plan : { ...plan, subject };
  if (configPath === undefined) return named;
  const profile = inputs.profile ?? plan.profile;
  const loaded = await readConfig(
    { configPath, ...(profile !== undefined && { profile }) },
    world.job.workspace,
  );
  const cleanupInMain = metrics.some(({ name }) => name.startsWith('cleanup.'));
  return { ...named, criteria: criteriaAnew(loaded, plan, { tests: inputs.tests, cleanupInMain }) };
}

/** The results of a run stay as they are. */
async function refuseInside(from: string, { resultsDirectory }: Inputs, { job }: World): Promise<void> {
  const [source, workspace] = await Promise.all([realpath(from), realpath(job.workspace)]);
  const target = path.resolve(workspace, resultsDirectory);
  if (target !== source && !target.startsWith(source + path.sep)) return;
  throw new ConfigurationError([
    {
      message: `input "results-dir" is "${resultsDirectory}", which lies inside the results that are judged (input "from"); give another folder`,
    },
  ]);
}
