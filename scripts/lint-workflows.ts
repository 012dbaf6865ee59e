import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lintAction, type ActionInterface } from './lint/action-file.js';
import { loadYaml, type Problem, type YamlFile } from './lint/yaml-file.js';
import { lintGateSteps, lintWorkflow } from './lint/workflow-file.js';

/*
 * Checks action.yml, the workflows and the examples without network: what GitHub would only say after a push, and
 * the house rules (permissions, timeouts, pinned actions, no event text inside scripts).
 * `tsx scripts/lint-workflows.ts` checks the working directory and exits 1 on problems.
 */

export interface LintReport {
  problems: Problem[];
  /** The files that were looked at. */
  checked: string[];
  /** What is not there yet, in sentences. */
  notes: string[];
}

export function lintRepository(root: string): LintReport {
  const report: LintReport = { problems: [], checked: [], notes: [] };
  const load = (path: string): YamlFile => {
    const name = relative(root, path);
    report.checked.push(name);
    return loadYaml(name, readFileSync(path, 'utf8'), report.problems);
  };
  const action = lintActionFile(root, report, load);
  for (const path of filesIn(root, '.github', report)) {
    const file = load(path);
    if (relative(root, path).startsWith('.github/workflows/')) {
      report.problems.push(...lintWorkflow(file, action, { houseRules: true }));
    }
  }
  for (const path of filesIn(root, 'examples', report)) {
    const file = load(path);
    if (file.document.has('jobs')) report.problems.push(...lintWorkflow(file, action, { houseRules: false }));
  }
  for (const path of markdownFiles(root)) {
    const name = relative(root, path);
    report.checked.push(name);
    for (const block of yamlBlocks(name, readFileSync(path, 'utf8'))) {
      report.problems.push(...lintGateSteps(block, action));
    }
  }
  return report;
}

function lintActionFile(
  root: string,
  report: LintReport,
  load: (path: string) => YamlFile,
): ActionInterface | undefined {
  const path = join(root, 'action.yml');
  if (!existsSync(path)) {
    report.notes.push('There is no action.yml yet: inputs and outputs of the action are not checked.');
    return undefined;
  }
  const { problems, action } = lintAction(load(path), root);
  report.problems.push(...problems);
  return action;
}

function filesIn(root: string, folder: string, report: LintReport): string[] {
  const top = join(root, folder);
  if (!existsSync(top)) {
    report.notes.push(`There is no folder ${folder}/ yet.`);
    return [];
  }
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(top, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

const markdownFiles = (root: string): string[] =>
  ['README.md', ...['docs', 'examples'].flatMap((folder) => markdownIn(root, folder))]
    .map((name) => join(root, name))
    .filter((path) => existsSync(path));

const markdownIn = (root: string, folder: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name))
    : [];

/** Fenced YAML that parses; a fragment that does not is prose. Lines count from the top of the file. */
function yamlBlocks(name: string, markdown: string): YamlFile[] {
  return [...markdown.matchAll(/^```ya?ml\n([^]*?)^```/gm)].flatMap((match) => {
    const lineOffset = markdown.slice(0, match.index).split('\n').length;
    const problems: Problem[] = [];
    const file = loadYaml(name, match[1] ?? '', problems, lineOffset);
    return problems.length === 0 ? [file] : [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { problems, checked, notes } = lintRepository(process.cwd());
  for (const note of notes) console.log(note);
  for (const { file, line, col, message } of problems) console.error(`${file}:${line}:${col}: ${message}`);
  console.log(`${checked.length} files checked, ${problems.length} problems.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
