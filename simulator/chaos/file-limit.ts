import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { node24Path } from '../runner/runner.js';

const BLOCK_BYTES = 1024;

/**
 * A node whose files cannot grow beyond some bytes, as on a disk that is full: the kernel refuses such a write with an
 * error. It is in force while its switch is on, for steps that begin then.
 */
export class NodeWithFileLimit {
  readonly path: string;
  readonly #switch: string;

  constructor(folder: string, bytes: number) {
    this.path = path.join(folder, 'node');
    this.#switch = path.join(folder, 'limited');
    const node = node24Path() ?? process.execPath;
    // Not with sh: dash hands no variable on whose name has a dash, so the action would get no inputs.
    writeFileSync(
      this.path,
      `#!/usr/bin/env bash
if [ -e '${this.#switch}' ]; then ulimit -f ${Math.floor(bytes / BLOCK_BYTES)}; fi
exec '${node}' "$@"
`,
      { mode: 0o755 },
    );
  }

  switchOn(): this {
    if (!existsSync(this.#switch)) writeFileSync(this.#switch, '');
    return this;
  }
}
