/** A line of a step's output that speaks to the runner: `::name key=value,…::data` or `##[name key=value;…]data`. */
export interface WorkflowCommand {
  name: string;
  properties: Record<string, string>;
  data: string;
}

const commandNames = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
];

/** `stopToken` is a further name that counts while `stop-commands` is in force. */
export function parseWorkflowCommand(line: string, stopToken?: string): WorkflowCommand | undefined {
  const isKnown = (name: string): boolean =>
    commandNames.includes(name.toLowerCase()) || (stopToken !== undefined && name === stopToken);
  return parseColonForm(line, isKnown) ?? parseBracketForm(line, isKnown);
}

function parseColonForm(line: string, isKnown: (name: string) => boolean): WorkflowCommand | undefined {
  const text = line.trimStart();
  const end = text.startsWith('::') ? text.indexOf('::', 2) : -1;
  if (end < 0) return undefined;
  const { name, rest } = splitInfo(text.slice(2, end));
  if (!isKnown(name)) return undefined;
  return {
    name,
    properties: properties(rest, ',', unescapeProperty),
    data: unescapeData(text.slice(end + 2)),
  };
}

/** The older form counts anywhere in a line: what a child process prints can trigger it too. */
function parseBracketForm(line: string, isKnown: (name: string) => boolean): WorkflowCommand | undefined {
  const start = line.indexOf('##[');
  const end = start < 0 ? -1 : line.indexOf(']', start);
  if (end < 0) return undefined;
  const { name, rest } = splitInfo(line.slice(start + 3, end));
  if (!isKnown(name)) return undefined;
  return {
    name,
    properties: properties(rest, ';', unescapeBracket),
    data: unescapeBracket(line.slice(end + 1)),
  };
}

function splitInfo(info: string): { name: string; rest: string } {
  const space = info.indexOf(' ');
  return space < 0
    ? { name: info, rest: '' }
    : { name: info.slice(0, space), rest: info.slice(space + 1).trim() };
}

function properties(
  text: string,
  separator: string,
  unescape: (value: string) => string,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=');
    // The runner drops properties without a name or a value.
    if (equals > 0 && equals < pair.length - 1) {
      found[pair.slice(0, equals).toLowerCase()] = unescape(pair.slice(equals + 1));
    }
  }
  return found;
}

const unescapeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string): string =>
  unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
const unescapeBracket = (text: string): string =>
  unescapeData(text.replaceAll('%3B', ';').replaceAll('%5D', ']'));
