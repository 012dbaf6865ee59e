import { z } from 'zod';
import { DeploymentFunctions } from '../coder/deployment-functions.js';
import { messageOf } from '../errors.js';
import { CLI_SUITES } from '../plan/cli-suites.js';
import type { Plan } from '../plan/plan-types.js';
import { suiteStepsOf } from '../plan/steps.js';
import type { World } from '../world.js';
import type { Connection } from './connecting.js';

const STATE = 'restoring';

/** What the suites of a run change on the deployment beside users and workspaces: post undoes it if main does not. */
const debtSchema = z.object({
  resumePrebuilds: z.boolean(),
  /** Names of templates that the suites make; with a dash at the end, all whose names begin so. */
  templates: z.array(z.string()),
  /** Ids of the templates that were there before, which stay. */
  before: z.array(z.string()),
});
export type RestoringDebt = z.infer<typeof debtSchema>;

/** Only what bears the mark of Coder's scale tests is ever deleted. */
const MARK = 'scaletest-';

/** What a plan will have to undo; undefined when nothing. */
export function restoringDebt(
  plan: Plan,
  templatesBefore: readonly { readonly id: string }[],
  removesTemplates: boolean,
): RestoringDebt | undefined {
  const steps = suiteStepsOf(plan);
  const templates = steps.flatMap((step) => CLI_SUITES[step.suite].templatesMade?.(step.flags) ?? []);
  const debt: RestoringDebt = {
    resumePrebuilds: steps.some(({ suite }) => CLI_SUITES[suite].pauses === 'prebuilds'),
    templates: removesTemplates ? templates.filter((name) => name.startsWith(MARK)) : [],
    before: templatesBefore.map(({ id }) => id),
  };
  return debt.resumePrebuilds || debt.templates.length > 0 ? debt : undefined;
}

/** From here on post restores, whatever happens to main. */
export const oweRestoring = (debt: RestoringDebt, world: World): void =>
  world.state.save(STATE, JSON.stringify(debt));

export const settleRestoring = (world: World): void => world.state.clear(STATE);

/** What main left to undo; undefined when nothing. */
export function owedRestoring(world: World): RestoringDebt | undefined {
  const text = world.state.read(STATE);
  return text === '' ? undefined : debtSchema.parse(JSON.parse(text));
}

/** Lets go on what a suite has paused. @returns the sentence of a failure. */
export async function resume(
  { resumePrebuilds }: RestoringDebt,
  connection: Connection,
  world: World,
): Promise<string | undefined> {
  if (!resumePrebuilds) return undefined;
  const functions = new DeploymentFunctions(connection.identity.api.http);
  try {
    if (!(await functions.prebuildsPaused(world.cancelled))) return undefined;
    await functions.resumePrebuilds(world.cancelled);
    world.log.info('The reconciler of prebuilt workspaces was left paused, and goes on again');
    return undefined;
  } catch (thrown) {
    return `whether prebuilt workspaces go on again is not known: ${messageOf(thrown)}; run "coder prebuilds resume"`;
  }
}

/**
 * What the suites of a run may have left that was lost with its post. Whether it is wanted only a person knows, so it is
 * named and not undone. To be asked under the lease: beside a running test it is that one's. @returns sentences.
 */
export async function suiteTraces({ identity }: Connection, world: World): Promise<readonly string[]> {
  const functions = new DeploymentFunctions(identity.api.http);
  try {
    const made = Object.values(CLI_SUITES).flatMap(({ templatesMade }) => templatesMade?.({}) ?? []);
    const templates = (await functions.templates(world.cancelled))
      .map(({ name }) => name)
      .filter((name) => isMadeBySuite(name, made));
    return [
      ...((await functions.prebuildsPaused(world.cancelled))
        ? [
            'the reconciler of prebuilt workspaces is paused; unless somebody wants that, run "coder prebuilds resume"',
          ]
        : []),
      ...(templates.length > 0
        ? [
            `templates with names that suites give are there: ${templates.join(', ')}; delete them with "coder templates delete"`,
          ]
        : []),
    ];
  } catch (thrown) {
    world.cancelled.throwIfAborted();
    return [`whether suites left templates or paused prebuilt workspaces is not known: ${messageOf(thrown)}`];
  }
}

const isMadeBySuite = (name: string, templates: readonly string[]): boolean =>
  templates.some((one) => (one.endsWith('-') ? name.startsWith(one) : name === one));

/** Removes templates that a suite made, once their workspaces are gone. @returns the sentence of a failure. */
export async function removeTemplates(
  { templates, before }: RestoringDebt,
  connection: Connection,
  world: World,
): Promise<string | undefined> {
  if (templates.length === 0) return undefined;
  const functions = new DeploymentFunctions(connection.identity.api.http);
  try {
    const made = (await functions.templates(world.cancelled)).filter(
      ({ id, name }) => !before.includes(id) && isMadeBySuite(name, templates),
    );
    for (const { id } of made) await functions.deleteTemplate(id, world.cancelled);
    if (made.length > 0)
      world.log.info(`Templates that a suite left were removed: ${made.map(({ name }) => name).join(', ')}`);
    return undefined;
  } catch (thrown) {
    return `templates of the suites (${templates.join(', ')}) could not be removed: ${messageOf(thrown)}; "coder exp scaletest cleanup" removes those of prebuilt workspaces, the others can be deleted by hand`;
  }
}
