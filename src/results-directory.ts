import { mkdir, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Dirent } from 'node:fs';
import { ConfigurationError } from './errors.js';
import type { Redactor } from './redact/redactor.js';
import { UNFINISHED, writeWholeText } from './whole-file.js';

/** `20260105T060000Z`. */
export const directoryStamp = (at: Date): string =>
  at
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');

interface Place {
  readonly workspace: string;
  /** Input `results-dir`. */
  readonly parent: string;
}

/** The folder of one run's results, inside the workspace. */
export class ResultsDirectory {
  private constructor(
    private readonly redactor: Redactor,
    readonly path: string,
    /** Relative to the workspace, as people see it. */
    readonly shown: string,
  ) {}

  /**
   * Makes `<parent>/<UTC timestamp>/` with its evidence folder.
   * @throws ConfigurationError when it would lie outside the workspace, also through a symbolic link.
   */
  static async create({ workspace, parent }: Place, at: Date, redactor: Redactor): Promise<ResultsDirectory> {
    const root = await realpath(workspace);
    const wanted = path.resolve(root, parent);
    refuseOutside(root, wanted, parent);
    await mkdir(await nearestExisting(wanted, root, parent), { recursive: true });
    await mkdir(wanted, { recursive: true });
    const real = await realpath(wanted);
    refuseOutside(root, real, parent);
    const directory = await makeFresh(real, directoryStamp(at));
    await mkdir(path.join(directory, 'evidence'));
    return new ResultsDirectory(redactor, directory, path.relative(root, directory));
  }

  get evidence(): string {
    return path.join(this.path, 'evidence');
  }

  async writeJson(name: string, content: unknown): Promise<void> {
    // JSON has no infinity: what never ended is not the same as what was not measured.
    const text = JSON.stringify(content, (_, value: unknown) => (value === Infinity ? 'infinite' : value), 2);
    await this.writeText(name, `${text}\n`);
  }

  async writeText(name: string, text: string): Promise<void> {
    await writeWholeText(path.join(this.path, name), this.redactor.clean(text));
  }
}

/** The files of a directory, without what a killed run has not finished. */
export async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const isWhole = (entry: Dirent): boolean => entry.isFile() && !entry.name.endsWith(UNFINISHED);
  return entries.filter(isWhole).map((entry) => path.join(entry.parentPath, entry.name));
}

/** The deepest part that is there already has to be inside, before anything is made below it. */
async function nearestExisting(wanted: string, root: string, parent: string): Promise<string> {
  let current = wanted;
  for (;;) {
    const real = await realpath(current).catch(() => undefined);
    if (real !== undefined) {
      refuseOutside(root, real, parent);
      return real;
    }
    current = path.dirname(current);
  }
}

function refuseOutside(root: string, candidate: string, parent: string): void {
  if (candidate === root || candidate.startsWith(root + path.sep)) return;
  throw new ConfigurationError([
    {
      message: `input "results-dir" is "${parent}", which lies outside the workspace; give a folder inside it`,
    },
  ]);
}

/** Two runs within a second must not mix. */
async function makeFresh(parent: string, stamp: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = path.join(parent, attempt === 1 ? stamp : `${stamp}-${attempt}`);
    try {
      await mkdir(directory);
      return directory;
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    }
  }
}
