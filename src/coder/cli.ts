import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { RunShortCommand } from '../ports.js';
import { InstallError } from './release.js';
import { parseVersion, type CoderVersion } from './version.js';

const versionAnswer = z.object({ version: z.string(), slim: z.boolean().default(false) });

/** A suite that will be run, and the flags with which. */
export interface NeededSuite {
  readonly suite: string;
  readonly flags: readonly string[];
}

export interface CoderCli {
  readonly path: string;
  readonly versionText: string;
  readonly version: CoderVersion | undefined;
  /** By suite, the names of all flags that its help shows, without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** `  -c, --user-count int, $CODER_…`: where a flag is described, not where another's description mentions it. */
const FLAG_LINE = /^\s+(?:-\w,\s*)?--([a-z][a-z0-9-]*)/gm;

/**
 * Looks what a CLI can do instead of trusting its version: Coder promises nothing for experimental commands.
 * @throws InstallError for a slim or too old CLI, or a flag that it lacks.
 */
export async function inspectCli(
  path: string,
  needed: readonly NeededSuite[],
  run: RunShortCommand,
  environment: Readonly<Record<string, string>>,
): Promise<CoderCli> {
  const answer = await runOrExplain(path, ['version', '--output=json'], run, environment);
  const parsed = versionAnswer.safeParse(jsonOf(answer.stdout));
  if (answer.exitCode !== 0 || !parsed.success) {
    throw new InstallError(
      `${path} is no Coder CLI: "coder version" exited with ${answer.exitCode}${firstLine(answer.stderr)}`,
    );
  }
  const { version: versionText, slim } = parsed.data;
  if (slim) {
    throw new InstallError(
      `${path} is the slim build of Coder ${versionText}, which has no scale tests; use the full release binary (the one that a server offers for download is slim)`,
    );
  }
  const known = new Map<string, readonly string[]>();
  for (const { suite, flags } of needed) {
    const help = await runOrExplain(path, ['exp', 'scaletest', suite, '--help'], run, environment);
    const text = `${help.stdout}\n${help.stderr}`;
    // Up to v2.9 an unknown command prints the help of its parent and exits with 0.
    if (help.exitCode !== 0 || !text.includes(`coder exp scaletest ${suite}`)) {
      throw new InstallError(
        `the Coder CLI ${versionText} at ${path} has no "exp scaletest ${suite}"; use the full release of a newer version`,
      );
    }
    known.set(
      suite,
      [...text.matchAll(FLAG_LINE)].map(([, name = '']) => name),
    );
    const missing = flags.filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(text));
    if (missing.length > 0) {
      throw new InstallError(
        `the Coder CLI ${versionText} has no ${missing.join(', ')} in "exp scaletest ${suite}"; use a newer version${suite === 'create-workspaces' ? ' or the driver "api"' : ''}`,
      );
    }
  }
  return { path, versionText, version: parseVersion(versionText), flags: known };
}

async function runOrExplain(
  path: string,
  args: readonly string[],
  run: RunShortCommand,
  environment: Readonly<Record<string, string>>,
) {
  try {
    return await run(path, args, environment);
  } catch (thrown) {
    throw new InstallError(`${path} cannot be run: ${messageOf(thrown)}`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstLine(text: string): string {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '');
  return line === undefined ? '' : ` (${line.trim()})`;
}

/** What a child may know of the environment: never the runner's or GitHub's tokens, never an empty variable. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  // By this the runner finds and ends what a killed step left running; no secret.
  'RUNNER_TRACKING_ID',
  // Windows' own names of the same.
  'USERPROFILE',
  'TEMP',
  'TMP',
  'SystemRoot',
  'PATHEXT',
] as const;

export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const names = [...PASSED_ON, ...Object.keys(own).filter((name) => name.startsWith('CODER_HEADER'))];
  const passed = names.flatMap((name) => {
    const value = own[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...added };
}
