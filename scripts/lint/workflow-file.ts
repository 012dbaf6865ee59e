import { isSeq, visit } from 'yaml';
import { type ActionInterface } from './action-file.js';
import {
  type Entry,
  entriesOf,
  missingKeys,
  type Problem,
  textOf,
  unknownKeys,
  valueOf,
  type YamlFile,
} from './yaml-file.js';

export interface WorkflowRules {
  /** Also the rules for this repository's own workflows: pinned actions, no credentials left in the checkout. */
  houseRules: boolean;
}

const topKeys = ['name', 'run-name', 'on', 'permissions', 'env', 'defaults', 'concurrency', 'jobs'];
const jobKeys = [
  ...[
    'name',
    'needs',
    'if',
    'runs-on',
    'permissions',
    'environment',
    'concurrency',
    'outputs',
    'env',
    'defaults',
  ],
  ...[
    'steps',
    'timeout-minutes',
    'strategy',
    'continue-on-error',
    'container',
    'services',
    'uses',
    'with',
    'secrets',
  ],
];
const stepKeys = [
  ...['id', 'if', 'name', 'uses', 'run', 'working-directory', 'shell', 'with', 'env'],
  ...['continue-on-error', 'timeout-minutes'],
];
const concurrencyKeys = ['group', 'cancel-in-progress', 'queue'];
/** Text that somebody else writes (titles, branch names): inside a script it is code. */
const foreignText = /\$\{\{[^}]*\bgithub\.(?:event\b|head_ref\b)/;
const fullSha = /^[^@]+@[0-9a-f]{40}$/;

export function lintWorkflow(
  file: YamlFile,
  action: ActionInterface | undefined,
  rules: WorkflowRules,
): Problem[] {
  const top = file.document.contents;
  return [
    ...unknownKeys(file, top, topKeys, 'the workflow'),
    ...missingKeys(file, top, ['on', 'permissions', 'jobs'], 'The workflow'),
    ...lintConcurrency(file, top),
    ...entriesOf(valueOf(top, 'jobs')).flatMap((job) => lintJob(file, job, rules)),
    ...lintGateSteps(file, action),
  ];
}

function lintJob(file: YamlFile, { key, value: job }: Entry, rules: WorkflowRules): Problem[] {
  const where = `Job "${key}"`;
  const unknown = [...unknownKeys(file, job, jobKeys, `job "${key}"`), ...lintConcurrency(file, job)];
  // A job that calls a workflow has neither a runner nor a timeout of its own.
  if (valueOf(job, 'uses') !== undefined) return unknown;
  return [
    ...unknown,
    ...missingKeys(file, job, ['runs-on', 'steps', 'timeout-minutes'], where),
    ...stepsOf(job).flatMap((step) => lintStep(file, step, where, rules)),
  ];
}

/** By default one run waits in a group, and the next one cancels it; with `queue: max` up to a hundred wait. */
function lintConcurrency(file: YamlFile, owner: unknown): Problem[] {
  const group = valueOf(owner, 'concurrency');
  const problems = unknownKeys(file, group, concurrencyKeys, 'a concurrency group');
  const queue = valueOf(group, 'queue');
  const length = textOf(queue);
  if (length !== undefined && !['single', 'max'].includes(length)) {
    problems.push(file.problemAt(queue, `"queue" is "single" or "max", not "${length}".`));
  }
  if (length === 'max' && textOf(valueOf(group, 'cancel-in-progress')) === 'true') {
    problems.push(file.problemAt(queue, 'GitHub refuses "queue: max" with "cancel-in-progress: true".'));
  }
  return problems;
}

function lintStep(file: YamlFile, step: unknown, where: string, { houseRules }: WorkflowRules): Problem[] {
  const [uses, run] = [textOf(valueOf(step, 'uses')), textOf(valueOf(step, 'run'))];
  const problems = unknownKeys(file, step, stepKeys, `a step of ${where.toLowerCase()}`);
  if ((uses === undefined) === (run === undefined)) {
    problems.push(file.problemAt(step, `${where}: a step needs either "uses" or "run".`));
  }
  if (run !== undefined && foreignText.test(run)) {
    const message = 'Text of the event inside a script is code: pass it through "env".';
    problems.push(file.problemAt(valueOf(step, 'run'), message));
  }
  if (houseRules && uses !== undefined) problems.push(...lintUses(file, step, uses));
  return problems;
}

function lintUses(file: YamlFile, step: unknown, uses: string): Problem[] {
  const node = valueOf(step, 'uses');
  const problems: Problem[] = [];
  if (!uses.startsWith('./') && !uses.startsWith('$/') && !fullSha.test(uses)) {
    problems.push(file.problemAt(node, `"${uses}" is not pinned by a full commit SHA.`));
  }
  const persists = textOf(valueOf(valueOf(step, 'with'), 'persist-credentials'));
  if (uses.startsWith('actions/checkout@') && persists !== 'false') {
    problems.push(
      file.problemAt(node, 'The checkout leaves credentials behind: set "persist-credentials: false".'),
    );
  }
  return problems;
}

const isGate = (uses: string): boolean =>
  uses === './' || uses === '$/' || /^[^/]+\/coder-scaletest-gate(?:@|$)/.test(uses);

/** Steps that use this action, anywhere in the file: known inputs only, and only known outputs are read. */
export function lintGateSteps(file: YamlFile, action: ActionInterface | undefined): Problem[] {
  if (!action) return [];
  const problems: Problem[] = [];
  const ids = new Set<string>();
  visit(file.document, {
    Map: (_key, node) => {
      if (!isGate(textOf(valueOf(node, 'uses')) ?? '')) return;
      problems.push(...unknownKeys(file, valueOf(node, 'with'), action.inputs, 'the inputs of this action'));
      const id = textOf(valueOf(node, 'id'));
      if (id !== undefined) ids.add(id);
    },
  });
  visit(file.document, {
    Scalar: (_key, node) => {
      for (const { id, output } of outputsRead(textOf(node) ?? '')) {
        if (ids.has(id) && !action.outputs.includes(output)) {
          problems.push(file.problemAt(node, `The action has no output "${output}" (steps.${id}).`));
        }
      }
    },
  });
  return problems;
}

const outputsRead = (text: string): { id: string; output: string }[] =>
  [...text.matchAll(/\bsteps\.([\w-]+)\.outputs(?:\.([\w-]+)|\[['"]([\w-]+)['"]\])/g)].map(
    ([, id = '', dotted, indexed]) => ({ id, output: dotted ?? indexed ?? '' }),
  );

function stepsOf(job: unknown): unknown[] {
  const steps = valueOf(job, 'steps');
  return isSeq(steps) ? steps.items : [];
}
