import type { Command, Flag } from './flags.js';

const TYPE_NAMES: Record<string, string> = { 'string-list': 'string-array', float: 'float64' };

function flagType(flag: Flag): string {
  if (flag.type === 'enum') return flag.choices.join('|');
  return TYPE_NAMES[flag.type] ?? flag.type;
}

function flagLine(flag: Flag): string {
  const short = flag.short === null ? '    ' : `-${flag.short}, `;
  const variable = flag.env === null ? '' : `, $${flag.env}`;
  const fallback = flag.default === null || flag.default === '' ? '' : ` (default: ${flag.default})`;
  return `  ${short}--${flag.name} ${flagType(flag)}${variable}${fallback}`;
}

/** The help page of a sub-command; hidden flags are not shown. */
export function commandHelp(version: string, command: Command): string {
  const flags = command.flags.filter((flag) => !flag.hidden).map(flagLine);
  return [
    `coder ${version}`,
    '',
    'USAGE:',
    `  coder exp scaletest ${command.name} [flags]`,
    '',
    `  ${command.summary}`,
    '',
    'OPTIONS:',
    ...flags,
    '',
    '———',
    'Run `coder --help` for a list of global options.',
    '',
  ].join('\n');
}

export function scaletestHelp(version: string, commands: Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    `coder ${version}`,
    '',
    'USAGE:',
    '  coder exp scaletest',
    '',
    '  Run a scale test against the Coder API',
    '',
    'SUBCOMMANDS:',
    ...commands.map(({ name, summary }) => `    ${name.padEnd(width)}${summary}`),
    '',
    '———',
    'Run `coder --help` for a list of global options.',
    '',
  ].join('\n');
}
