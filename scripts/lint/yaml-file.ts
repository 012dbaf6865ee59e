import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml';

export interface Problem {
  file: string;
  line: number;
  col: number;
  message: string;
}

/** A parsed file that can say where a node stands. */
export interface YamlFile {
  name: string;
  document: Document;
  problemAt(node: unknown, message: string): Problem;
}

export function loadYaml(name: string, text: string, problems: Problem[], lineOffset = 0): YamlFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const problemAt = (node: unknown, message: string): Problem => {
    const start = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    const { line, col } = lineCounter.linePos(start);
    return { file: name, line: Math.max(1, line) + lineOffset, col: Math.max(1, col), message };
  };
  for (const error of document.errors) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    problems.push({ file: name, line: line + lineOffset, col, message: error.message.split('\n')[0] ?? '' });
  }
  return { name, document: document, problemAt };
}

export interface Entry {
  key: string;
  keyNode: unknown;
  value: unknown;
}

/** The entries of a map node; nothing for any other node. */
export function entriesOf(node: unknown): Entry[] {
  if (!isMap(node)) return [];
  return (node.items as Pair<Node, Node | null>[]).map(({ key, value }) => ({
    key: isScalar(key) ? String(key.value) : '',
    keyNode: key,
    value,
  }));
}

export const valueOf = (node: unknown, key: string): unknown =>
  entriesOf(node).find((entry) => entry.key === key)?.value;

export const textOf = (node: unknown): string | undefined =>
  isScalar(node) && ['string', 'number', 'boolean'].includes(typeof node.value)
    ? String(node.value)
    : undefined;

/** Keys of a map that are not among the known ones, each as a problem. */
export function unknownKeys(
  file: YamlFile,
  node: unknown,
  known: readonly string[],
  where: string,
): Problem[] {
  return entriesOf(node)
    .filter(({ key }) => !known.includes(key))
    .map(({ key, keyNode }) => file.problemAt(keyNode, `Unknown key "${key}" in ${where}.`));
}

/** Keys that must be there; the problem stands at the map. */
export function missingKeys(
  file: YamlFile,
  node: unknown,
  wanted: readonly string[],
  where: string,
): Problem[] {
  const present = entriesOf(node).map(({ key }) => key);
  return wanted
    .filter((key) => !present.includes(key))
    .map((key) => file.problemAt(node, `${where} has no "${key}".`));
}
