import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  entriesOf,
  missingKeys,
  type Problem,
  textOf,
  unknownKeys,
  valueOf,
  type YamlFile,
} from './yaml-file.js';

/** What a step may pass to the action and read from it. */
export interface ActionInterface {
  inputs: string[];
  outputs: string[];
}

const topKeys = ['name', 'author', 'description', 'inputs', 'outputs', 'runs', 'branding'];
const inputKeys = ['description', 'required', 'default', 'deprecationMessage'];
const runsKeys = ['using', 'main', 'pre', 'pre-if', 'post', 'post-if'];
const brandingColors = ['white', 'black', 'yellow', 'blue', 'green', 'orange', 'red', 'purple', 'gray-dark'];

export function lintAction(file: YamlFile, root: string): { problems: Problem[]; action: ActionInterface } {
  const top = file.document.contents;
  const inputs = entriesOf(valueOf(top, 'inputs'));
  const outputs = entriesOf(valueOf(top, 'outputs'));
  const problems = [
    ...unknownKeys(file, top, topKeys, 'action.yml'),
    ...missingKeys(file, top, ['name', 'description', 'runs'], 'action.yml'),
    ...inputs.flatMap(({ key, value }) => [
      ...unknownKeys(file, value, inputKeys, `input "${key}"`),
      ...missingKeys(file, value, ['description'], `Input "${key}"`),
    ]),
    ...outputs.flatMap(({ key, value }) => [
      ...unknownKeys(file, value, ['description'], `output "${key}"`),
      ...missingKeys(file, value, ['description'], `Output "${key}"`),
    ]),
    ...lintRuns(file, valueOf(top, 'runs'), root),
    ...lintBranding(file, valueOf(top, 'branding')),
  ];
  return {
    problems,
    action: { inputs: inputs.map(({ key }) => key), outputs: outputs.map(({ key }) => key) },
  };
}

function lintRuns(file: YamlFile, runs: unknown, root: string): Problem[] {
  const using = valueOf(runs, 'using');
  const scripts = ['main', 'pre', 'post'].map((key) => ({ key, node: valueOf(runs, key) }));
  return [
    ...unknownKeys(file, runs, runsKeys, '"runs"'),
    ...missingKeys(file, runs, ['using', 'main'], '"runs"'),
    ...(textOf(using) === 'node24' ? [] : [file.problemAt(using, 'runs.using must be node24.')]),
    ...scripts
      .filter(({ node }) => node !== undefined && !existsSync(join(root, textOf(node) ?? '')))
      .map(({ key, node }) => file.problemAt(node, `runs.${key}: there is no file ${textOf(node) ?? ''}.`)),
  ];
}

function lintBranding(file: YamlFile, branding: unknown): Problem[] {
  if (branding === undefined) return [];
  const color = valueOf(branding, 'color');
  return [
    ...unknownKeys(file, branding, ['icon', 'color'], '"branding"'),
    ...(brandingColors.includes(textOf(color) ?? '')
      ? []
      : [file.problemAt(color, `branding.color must be one of ${brandingColors.join(', ')}.`)]),
  ];
}
