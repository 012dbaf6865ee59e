import type { CliBehaviour } from '../options.js';
import { isAtLeast, parseRelease } from '../versions.js';
import { asJson, asList, type Json, text } from './answers.js';
import type { ApiClient } from './api-client.js';
import { ApiAnswerError, GoError } from './go-errors.js';
import type { Values } from './parse.js';

/** Everything a command's handler gets. */
export class Invocation {
  constructor(
    readonly version: string,
    /** `coder exp scaletest create-workspaces` */
    readonly path: string,
    readonly values: Values,
    readonly client: ApiClient,
    readonly behaviour: CliBehaviour,
  ) {}

  /** The owner check with which most commands begin. */
  async requireOwner(): Promise<Json> {
    const me = asJson(await traced('fetch current user', () => this.client.get('/api/v2/users/me')));
    this.#warnOfOtherVersion();
    if (!asList(me.roles).some((role) => text(role, 'name') === 'owner')) {
      throw new GoError('Not logged in as a site owner. Scale testing is only available to site owners.');
    }
    return me;
  }

  #warnOfOtherVersion(): void {
    const server = this.client.serverVersion;
    if (server === '' || this.values.flag('no-version-warning')) return;
    const [major, minor] = parseRelease(server);
    const [ownMajor, ownMinor] = parseRelease(this.version);
    if (major === ownMajor && minor === ownMinor) return;
    const plain = server.replace(/\+.*$/, '');
    process.stderr.write(
      `version mismatch: client ${this.version}, server ${server}\ndownload ${plain} with: 'curl -fsSL ${this.client.options.origin}/install.sh | sh'\n`,
    );
  }

  isAtLeast(release: string): boolean {
    return isAtLeast(this.version, release);
  }
}

/** The server's refusals are shown with where they happened; other errors as they are. */
export async function traced<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiAnswerError) {
      const suggestion = error.helper === '' ? '' : `\nSuggestion: ${error.helper}`;
      throw new GoError(`Trace=[${doing}: ]\n${error.sentence}${suggestion}`);
    }
    if (error instanceof GoError) throw new GoError(`${doing}: ${error.short()}`);
    throw error;
  }
}
