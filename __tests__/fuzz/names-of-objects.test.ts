import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { parseInputs } from '../../src/inputs.js';
import { makePlan } from '../../src/plan/plan.js';
import { minutes } from '../../src/units.js';
import { messagesOf } from '../support/mistakes.js';

/** Every JavaScript object has these: a table that is looked up by what a user wrote must not find them. */
const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];

const plan = (text: string) =>
  makePlan(loadConfig('config.yaml', text), {
    tests: 'all',
    maxDuration: minutes(300),
    cleanupInMain: true,
    rawDirectory: '/tmp/raw',
  });
const groups = (name: string): string =>
  `create_workspaces: { count: 60, templates: { ${name}: { template: t, count: 60, concurrency: 5, expected_p95: 2m } } }\n`;

it.each(NAMES)('%s is no mode, no input, no suite and no metric', (name) => {
  expect(messagesOf(() => parseInputs({ INPUT_MODE: name }))).toContainEqual(
    expect.stringMatching(/^input "mode" is ".*"; it can be gate, plan/),
  );
  expect(messagesOf(() => parseInputs({ [`INPUT_${name.toUpperCase()}`]: 'x', INPUT_MODE: 'plan' }))).toEqual(
    [expect.stringMatching(/^unknown input /)],
  );
  expect(messagesOf(() => plan(`suites: { ${name}: {} }\n`))).toContainEqual(
    expect.stringMatching(/there is no suite/),
  );
  const criterion = `criteria: [{ id: x, metric: ${name}.p95, expect: "p95 < 1s" }]\n`;
  expect(messagesOf(() => plan(groups('pods') + criterion))).toEqual([
    expect.stringMatching(/^criterion "x": there is no metric /),
  ]);
  expect(messagesOf(() => plan(`${groups('pods')}${name}: 1\n`))).toEqual([
    expect.stringMatching(/^unknown key /),
  ]);
});

it('a group of such a name has no requirement of the guide', () => {
  const { criteria } = plan(groups('constructor'));
  const own = criteria.find(({ metric }) => metric === 'create_workspaces.constructor.provisioning');
  expect(own).toBeDefined();
  expect(own).not.toHaveProperty('requirement');
});

it('a flag of such a name is one that only the CLI can refuse', () => {
  const flags = 'suites: { task-status: { count: 3, template: t, constructor: 3 } }\n';
  const step = plan(flags).phases.flatMap(({ steps }) => steps)[0];
  expect(step).toHaveProperty('command', expect.arrayContaining(['--constructor=3']));
});
