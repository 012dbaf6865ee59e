import type { DeploymentState } from '../coder/state.js';
import { SecretMasker } from '../runner/secret-masker.js';

/** Finds what the deployment itself knows to be secret, so that no shape has to be told from what stands beside it. */
export class ShownSecrets {
  readonly #tokens = new SecretMasker();
  readonly #passwords = new SecretMasker();

  constructor(state: DeploymentState) {
    for (const secret of state.tokenSecrets) this.#tokens.add(secret);
    for (const { password } of state.users.values()) this.#passwords.add(password);
  }

  /** What kinds of them stand in a text, in any of the spellings that a runner masks. */
  in(text: string): readonly string[] {
    return [
      ...(this.#tokens.mask(text) === text ? [] : ['a session token']),
      ...(this.#passwords.mask(text) === text ? [] : ['a password']),
    ];
  }
}
