import { type CliBehaviour, defaultCliBehaviour } from '../options.js';
import { ApiClient } from './api-client.js';
import { cleanup } from './cleanup.js';
import { createWorkspaces } from './create-workspaces.js';
import { dashboard } from './dashboard.js';
import { deleteWorkspaceByName } from './delete.js';
import { CliFailure, commandFailure } from './exit.js';
import { type Command, commandsOf, globalFlagsOf } from './flags.js';
import { asGoError } from './go-errors.js';
import { commandHelp, scaletestHelp } from './help.js';
import { Invocation } from './invocation.js';
import { parseFlags, type Values } from './parse.js';
import { otherSuites } from './suites/other-suites.js';
import { runSuite } from './suites/run-suite.js';
import { userSuites } from './suites/user-suites.js';
import { workspaceTraffic } from './workspace-traffic.js';
import { isAtLeast } from '../versions.js';

/** Put in by the bundler. */
declare const CODER_VERSION: string;
declare const CODER_SLIM: boolean;

const OLD_VERSION = 'v2.7.0';
const SCALETEST = 'coder exp scaletest';
const BEHAVIOUR_WAIT_MS = 2000;

interface Program {
  /** With the suffix of a release binary, as in `coder version`. */
  version: string;
  slim: boolean;
  behaviour: CliBehaviour;
}

/** Asks the simulated deployment how to misbehave; any other server, or none, means: behave. */
async function readBehaviour(environment: NodeJS.ProcessEnv, args: string[]): Promise<CliBehaviour> {
  const flag = args.find((word) => word.startsWith('--url='))?.slice('--url='.length);
  const url = flag ?? environment.CODER_URL ?? '';
  try {
    const answer = await fetch(new URL('/simulator/cli-behaviour', url), {
      signal: AbortSignal.timeout(BEHAVIOUR_WAIT_MS),
    });
    const json = (await answer.json()) as Partial<CliBehaviour>;
    const behaviour = { ...defaultCliBehaviour, ...json };
    const { onlySuite, pollScale } = behaviour;
    return onlySuite === null || args[2] === onlySuite ? behaviour : { ...defaultCliBehaviour, pollScale };
  } catch {
    return defaultCliBehaviour;
  }
}

function printVersion(program: Program, args: string[]): void {
  const asJson = args.includes('json') || args.some((word) => /^(-o|--output)=?json$/.test(word));
  const hash = /\+([0-9a-f]+)$/.exec(program.version)?.[1];
  const info = {
    version: program.version,
    build_time: '2026-07-14T10:12:05Z',
    external_url: `https://github.com/coder/coder${hash === undefined ? '' : `/commit/${hash}`}`,
    slim: program.slim,
    agpl: false,
    boring_crypto: false,
  };
  if (asJson) {
    process.stdout.write(`${JSON.stringify(info, null, 2)}\n`);
    return;
  }
  const kind = program.slim
    ? 'Slim build of Coder, does not support the server subcommand.'
    : 'Full build of Coder, supports the server subcommand.';
  process.stdout.write(
    `Coder ${program.version} Tue Jul 14 10:12:05 UTC 2026\n${info.external_url}\n\n${kind}\n`,
  );
}

function originOf(values: Values): string {
  const url = values.text('url');
  if (url === '') return '';
  return new URL(url.includes('://') ? url : `https://${url}`).origin;
}

function headersOf(values: Values): Record<string, string> {
  return Object.fromEntries(
    values.list('header').map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [name, rest.join('=')];
    }),
  );
}

const HANDLERS: Record<string, ((invocation: Invocation) => Promise<void>) | undefined> = {
  'create-workspaces': createWorkspaces,
  'workspace-traffic': workspaceTraffic,
  dashboard,
  cleanup,
};

async function runCommand(
  program: Program,
  command: Command,
  args: string[],
  allArgs: string[],
): Promise<void> {
  const path = `${SCALETEST} ${command.name}`;
  const { version, behaviour } = program;
  const flags = [...command.flags, ...globalFlagsOf(version)];
  const { values, help } = parseFlags({ version, path, flags, args, allArgs, environment: process.env });
  if (help) {
    process.stdout.write(commandHelp(version, command));
    return;
  }
  const origin = originOf(values);
  if (origin === '') {
    throw commandFailure(
      path,
      `You are not logged in. Try logging in using '${process.argv[1] ?? 'coder'} login <url>'.`,
    );
  }
  const client = new ApiClient({
    origin,
    token: values.text('token'),
    bypassLimits: false,
    headers: headersOf(values),
    sink: null,
    oldLogFormat: !isAtLeast(version, 'v2.24.0'),
  });
  const invocation = new Invocation(version, path, values, client, behaviour);
  const suite = { ...userSuites, ...otherSuites }[command.name];
  const handler =
    suite === undefined ? HANDLERS[command.name] : (one: Invocation): Promise<void> => runSuite(suite, one);
  if (handler === undefined) throw new CliFailure(`coder simulator: "${path}" is not simulated`);
  await handler(invocation).catch((error: unknown) => {
    throw error instanceof CliFailure ? error : commandFailure(path, asGoError(error).short());
  });
}

function slimRefusal(args: string[], allArgs: string[]): CliFailure {
  const name = args.find((word) => !word.startsWith('-'));
  const flag = args.find((word) => word.startsWith('--') && word !== '--help');
  if (flag !== undefined) {
    return new CliFailure(
      `parsing flags ([${allArgs.join(' ')}]) for "${SCALETEST}": unknown flag: ${flag.split('=')[0] ?? flag}`,
    );
  }
  if (name !== undefined && args.includes('--help')) return unknownSubcommand(name);
  return new CliFailure(
    "You are using a 'slim' build of Coder, which does not support the exp scaletest subcommand.",
  );
}

function unknownSubcommand(name: string): CliFailure {
  const what = `unrecognized subcommand "${name}"`;
  return new CliFailure(`---\nerror: ${what}\n${commandFailure(SCALETEST, what).message}`);
}

async function scaletest(program: Program, args: string[], allArgs: string[]): Promise<void> {
  if (program.slim) throw slimRefusal(args, allArgs);
  const commands = commandsOf(program.version);
  const [name, ...rest] = args;
  if (name === undefined || name.startsWith('-')) {
    process.stdout.write(scaletestHelp(program.version, commands));
    return;
  }
  const command = commands.find((one) => one.name === name);
  if (command !== undefined) {
    await runCommand(program, command, rest, allArgs);
    return;
  }
  // Up to v2.9 an unknown sub-command printed the help and was no error.
  if (isAtLeast(program.version, 'v2.10.0')) throw unknownSubcommand(name);
  process.stdout.write(scaletestHelp(program.version, commands));
}

async function deleteByEnvironment({ version, behaviour }: Program, args: string[]): Promise<void> {
  const client = new ApiClient({
    origin: new URL(process.env.CODER_URL ?? '').origin,
    token: process.env.CODER_SESSION_TOKEN ?? '',
    bypassLimits: false,
    headers: {},
    sink: null,
    oldLogFormat: false,
  });
  await deleteWorkspaceByName(client, args, { version, pollScale: behaviour.pollScale });
}

async function main(args: string[]): Promise<number> {
  const behaviour = await readBehaviour(process.env, args);
  const program: Program = {
    version: behaviour.tooOld ? OLD_VERSION : CODER_VERSION,
    slim: CODER_SLIM || behaviour.slim,
    behaviour,
  };
  if (behaviour.hangOnSignals) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  }
  let exitCode = 0;
  try {
    if (args[0] === 'version' || args[0] === '--version') printVersion(program, args);
    else if (args[0] === 'exp' && args[1] === 'scaletest') await scaletest(program, args.slice(2), args);
    else if (args[0] === 'delete') await deleteByEnvironment(program, args.slice(1));
    else throw new CliFailure(`coder simulator: "coder ${args.join(' ')}" is not simulated`);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    ({ exitCode } = error);
  }
  return behaviour.exitCode ?? exitCode;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
  // Keep-alive connections and a prompt's stdin would keep the process; what was written is flushed first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
});
