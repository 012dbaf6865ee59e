import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildCoderExecutable } from '../../simulator/coder/cli/build-executable.js';

/** The simulated CLI of some versions, in a folder of its own. */
export class Executables {
  readonly #paths = new Map<string, string>();
  directory = '';

  async build(versions: string[]): Promise<void> {
    this.directory = await mkdtemp(path.join(tmpdir(), 'coder-cli-'));
    for (const version of versions) {
      this.#paths.set(version, await buildCoderExecutable(path.join(this.directory, version), { version }));
    }
  }

  of(version: string): string {
    const found = this.#paths.get(version);
    if (found === undefined) throw new Error(`no executable of ${version}`);
    return found;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
